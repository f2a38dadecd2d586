import { CliError } from "../errors";
import { type Row, row } from "./rows";
import { median } from "./samples";
import { openBenchStack } from "./stack";
import type { Bench } from "./types";

const FEW = 5;
const MANY = 50;
/** Hundreds of dry runs each: more rounds would tell little more. */
const ROUNDS = 3;

/**
 * The first preview of a stack with many APIs: it registers all that they are made of, and has the API
 * server try each object. Nothing is created.
 */
export async function measureManyApis(bench: Bench): Promise<Row[]> {
    const [few, many] = [await perApi(bench, FEW), await perApi(bench, MANY)];
    return [row(`preview per API of ${MANY} (limit: per API of ${FEW})`, "s", many, few)];
}

async function perApi(bench: Bench, count: number): Promise<number> {
    const stack = await openBenchStack(bench, {
        main: "scripts/bench/many.ts",
        config: { "cutover:count": String(count) },
    });
    const seconds: number[] = [];
    for (let round = 0; round <= Math.min(bench.rounds, ROUNDS); round++) {
        bench.signal.throwIfAborted();
        bench.say(`preview of ${count} APIs`);
        const run = await stack.preview();
        if (run.changes.length < count) throw new CliError(`only ${run.changes.length} creates`);
        seconds.push(run.seconds);
    }
    // The first one is not counted, as everywhere: it fills caches.
    return median(seconds.slice(1)) / count;
}
