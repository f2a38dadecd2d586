import { type ConnectionKind, latencyOf, ofKind, percentile, type Sample } from "../prober";

/** One bin of time; `t` is the seconds from the chart's origin to its middle. */
export interface Bin<T> {
    t: number;
    value: T;
}

/** Answers per second of each release, bin by bin. */
export interface ReleaseSeries {
    /** In order of first appearance: the order in which they are stacked and named. */
    releases: string[];
    bins: Bin<Record<string, number>>[];
}

/** The stretch of time that a chart shows; milliseconds since the epoch. */
export interface Range {
    from: number;
    to: number;
}

/** From the first request due to the last; `undefined` without samples. */
export function rangeOf(samples: readonly Sample[]): Range | undefined {
    if (samples.length === 0) return undefined;
    let from = Infinity;
    let to = -Infinity;
    for (const { due } of samples) {
        if (due < from) from = due;
        if (due > to) to = due;
    }
    // At least a second, so that no scale has an empty domain.
    return { from, to: Math.max(to, from + 1_000) };
}

/** How many answers per second each release gave to requests of one kind. */
export function releaseSeries(
    samples: readonly Sample[],
    kind: ConnectionKind,
    range: Range,
    binMs: number,
): ReleaseSeries {
    const answered = ofKind(samples, kind).filter((sample) => sample.ok);
    const releases = releasesOf(samples);
    const bins = binned(answered, range, binMs).map(({ t, value }) => ({
        t,
        value: Object.fromEntries(
            releases.map((release) => [
                release,
                (value.filter((sample) => nameOf(sample) === release).length * 1_000) / binMs,
            ]),
        ),
    }));
    return { releases, bins };
}

/** A percentile of latency per bin, milliseconds; bins without an answer are left out. */
export function latencySeries(
    samples: readonly Sample[],
    percent: number,
    range: Range,
    binMs: number,
): Bin<number>[] {
    return binned(
        samples.filter((sample) => sample.ok),
        range,
        binMs,
    )
        .filter(({ value }) => value.length > 0)
        .map(({ t, value }) => ({
            t,
            value: percentile(
                value.map(latencyOf).sort((a, b) => a - b),
                percent,
            ),
        }));
}

/** Failed requests per bin; bins without one are left out. */
export function failureSeries(
    samples: readonly Sample[],
    range: Range,
    binMs: number,
): Bin<number>[] {
    return binned(
        samples.filter((sample) => !sample.ok),
        range,
        binMs,
    )
        .map(({ t, value }) => ({ t, value: value.length }))
        .filter(({ value }) => value > 0);
}

/** Releases in order of first appearance. */
export function releasesOf(samples: readonly Sample[]): string[] {
    return [...new Set(samples.filter((sample) => sample.ok).map(nameOf))];
}

/** The color that each release last ran on, for those that say so. */
export function colorsOf(samples: readonly Sample[]): Map<string, string> {
    const colors = new Map<string, string>();
    for (const sample of samples) if (sample.color) colors.set(nameOf(sample), sample.color);
    return colors;
}

function nameOf(sample: Sample): string {
    return sample.release ?? "unnamed";
}

function binned(samples: readonly Sample[], range: Range, binMs: number): Bin<Sample[]>[] {
    // Only whole bins: a last one cut short would look like a drop of the rate.
    const count = Math.max(1, Math.floor((range.to - range.from) / binMs));
    const bins = Array.from({ length: count }, (_, i): Bin<Sample[]> => {
        return { t: ((i + 0.5) * binMs) / 1_000, value: [] };
    });
    for (const sample of samples) {
        bins[Math.floor((sample.due - range.from) / binMs)]?.value.push(sample);
    }
    return bins;
}
