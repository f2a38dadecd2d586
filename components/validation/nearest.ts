/**
 * The candidate that a mistyped word was most likely meant to be: at most two edits away, or a third
 * of the word when it is long. `undefined` when none is that close, or several are equally so.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
    let best: string | undefined;
    let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
    for (const candidate of candidates) {
        const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
        if (distance === bestDistance) best = undefined;
        if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    }
    return best;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function editDistance(a: string, b: string): number {
    let beforeLast: number[] = [];
    let last = Array.from({ length: b.length + 1 }, (_, column) => column);
    for (let row = 1; row <= a.length; row++) {
        const current = [row];
        for (let column = 1; column <= b.length; column++) {
            const same = a[row - 1] === b[column - 1];
            const swapped =
                row > 1 &&
                column > 1 &&
                a[row - 1] === b[column - 2] &&
                a[row - 2] === b[column - 1];
            current[column] = Math.min(
                at(last, column) + 1,
                at(current, column - 1) + 1,
                at(last, column - 1) + (same ? 0 : 1),
                swapped ? at(beforeLast, column - 2) + 1 : Infinity,
            );
        }
        [beforeLast, last] = [last, current];
    }
    return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
    return row[column] ?? Infinity;
}
