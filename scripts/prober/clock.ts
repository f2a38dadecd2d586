import { performance } from "node:perf_hooks";

/**
 * Milliseconds since the epoch with a fraction, never going backwards within a process; processes of
 * one machine agree on it to well under a millisecond.
 */
export function now(): number {
    return performance.timeOrigin + performance.now();
}
