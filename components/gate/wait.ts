import { ClusterError, NoClusterError } from "./reader";

/** Time as the gate sees it, so that tests need not wait. */
export interface Clock {
    /** Milliseconds, from any start. */
    now(): number;
    sleep(milliseconds: number): Promise<void>;
}

export const systemClock: Clock = {
    now: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** What one look found: done with a value, or the reason to look again. */
export type Look<T> = { done: T } | { because: string };

export interface WaitResult<T> {
    /** Absent when the deadline passed. */
    value?: T;
    waitedSeconds: number;
    /** Why the last look did not end the wait. */
    because: string;
}

/** Quick looks at first, so that a warm switch is not held up; later ones go easy on the API server. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;
const PAUSE_GROWTH = 1.5;

/**
 * Looks until something ends the wait or the deadline passes. An API server that does not answer is
 * asked again until then; an answer that will not change (forbidden, no such context) ends it at once.
 */
export async function waitFor<T>(
    look: () => Promise<Look<T>>,
    options: { deadlineSeconds: number; clock: Clock; say: (line: string) => void },
): Promise<WaitResult<T>> {
    const { clock, say } = options;
    const started = clock.now();
    const waited = () => (clock.now() - started) / 1000;
    let said = "";
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * PAUSE_GROWTH, LONGEST_PAUSE_MS)) {
        const seen = await tolerant(look);
        if ("done" in seen) return { value: seen.done, waitedSeconds: waited(), because: "" };
        if (seen.because !== said) say((said = seen.because));
        const left = options.deadlineSeconds - waited();
        if (left <= 0) return { waitedSeconds: waited(), because: seen.because };
        await clock.sleep(Math.min(pause, left * 1000));
    }
}

async function tolerant<T>(look: () => Promise<Look<T>>): Promise<Look<T>> {
    try {
        return await look();
    } catch (error) {
        if (error instanceof NoClusterError) throw error;
        if (error instanceof ClusterError && error.retriable) return { because: error.message };
        throw error;
    }
}
