/** What one mocha process reported. */
export interface Counts {
    passes: number;
    failures: number;
    skipped: string[];
}

/** How a job ended. */
export interface JobResult {
    name: string;
    counts: Counts;
    /** Why it counts as a failure although no test failed: it died, was late, or ran no test. */
    broke?: string;
    seconds: number;
}

/** The lines that close a run, and how many failures it had. */
export interface Summary {
    lines: string[];
    failed: number;
}

/**
 * Adds up a run. A job that proved nothing must not read as one that passed; a skipped test is no
 * pass, and in CI a failure.
 */
export function summarize(results: readonly JobResult[], inCi: boolean): Summary {
    const skipped = results.flatMap(({ counts }) => counts.skipped);
    const passed = results.reduce((sum, { counts }) => sum + counts.passes, 0);
    const failures = results.reduce((sum, { counts }) => sum + counts.failures, 0);
    const broken = results.filter(({ broke }) => broke !== undefined).length;
    const failed = failures + broken + (inCi ? skipped.length : 0);
    const titles = [
        `Skipped (${inCi ? "a failure in CI" : "not a pass"}):`,
        ...skipped.map((title) => `  ${title}`),
        "",
    ];
    const note = skipped.length > 0 && !inCi ? `, ${skipped.length} skipped` : "";
    return {
        lines: [
            ...(skipped.length > 0 ? titles : []),
            ...results.map(describe),
            "",
            `${passed} passed, ${failed} failed${note}`,
        ],
        failed,
    };
}

/** One line. */
export function describe({ name, counts, broke, seconds }: JobResult): string {
    const { passes, failures } = counts;
    const end = broke === undefined ? "" : `, ${broke}`;
    return `${name}: ${passes} passed, ${failures} failed (${seconds.toFixed(1)} s)${end}`;
}
