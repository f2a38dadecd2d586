/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
    if (values.length === 0) throw new RangeError("no values, no median");
    const sorted = values.toSorted((a, b) => a - b);
    const at = (index: number): number => sorted[index] as number;
    const half = sorted.length / 2;
    return Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
}

/**
 * Runs several pieces of work in turn, `rounds` times, and returns the median of each one's figures:
 * what else the machine does then meets all of them alike. Every other round goes backwards, so that
 * none is always the one that finds warm caches. A first round that is not counted fills them.
 */
export async function interleaved(
    rounds: number,
    ...works: (() => Promise<number>)[]
): Promise<number[]> {
    const figures = works.map((work) => ({ work, values: [] as number[] }));
    for (const { work } of figures) await work();
    for (let round = 0; round < rounds; round++) {
        const order = round % 2 === 0 ? figures : figures.toReversed();
        for (const figure of order) figure.values.push(await figure.work());
    }
    return figures.map(({ values }) => median(values));
}
