import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api, AutoscalingV2Api } from "@kubernetes/client-node";
import { dueBetween, now, releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import { apiImage, LoadedStack, type Transition } from "../support/e2e";
import { until } from "../support/kube";
import { Program } from "../support/program";

const NAME = "e2e-autoscaling";
const MIN = 2;
const MAX = 4;

/**
 * 200 requests a second cost about 100m of CPU in all: four times what two pods aim at. An idle pod
 * takes 7m, so that the two are enough again without the load.
 */
const REQUESTS = { cpu: "25m", memory: "128Mi" };

/** Down after seconds instead of minutes, and at once; up as in the defaults. */
const BEHAVIOR = {
    scaleDown: {
        stabilizationWindowSeconds: 5,
        policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
    },
};

/** metrics-server looks every 10 s, the autoscaler every 15 s, and new pods count after 30 s. */
const SCALES_WITHIN_SECONDS = 120;

// One stack goes from state to state: each test starts where the one before ended.
describe("autoscaling under load", function () {
    this.timeout(240_000);
    this.bail(true);

    let program: Program;
    let load: LoadedStack | undefined;

    before(async function () {
        const cluster = await requireCluster.call(this);
        program = await Program.open(cluster, {
            name: NAME,
            nodePort: 30_920,
            config: {
                'cutover:releases["2.0.0"].image': apiImage("2.0.0"),
                "cutover:green": "2.0.0",
            },
        });
        program.configure({
            "cutover:autoscaling": { minReplicas: MIN, maxReplicas: MAX, behavior: BEHAVIOR },
            "cutover:api/resources/requests": REQUESTS,
        });
    });

    after(async function () {
        this.timeout(180_000);
        await load?.stop();
        await program?.close();
    });

    const client = () => program.target.cluster.client;

    /** Pods that a color's Deployment asks for, and those that are ready. */
    async function sizeOf(color: string): Promise<{ wanted: number; ready: number }> {
        const request = { namespace: NAME, name: `flask-api-${color}` };
        const api = client().makeApiClient(AppsV1Api);
        const { spec, status } = await api.readNamespacedDeployment(request);
        return { wanted: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0 };
    }

    /** Waits until a color has exactly so many pods, all ready. */
    async function scaled(color: string, size: number): Promise<void> {
        await until(`${color} with ${size} pods`, SCALES_WITHIN_SECONDS, async () => {
            const { wanted, ready } = await sizeOf(color);
            return wanted === size && ready === size;
        });
    }

    async function boundsOf(color: string): Promise<[number | undefined, number]> {
        const request = { namespace: NAME, name: `flask-api-${color}-hpa` };
        const api = client().makeApiClient(AutoscalingV2Api);
        const { spec } = await api.readNamespacedHorizontalPodAutoscaler(request);
        return [spec?.minReplicas, spec?.maxReplicas ?? 0];
    }

    /** Changes config, runs `up` under load, and then nothing is left to do. */
    async function change(name: string, config: Record<string, unknown>): Promise<Transition> {
        assert.ok(load, "the load runs");
        const transition = await load.transition(`autoscaling: ${name}`, () => {
            program.configure(config);
            return program.target.stack.up();
        });
        await program.mustBeUpToDate();
        return transition;
    }

    /** The fewest ready pods that a color has until `work` is done, looked at every 100 ms. */
    async function fewestReady<T>(color: string, work: () => Promise<T>): Promise<[T, number]> {
        let fewest = Infinity;
        let over = false;
        const looking = (async () => {
            while (!over) {
                fewest = Math.min(fewest, (await sizeOf(color)).ready);
                await sleep(100);
            }
        })();
        try {
            return [await work(), fewest];
        } finally {
            over = true;
            await looking;
        }
    }

    /** From now on all requests on new connections are answered by `release`. */
    async function assertServes(release: string): Promise<void> {
        const from = now();
        const seen = await load!.prober.until("two seconds of requests", 30_000, (all) =>
            dueBetween(all, from + 2_000, Infinity).length > 0
                ? releasesSince(all, "new", from)
                : undefined,
        );
        assert.deepEqual(seen, new Set([release]));
    }

    it("starts with the least of the live color, and as many warm pods beside it", async () => {
        await program.mustUp();
        await scaled("blue", MIN);
        await scaled("green", MIN);
        assert.deepEqual(await boundsOf("blue"), [MIN, MAX]);
        assert.deepEqual(await boundsOf("green"), [MIN, MIN]);
        await program.mustBeUpToDate();
    });

    it("scales the live color up under load, and only that", async () => {
        load = await LoadedStack.start(program.target);
        await scaled("blue", MAX);
        assert.deepEqual(await sizeOf("green"), { wanted: MIN, ready: MIN });
    });

    it("has nothing to change after it scaled", async () => {
        const { run } = await load!.baseline();
        assert.deepEqual(run.changes, []);
        await program.mustBeUpToDate();
        assert.deepEqual(await sizeOf("blue"), { wanted: MAX, ready: MAX });
    });

    it("switches to a color that first gets as many pods as the live one has", async () => {
        const [, fewest] = await fewestReady("blue", () =>
            change("switch", { "cutover:activeColor": "green", "cutover:capacityFloor": MAX }),
        );
        await assertServes("2.0.0");
        assert.deepEqual(await sizeOf("green"), { wanted: MAX, ready: MAX });
        assert.equal(fewest, MAX, "blue keeps its pods while it may be needed");
    });

    it("lets go of what held the sizes, without moving anything", async () => {
        await change("floor removed", { "cutover:capacityFloor": undefined });
        await assertServes("2.0.0");
        assert.deepEqual(await boundsOf("green"), [MIN, MAX]);
        assert.deepEqual(await boundsOf("blue"), [MIN, MIN]);
        await scaled("blue", MIN);
    });

    it("goes back the same way", async () => {
        await change("back", {
            "cutover:activeColor": "blue",
            "cutover:capacityFloor": MAX,
        });
        await assertServes("1.0.0");
        assert.ok((await sizeOf("blue")).ready >= MAX);
    });

    it("scales down when the load is over, and has nothing to change after it", async () => {
        await change("floor removed again", { "cutover:capacityFloor": undefined });
        await load?.stop();
        load = undefined;
        await scaled("blue", MIN);
        await program.mustBeUpToDate();
        const { changes } = await program.target.stack.up();
        assert.deepEqual(changes, []);
    });
});
