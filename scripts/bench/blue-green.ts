import { API_IMAGES } from "../../sandbox/images";
import { type Change, describeChange, movesOnlyTheRoute } from "../demo/changes";
import { deleteNamespace, deploymentsReady } from "../demo/cluster";
import { CliError } from "../errors";
import { SMALL } from "./config";
import { flatten } from "./flat";
import { LIMITS } from "./limits";
import { type Row, row } from "./rows";
import { interleaved } from "./samples";
import { type BenchStack, openBenchStack } from "./stack";
import type { Bench } from "./types";

const NAMESPACE = "cutover-bench";
const NODE_PORT = "30998";

const CONFIG = {
    ...SMALL,
    "cutover:namespace": NAMESPACE,
    "cutover:nodePort": NODE_PORT,
    'cutover:releases["2.0.0"].image': API_IMAGES["2.0.0"],
    "cutover:green": "2.0.0",
};

/** Reading the stack config is no part of the components: by hand it would be read, too. */
const READ_CONFIG = `import { readSettings } from "./config";
readSettings();
`;

/** A blue/green stack with both colors up: what its updates take, and what its components cost. */
export async function measureBlueGreen(bench: Bench): Promise<Row[]> {
    const { cluster, cleanup, signal, say } = bench;
    cleanup.add(`delete namespace ${NAMESPACE}`, () => deleteNamespace(cluster, NAMESPACE));
    const stack = await openBenchStack(bench, { config: CONFIG });
    cleanup.add("destroy the blue/green stack", () => stack.destroy());
    say("deploying a blue/green stack");
    await stack.up();
    await deploymentsReady(cluster, NAMESPACE, signal);
    const rows = await measureUpdates(bench, stack);
    rows.push(await measureComponents(bench, stack));
    return rows;
}

/** No-ops and switches in turn. A switch goes to the other color each time. */
async function measureUpdates({ rounds, say }: Bench, stack: BenchStack): Promise<Row[]> {
    let active = "blue";
    const noOp = async (): Promise<number> => {
        say("no-op up");
        return (await stack.up()).seconds;
    };
    const move = async (): Promise<number> => {
        active = active === "blue" ? "green" : "blue";
        await stack.configure({ "cutover:activeColor": active });
        say(`switch to ${active}`);
        const { seconds, changes } = await stack.up();
        if (!movesOnlyTheRoute(changes)) {
            throw new CliError(`a switch changed more than the route: ${namesOf(changes)}`);
        }
        return seconds;
    };
    const [noOps = NaN, moves = NaN] = await interleaved(rounds, noOp, move);
    return [
        row("no-op up", "s", noOps, LIMITS.noOpSeconds),
        row("switch ÷ no-op up, warm", "ratio", moves / noOps, LIMITS.switchRatio),
    ];
}

/** Previews without a change of both programs: nothing but their own work and the engine's. */
async function measureComponents(bench: Bench, stack: BenchStack): Promise<Row> {
    const { program, state } = flatten(await stack.exported());
    const flat = await openBenchStack(bench, {
        main: "flat.ts",
        files: { "flat.ts": READ_CONFIG + program },
        config: CONFIG,
    });
    await flat.imported(state);
    const preview = (what: string, measured: BenchStack) => async (): Promise<number> => {
        bench.say(`preview, ${what}`);
        const { seconds, changes } = await measured.preview();
        if (changes.length > 0) {
            throw new CliError(`the preview, ${what}, would change: ${namesOf(changes)}`);
        }
        return seconds;
    };
    const [components = NaN, byHand = NaN] = await interleaved(
        bench.rounds,
        preview("components", stack),
        preview("by hand", flat),
    );
    const name = "preview, components ÷ the same resources by hand";
    return row(name, "ratio", components / byHand, LIMITS.componentsRatio);
}

function namesOf(changes: readonly Change[]): string {
    return changes.map(describeChange).join("; ") || "nothing";
}
