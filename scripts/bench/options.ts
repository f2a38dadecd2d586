import { CliError, ExitCode } from "../errors";

export const MEASURE_NAMES = ["blue-green", "many-apis", "canary"] as const;
export type MeasureName = (typeof MEASURE_NAMES)[number];

/** The bench's flags as commander hands them over. */
export interface BenchFlags {
    rounds?: string;
    only?: string[];
    out?: string;
    json?: boolean;
}

export interface BenchOptions {
    /** Counted runs of each thing that is measured; their median is the figure. */
    rounds: number;
    only: readonly MeasureName[];
    /** Folder for `bench.json`. */
    out: string;
    /** The rows as JSON on standard output, progress on standard error. */
    json: boolean;
}

/** Enough for a median that one slow run does not move. */
const DEFAULT_ROUNDS = 7;

/** @throws CliError naming the flag, what it got and what it expected. */
export function parseOptions(flags: BenchFlags): BenchOptions {
    const rounds = Number(flags.rounds ?? DEFAULT_ROUNDS);
    if (!(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
        throw usage(`--rounds: expected a whole number from 1 to 100, got ${flags.rounds ?? ""}`);
    }
    const unknown = (flags.only ?? []).filter((name) => !isMeasure(name));
    if (unknown.length > 0) {
        throw usage(`--only: expected ${MEASURE_NAMES.join(", ")}, got ${unknown.join(", ")}`);
    }
    return {
        rounds,
        only: flags.only === undefined ? MEASURE_NAMES : flags.only.filter(isMeasure),
        out: flags.out ?? "out",
        json: flags.json ?? false,
    };
}

function isMeasure(name: string): name is MeasureName {
    return (MEASURE_NAMES as readonly string[]).includes(name);
}

function usage(message: string): CliError {
    return new CliError(message, ExitCode.usage);
}
