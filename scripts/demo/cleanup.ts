import { CliError, ExitCode } from "../errors";

/** Undoes what was done, last first, whatever the reason for the end. */
export class Cleanup {
    private readonly undo: { what: string; run: () => Promise<void> }[] = [];

    /** Registers how to undo something; call it before the work starts, since work can break half-way. */
    add(what: string, run: () => Promise<void>): void {
        this.undo.push({ what, run });
    }

    /** Whether there is nothing to undo. */
    get empty(): boolean {
        return this.undo.length === 0;
    }

    /** Runs all; one that fails does not stop the others. Returns what failed, in words. */
    async run(say: (line: string) => void = () => undefined): Promise<string[]> {
        const failures: string[] = [];
        for (let next = this.undo.pop(); next; next = this.undo.pop()) {
            say(next.what);
            try {
                await next.run();
            } catch (error) {
                failures.push(
                    `${next.what}: ${error instanceof Error ? error.message : String(error)}`,
                );
            }
        }
        return failures;
    }
}

/** Ctrl-C and `kill`, as a signal that work can be given. */
export interface Interrupt {
    /** Aborts with an {@link InterruptedError} at the first SIGINT, SIGTERM or SIGHUP. */
    readonly signal: AbortSignal;
    /** Ends the handling: from here a signal ends the process as usual. */
    dispose(): void;
}

export class InterruptedError extends CliError {
    constructor(signal: string) {
        super(`interrupted by ${signal}`, ExitCode.interrupted);
        this.name = "InterruptedError";
    }
}

/**
 * Turns signals into an abort. Later ones only print `again`: whoever presses Ctrl-C twice must not
 * be left with half a cluster.
 */
export function onInterrupt(again: () => void): Interrupt {
    const controller = new AbortController();
    const handle = (signal: NodeJS.Signals) => {
        if (controller.signal.aborted) return again();
        controller.abort(new InterruptedError(signal));
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    for (const signal of signals) process.on(signal, handle);
    return {
        signal: controller.signal,
        dispose: () => {
            for (const signal of signals) process.off(signal, handle);
        },
    };
}

/** Settles as `work` does, or rejects as soon as `signal` aborts; for work that takes no signal. */
export async function abortable<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
    signal.throwIfAborted();
    let stop = () => undefined as void;
    const aborted = new Promise<never>((_, reject) => {
        const onAbort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
        stop = () => signal.removeEventListener("abort", onAbort);
    });
    try {
        return await Promise.race([work, aborted]);
    } finally {
        stop();
    }
}
