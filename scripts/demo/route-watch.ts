import { type KubeConfig, type V1Service, Watch } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { CliError } from "../errors";
import { now } from "../prober";

/** A change of a Service's selector, seen in the cluster and not taken from the engine's output. */
export interface RouteChange {
    /** Milliseconds since the epoch when the API server announced it. */
    at: number;
    service: string;
    selector: Record<string, string>;
}

export interface RouteWatch {
    /** All changes since the watch began, oldest first; what it found at its start is not among them. */
    readonly changes: readonly RouteChange[];
    stop(): void;
}

const FIRST_EVENT_DEADLINE_MS = 10_000;
const RETRY_MS = 200;

/**
 * Watches the Services of a namespace until stopped, and keeps each change of a selector with its
 * time. Resolves once the API server has sent the present state.
 *
 * @throws CliError when the API server sends nothing within 10 s
 */
export async function watchRoutes(kubeconfig: KubeConfig, namespace: string): Promise<RouteWatch> {
    const selectors = new Map<string, Record<string, string>>();
    const changes: RouteChange[] = [];
    let stopped = false;
    let controller: AbortController | undefined;
    let lastError: unknown;

    const receive = (phase: string, object: V1Service) => {
        if (phase !== "ADDED" && phase !== "MODIFIED") return;
        const service = object.metadata?.name ?? "";
        const selector = object.spec?.selector ?? {};
        const before = selectors.get(service);
        selectors.set(service, selector);
        if (before && !isDeepStrictEqual(before, selector)) {
            changes.push({ at: now(), service, selector });
        }
    };
    const watch = async (): Promise<void> => {
        try {
            controller = await new Watch(kubeconfig).watch(
                `/api/v1/namespaces/${namespace}/services`,
                {},
                receive,
                again,
            );
        } catch (error) {
            again(error);
        }
    };
    // The API server ends every watch after some minutes; a new one sends the present state first.
    const again = (error: unknown) => {
        lastError = error;
        if (!stopped) setTimeout(() => void watch(), RETRY_MS);
    };
    const stop = () => {
        stopped = true;
        controller?.abort();
    };
    await watch();
    const deadline = Date.now() + FIRST_EVENT_DEADLINE_MS;
    while (selectors.size === 0) {
        if (Date.now() > deadline) {
            stop();
            const why = lastError instanceof Error ? `: ${lastError.message}` : "";
            throw new CliError(`no Service of namespace ${namespace} was seen within 10 s${why}`);
        }
        await sleep(20);
    }
    return { changes, stop };
}
