import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import * as sandbox from "../../sandbox";
import { loadImages } from "../../sandbox/images";
import { Cleanup, onInterrupt } from "../demo/cleanup";
import { connect } from "../demo/cluster";
import { resolveEngine } from "../engine";
import { ExitCode } from "../errors";
import { type Progress, silentProgress } from "../progress";
import { measureBlueGreen } from "./blue-green";
import { measureWeightChange } from "./canary";
import { measureManyApis } from "./many-apis";
import type { BenchOptions, MeasureName } from "./options";
import { isBroken, renderRows, type Row } from "./rows";
import type { Bench } from "./types";

const ROOT = path.join(__dirname, "..", "..");

const MEASURES: Record<MeasureName, { title: string; run: (bench: Bench) => Promise<Row[]> }> = {
    "blue-green": { title: "no-op, switch, cost of the components", run: measureBlueGreen },
    "many-apis": { title: "a stack with many APIs", run: measureManyApis },
    canary: { title: "weight change", run: measureWeightChange },
};

/**
 * Measures on the sandbox, which is taken down at the end if it was not running before, and writes
 * `bench.json`: rows of name, value, unit and limit. Returns the exit code: 1 when a limit is broken.
 *
 * @throws CliError when something cannot be measured, or was interrupted
 */
export async function runBench(options: BenchOptions, progress: Progress): Promise<ExitCode> {
    const print = options.json ? console.error : console.log;
    const interrupt = onInterrupt(() => print("cleaning up; this ends by itself"));
    const cleanup = new Cleanup();
    const rows: Row[] = [];
    try {
        const started = !(await sandbox.status()).running;
        if (started) cleanup.add("take the sandbox down", () => sandbox.down(silentProgress));
        const { signal } = interrupt;
        const info = await sandbox.up(progress, { signal });
        await loadImages(info, progress, { signal });
        const cluster = await connect(info.context, info.kubeconfig);
        const engine = await resolveEngine();
        for (const name of options.only) {
            const { title, run } = MEASURES[name];
            const own = new Cleanup();
            const found = await progress.step(title, async (say) => {
                const bench = { ...{ root: ROOT, engine, cluster, signal, say }, cleanup: own };
                try {
                    return await run({ ...bench, rounds: options.rounds });
                } finally {
                    // Its pods must not share the node with the next measurement's.
                    for (const failure of await own.run(say)) print(`could not ${failure}`);
                }
            });
            rows.push(...found);
        }
        await mkdir(options.out, { recursive: true });
        await writeFile(path.join(options.out, "bench.json"), toJson(rows));
    } catch (error) {
        throw interrupt.signal.aborted ? interrupt.signal.reason : error;
    } finally {
        for (const failure of await cleanup.run()) print(`could not ${failure}`);
        interrupt.dispose();
    }
    console.log(options.json ? toJson(rows).trimEnd() : renderRows(rows));
    print(`written: ${path.join(options.out, "bench.json")}`);
    return rows.some(isBroken) ? ExitCode.failed : ExitCode.done;
}

function toJson(rows: readonly Row[]): string {
    return `${JSON.stringify(rows, undefined, 2)}\n`;
}
