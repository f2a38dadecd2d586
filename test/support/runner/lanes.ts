/** Where a job may run. */
export const Lane = {
    /** Beside others: what it asserts does not depend on how fast the machine is. */
    shared: "shared",
    /** Alone, after all others: it measures latency, or loses requests when it is starved. */
    exclusive: "exclusive",
} as const;
export type Lane = (typeof Lane)[keyof typeof Lane];

/** A third lane keeps two processors busy while tests of the other two wait for pods. */
const DEFAULT_LANES = 3;

/**
 * How many lanes `CUTOVER_TEST_LANES` asks for; with 1, every job is alone on the
 * machine, for figures of latency.
 *
 * @throws RangeError unless it is a whole number from 1
 */
export function lanesOf(asked: string | undefined): number {
    if (!asked) return DEFAULT_LANES;
    if (/^[1-9]\d*$/.test(asked)) return Number(asked);
    throw new RangeError(`CUTOVER_TEST_LANES must be a whole number from 1, got "${asked}"`);
}

/** What the scheduler needs to know of a job. */
export interface Scheduled {
    name: string;
    lane: Lane;
    /** About how long it takes; the longest are started first, so that none is left for the end. */
    seconds: number;
    /** Names of jobs that must have ended before. */
    needs: readonly string[];
}

/**
 * Runs shared jobs on `lanes` lanes, then the exclusive ones alone, in either case the longest first.
 * Once `signal` is aborted none is started any more; those that run are waited for.
 *
 * @param run must not reject: how a job ended is between it and the caller
 * @throws RangeError when a job needs one that cannot end before it
 */
export async function runInLanes<J extends Scheduled>(
    jobs: readonly J[],
    options: { lanes: number; run: (job: J) => Promise<void>; signal?: AbortSignal },
): Promise<void> {
    const { lanes, run, signal } = options;
    const waiting = jobs.toSorted(startOrder);
    const running = new Set<Promise<void>>();
    const ended = new Set<string>();
    while (waiting.length > 0 && !signal?.aborted) {
        const next = nextOf(waiting, { running: running.size, lanes, ended });
        if (next !== undefined) {
            waiting.splice(waiting.indexOf(next), 1);
            const work = run(next).then(() => {
                ended.add(next.name);
                running.delete(work);
            });
            running.add(work);
        } else if (running.size > 0) {
            await Promise.race(running);
        } else {
            const stuck = waiting.map(({ name, needs }) => `${name} (${needs.join(", ")})`);
            throw new RangeError(`never started, for what they need: ${stuck.join("; ")}`);
        }
    }
    await Promise.all(running);
}

/** Shared before exclusive, long before short. */
function startOrder(a: Scheduled, b: Scheduled): number {
    if (a.lane !== b.lane) return a.lane === Lane.shared ? -1 : 1;
    return b.seconds - a.seconds;
}

function nextOf<J extends Scheduled>(
    waiting: readonly J[],
    now: { running: number; lanes: number; ended: ReadonlySet<string> },
): J | undefined {
    if (now.running >= now.lanes) return undefined;
    const ready = waiting.filter(({ needs }) => needs.every((name) => now.ended.has(name)));
    if (waiting.some(({ lane }) => lane === Lane.shared)) {
        return ready.find(({ lane }) => lane === Lane.shared);
    }
    return now.running === 0 ? ready[0] : undefined;
}
