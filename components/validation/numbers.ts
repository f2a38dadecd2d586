import { show, type Violation } from "./violation";

/** What is wrong with a whole number of at least `least`, if anything; an absent one is right. */
export function wholeNumber(
    path: string,
    value: number | undefined,
    least: number,
    why?: string,
): Violation[] {
    if (value === undefined || (Number.isInteger(value) && value >= least)) return [];
    const expected = `a whole number of at least ${least}${why ? ` ${why}` : ""}`;
    return [{ path, got: show(value), expected }];
}

/** The same for a whole number between two others. */
export function wholeNumberBetween(
    path: string,
    value: number | undefined,
    least: number,
    most: number,
): Violation[] {
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) {
        return [];
    }
    return [{ path, got: show(value), expected: `a whole number from ${least} to ${most}` }];
}
