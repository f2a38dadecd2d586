import Table from "cli-table3";
import colors from "picocolors";

/** One line of `out/bench.json`. */
export interface Row {
    name: string;
    value: number;
    /** `s` for seconds, `ratio` for a quotient of two times. */
    unit: "s" | "ratio";
    /** The value may be as high as this and no higher. */
    limit: number;
}

/** A row with its figures as they are shown; a limit is compared with what is shown. */
export function row(name: string, unit: Row["unit"], value: number, limit: number): Row {
    return { name, value: thousandth(value), unit, limit: thousandth(limit) };
}

export function isBroken({ value, limit }: Row): boolean {
    // A figure that could not be computed keeps no limit either.
    return !(value <= limit);
}

/** The table for the terminal, a broken limit marked. */
export function renderRows(rows: readonly Row[]): string {
    const table = new Table({
        head: ["what", "value", "limit", "unit", ""],
        colAligns: ["left", "right", "right", "left", "left"],
        style: colors.isColorSupported
            ? { head: ["bold"], border: ["gray"], compact: true }
            : { head: [], border: [], compact: true },
    });
    for (const one of rows) {
        const verdict = isBroken(one) ? colors.red("✗ too slow") : colors.green("✓");
        table.push([one.name, one.value.toFixed(3), one.limit.toFixed(3), one.unit, verdict]);
    }
    return table.toString();
}

function thousandth(value: number): number {
    return Math.round(value * 1_000) / 1_000;
}
