import { type KubeClient, sleep, type WatchEvent } from "../client";

const MAX_BACKOFF_MS = 3_000;

/** What is told of a watch that goes on. */
export interface Follower {
    onOpen?(): void;
    onEvent(event: WatchEvent): void;
    onLost?(error: Error): void;
}

/** Watches again and again until `signal` is aborted; an API server that is away comes back. */
export async function followPath(
    client: KubeClient,
    path: string,
    query: Record<string, string | undefined>,
    signal: AbortSignal,
    follower: Follower,
): Promise<void> {
    let backoff = 200;
    while (!signal.aborted) {
        try {
            await client.watch(
                path,
                query,
                signal,
                () => {
                    backoff = 200;
                    follower.onOpen?.();
                },
                (event) => follower.onEvent(event),
            );
        } catch (error) {
            if (isAborted(signal)) return;
            follower.onLost?.(error as Error);
            await sleep(backoff, signal).catch(() => undefined);
            backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
        }
    }
}

/** Asked anew: the flag changes while a call is awaited. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;
