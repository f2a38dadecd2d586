import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../scripts/errors";

const POLL_MS = 100;

/**
 * Waits until `check` holds.
 *
 * @throws CliError when the deadline passes or as soon as `hopeless` names a reason why waiting is
 *     no use; either way with evidence
 */
export async function until(options: {
    /** A clause, as in "not within 60 s: the API server answers". */
    what: string;
    timeoutMs: number;
    check: () => Promise<boolean> | boolean;
    hopeless?: () => string | undefined;
    evidence?: () => Promise<string> | string;
    signal?: AbortSignal;
}): Promise<void> {
    const { what, timeoutMs, check, hopeless, evidence, signal } = options;
    const deadline = Date.now() + timeoutMs;
    while (!(await check())) {
        signal?.throwIfAborted();
        const reason = hopeless?.();
        if (reason !== undefined) throw new CliError(`waited for: ${what}; ${reason}`);
        if (Date.now() > deadline) {
            const found = (await evidence?.()) ?? "";
            throw new CliError(`not within ${timeoutMs / 1000} s: ${what}\n${found}`.trimEnd());
        }
        await sleep(POLL_MS, undefined, { signal });
    }
}
