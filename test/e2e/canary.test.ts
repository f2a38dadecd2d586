// lane: shared, about 300 s
import assert from "node:assert/strict";
import { CoreV1Api } from "@kubernetes/client-node";
import { releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import { apiImage, type Transition, LOAD_MS } from "../support/e2e";
import { shareOf, StrategyStack } from "../support/strategies";

const NAME = "e2e-canary";
const STABLE = "flask-api-stable";
const CANARY = "flask-api-canary";
/** Requests are spread at random: of 500, a share of 20 % is met within 8 points all but always. */
const POINTS = 8;

// One stack goes from state to state: each test starts where the one before ended.
describe("a canary pair by replica counts under load", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);

    let stack: StrategyStack;

    before(async function () {
        const cluster = await requireCluster.call(this);
        stack = await StrategyStack.open(
            cluster,
            { name: NAME, nodePort: 30_911 },
            {
                "cutover:strategy": "canary",
                "cutover:replicas": 5,
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0") },
                    "2.0.0": { image: apiImage("2.0.0") },
                    "2.0.2": { image: apiImage("2.0.2-crashes") },
                },
                "cutover:stable": "1.0.0",
                "cutover:canary": "2.0.0",
                "cutover:canaryWeight": 0,
            },
        );
    });

    after(async function () {
        this.timeout(180_000);
        await stack?.close();
    });

    /** Asserts the pods of each track: how many are wanted, and that so many carry its label and are ready. */
    async function assertPods(expected: { stable: number; canary: number }): Promise<void> {
        const sizes = await stack.sizes();
        const { stable, canary } = expected;
        assert.deepEqual(sizes[STABLE], { wanted: stable, ready: stable });
        assert.deepEqual(sizes[CANARY], { wanted: canary, ready: canary });
        for (const [track, count] of Object.entries(expected)) {
            assert.equal((await stack.pods({ app: "flask-api", track })).length, count, track);
        }
    }

    /** The share that the canary's release had of the last requests, when everything had settled. */
    function settledShare({ samples, run }: Transition): number {
        return shareOf(samples, "2.0.0", run.to + 1_000);
    }

    function assertOnly(release: string, { samples, run }: Transition): void {
        assert.deepEqual(releasesSince(samples, "new", run.to + 1_000), new Set([release]));
    }

    it("gives a canary of weight 0 no pod", async () => {
        await stack.deploy();
        await assertPods({ stable: 5, canary: 0 });
        assert.deepEqual(await stack.output("weights"), { stable: 100, canary: 0 });
    });

    it("selects both tracks with one Service, each Deployment its own pods only", async () => {
        const api = stack.client.makeApiClient(CoreV1Api);
        const service = await api.readNamespacedService({ namespace: NAME, name: "flask-api-bg" });
        const selector = service.spec?.selector ?? {};
        assert.ok(!("track" in selector), JSON.stringify(selector));
        assert.equal((await stack.pods(selector)).length, 5);
    });

    it("gives it one pod of five at 20 %, and so many requests", async () => {
        const transition = await stack.change("canary: 0 → 20 %", { "cutover:canaryWeight": 20 });
        await assertPods({ stable: 4, canary: 1 });
        const share = settledShare(transition);
        assert.ok(Math.abs(share - 20) <= POINTS, `the canary got ${share.toFixed(1)} %`);
    });

    it("says in preview and output which share it really gets", async () => {
        stack.program.configure({ "cutover:canaryWeight": 30 });
        const preview = await stack.program.preview();
        assert.equal(preview.code, 0, preview.output);
        assert.match(preview.output, /the canary gets 40 % instead of 30 %: 2 of 5 pods/);
        await stack.change("canary: 20 → 30 %", {});
        await assertPods({ stable: 3, canary: 2 });
        assert.deepEqual(await stack.output("weights"), { stable: 60, canary: 40 });
    });

    it("touches no pod for a weight that comes to the same", async () => {
        const { run } = await stack.change("canary: 30 → 40 %", { "cutover:canaryWeight": 40 });
        assert.deepEqual(run.changes, []);
        await assertPods({ stable: 3, canary: 2 });
    });

    it("goes back to the stable release alone", async () => {
        const transition = await stack.change("canary: abort", { "cutover:canaryWeight": 0 });
        await assertPods({ stable: 5, canary: 0 });
        assertOnly("1.0.0", transition);
    });

    it("never takes all pods below 100 %, nor gives none above 0 %", async () => {
        const most = await stack.change("canary: 0 → 99 %", { "cutover:canaryWeight": 99 });
        await assertPods({ stable: 1, canary: 4 });
        assert.ok(Math.abs(settledShare(most) - 80) <= POINTS);
        await stack.change("canary: 99 → 1 %", { "cutover:canaryWeight": 1 });
        await assertPods({ stable: 4, canary: 1 });
    });

    it("leaves the traffic with the stable release when the canary is broken", async () => {
        const broken = await stack.load.transition("canary: a broken release", async () => {
            const target = stack.program.target.stack;
            stack.program.configure({ "cutover:canary": "2.0.2", "cutover:canaryWeight": 40 });
            await assert.rejects(target.up(), /flask-api-canary/);
            stack.program.configure({ "cutover:canary": "2.0.0", "cutover:canaryWeight": 40 });
            return target.up();
        });
        const answered = new Set(broken.samples.map(({ release }) => release));
        assert.deepEqual(answered, new Set(["1.0.0", "2.0.0"]));
    });

    it("promotes the canary's release in one change", async () => {
        const transition = await stack.change("canary: promote", {
            "cutover:stable": "2.0.0",
            "cutover:canaryWeight": 0,
        });
        await assertPods({ stable: 5, canary: 0 });
        assertOnly("2.0.0", transition);
        assert.deepEqual(await stack.output("weights"), { stable: 100, canary: 0 });
    });
});
