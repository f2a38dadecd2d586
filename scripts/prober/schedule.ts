import { ConnectionKind } from "./types";

/** The due times of a constant rate: request `n` is due at `startedAt + n × 1000 ÷ rate`. */
export interface Schedule {
    /** Milliseconds since the epoch; the due time of request 0. */
    startedAt: number;
    /** Requests per second. */
    rate: number;
    /** Requests in all; none is due after the last. */
    total: number;
}

/** When request `n` has to start. Computed from `n`, never by adding up, so that nothing drifts. */
export function dueAt(schedule: Schedule, n: number): number {
    return schedule.startedAt + (n * 1_000) / schedule.rate;
}

/** How many requests are due by `now`, at most `total`. */
export function countDue(schedule: Schedule, now: number): number {
    if (now < schedule.startedAt) return 0;
    const due = Math.floor(((now - schedule.startedAt) * schedule.rate) / 1_000) + 1;
    return Math.min(due, schedule.total);
}

/** Even requests use a kept-alive connection, odd ones a new one: half each, evenly in time. */
export function kindOf(n: number): ConnectionKind {
    return n % 2 === 0 ? ConnectionKind.keptAlive : ConnectionKind.new;
}
