import { ConnectionKind, type Sample } from "./types";

/** Milliseconds from the due time to the last byte, over the requests that were answered. */
export interface Latency {
    p50: number;
    p99: number;
    max: number;
}

export interface Figures {
    requests: number;
    failed: number;
    latencyMs: Latency;
}

export interface Summary extends Figures {
    connections: Record<ConnectionKind, Figures>;
    /** Answers per release, by the `x-release` header; failures without one are under `none`. */
    requestsPerRelease: Record<string, number>;
}

/** Latency as the user of the schedule sees it: a start that came late counts. */
export function latencyOf(sample: Sample): number {
    return sample.end - sample.due;
}

/**
 * The nearest-rank percentile: the least value that at least `percent` % of the values do not
 * exceed. Always a value that was measured. 0 for no values.
 *
 * @param sorted ascending
 * @param percent above 0, at most 100
 */
export function percentile(sorted: readonly number[], percent: number): number {
    if (!(percent > 0 && percent <= 100)) throw new RangeError(`percent: got ${percent}`);
    const rank = Math.ceil((percent / 100) * sorted.length);
    return sorted[Math.max(0, rank - 1)] ?? 0;
}

/** Latency figures rounded to a hundredth of a millisecond; a timer's tick is 1 ms. */
export function latencyFigures(samples: readonly Sample[]): Latency {
    const sorted = samples
        .filter((sample) => sample.ok)
        .map(latencyOf)
        .sort((a, b) => a - b);
    return {
        p50: hundredth(percentile(sorted, 50)),
        p99: hundredth(percentile(sorted, 99)),
        max: hundredth(sorted.at(-1) ?? 0),
    };
}

export function figures(samples: readonly Sample[]): Figures {
    return {
        requests: samples.length,
        failed: samples.filter((sample) => !sample.ok).length,
        latencyMs: latencyFigures(samples),
    };
}

export function summarize(samples: readonly Sample[]): Summary {
    return {
        ...figures(samples),
        connections: {
            keptAlive: figures(ofKind(samples, ConnectionKind.keptAlive)),
            new: figures(ofKind(samples, ConnectionKind.new)),
        },
        requestsPerRelease: countBy(samples, (sample) => sample.release ?? "none"),
    };
}

export function ofKind(samples: readonly Sample[], kind: ConnectionKind): Sample[] {
    return samples.filter((sample) => sample.kind === kind);
}

/** Samples that were due in `[from, to)`. */
export function dueBetween(samples: readonly Sample[], from: number, to: number): Sample[] {
    return samples.filter((sample) => sample.due >= from && sample.due < to);
}

/** Failures grouped by what happened, most frequent first: `ECONNRESET on keptAlive, last answered by …`. */
export function explainFailures(samples: readonly Sample[]): string[] {
    const groups = countBy(
        samples.filter((sample) => !sample.ok),
        describeFailure,
    );
    return Object.entries(groups)
        .sort(([, a], [, b]) => b - a)
        .map(([what, count]) => `${count} × ${what}`);
}

function describeFailure(sample: Sample): string {
    const connection = sample.kind === ConnectionKind.new ? "new" : "kept-alive";
    const used = sample.reused ? "used before" : "first use";
    const where = sample.pod ?? sample.lastPod;
    return `${sample.error} on a ${connection} connection (${used})${where ? `, pod ${where}` : ""}`;
}

function countBy<T>(values: readonly T[], key: (value: T) => string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const value of values) counts[key(value)] = (counts[key(value)] ?? 0) + 1;
    return counts;
}

function hundredth(value: number): number {
    return Math.round(value * 100) / 100;
}
