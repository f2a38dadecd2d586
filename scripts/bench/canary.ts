import { API_IMAGES, NGINX_IMAGE } from "../../sandbox/images";
import { deleteNamespace, deploymentsReady } from "../demo/cluster";
import { SMALL } from "./config";
import { LIMITS } from "./limits";
import { CliError } from "../errors";
import { type Row, row } from "./rows";
import { interleaved } from "./samples";
import { openBenchStack } from "./stack";
import type { Bench } from "./types";

const NAMESPACE = "cutover-bench-canary";
const NODE_PORT = "30997";

/** Weights that need the same pods, so that the change is one of the route alone. */
const WEIGHTS = ["20", "30"] as const;

/** A canary pair behind the nginx router: what a change of its weight takes, until all routers have it. */
export async function measureWeightChange(bench: Bench): Promise<Row[]> {
    const { cluster, cleanup, signal, say, rounds } = bench;
    cleanup.add(`delete namespace ${NAMESPACE}`, () => deleteNamespace(cluster, NAMESPACE));
    const stack = await openBenchStack(bench, {
        config: {
            ...SMALL,
            "cutover:namespace": NAMESPACE,
            "cutover:nodePort": NODE_PORT,
            "cutover:strategy": "canary",
            "cutover:routing": "nginx",
            "cutover:router.image": NGINX_IMAGE,
            "cutover:stable": "1.0.0",
            "cutover:canary": "2.0.0",
            'cutover:releases["2.0.0"].image': API_IMAGES["2.0.0"],
            "cutover:canaryWeight": WEIGHTS[0],
        },
    });
    cleanup.add("destroy the canary stack", () => stack.destroy());
    say("deploying a canary pair behind nginx");
    await stack.up();
    await deploymentsReady(cluster, NAMESPACE, signal);
    let runs = 0;
    const change = async (): Promise<number> => {
        const weight = WEIGHTS[++runs % WEIGHTS.length] ?? "";
        await stack.configure({ "cutover:canaryWeight": weight });
        say(`canary weight ${weight}`);
        const { seconds, changes } = await stack.up();
        if (changes.length === 0) throw new CliError("a change of the weight changed nothing");
        return seconds;
    };
    const [seconds = NaN] = await interleaved(rounds, change);
    return [row("weight change, nginx", "s", seconds, LIMITS.weightSeconds)];
}
