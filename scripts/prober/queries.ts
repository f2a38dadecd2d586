import { ConnectionKind, type Sample } from "./types";

/**
 * Milliseconds from `since` (the route's change) until traffic on new connections had moved to
 * `release`: until the answer to the first request that started after the last one that any other
 * release answered. Failures do not count as moved. `undefined` while nothing has moved.
 *
 * @param since milliseconds since the epoch
 * @param settledFor requests that must all have come from `release`, so that one early answer of a
 *     route that still flaps is not taken for the end. Defaults to 20 (0.2 s at the default rate).
 */
export function movedAfter(
    samples: readonly Sample[],
    release: string,
    since: number,
    settledFor = 20,
): number | undefined {
    const fresh = samples
        .filter((sample) => sample.kind === ConnectionKind.new && sample.end >= since)
        .sort((a, b) => a.start - b.start);
    const last = fresh.findLastIndex((sample) => sample.release !== release);
    const moved = fresh.slice(last + 1);
    const first = moved[0];
    if (!first || moved.length < settledFor) return undefined;
    return Math.max(0, first.end - since);
}

/** Releases that answered requests started at or after `since`, on connections of this kind. */
export function releasesSince(
    samples: readonly Sample[],
    kind: ConnectionKind,
    since: number,
): Set<string> {
    const releases = samples
        .filter((sample) => sample.kind === kind && sample.start >= since)
        .map((sample) => sample.release ?? "none");
    return new Set(releases);
}

/** The first answer of `release` to a request that started at or after `since`. */
export function firstAnswer(
    samples: readonly Sample[],
    release: string,
    since: number,
): Sample | undefined {
    return samples
        .filter((sample) => sample.ok && sample.release === release && sample.start >= since)
        .reduce<Sample | undefined>(
            (first, sample) => (!first || sample.end < first.end ? sample : first),
            undefined,
        );
}
