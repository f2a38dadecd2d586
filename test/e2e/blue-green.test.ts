// lane: exclusive, about 180 s
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { AppsV1Api } from "@kubernetes/client-node";
import { movesOnlyTheRoute } from "../../scripts/demo/changes";
import { type RouteWatch, watchRoutes } from "../../scripts/demo/route-watch";
import { movedAfter, releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import {
    apiImage,
    LoadedStack,
    openTestStack,
    REQUESTS_PER_TRANSITION,
    type TestStack,
    type Transition,
    LOAD_MS,
} from "../support/e2e";

const MINUTE = 60_000;
const NAME = "e2e-blue-green";

// One stack goes from state to state: each test starts where the one before ended.
describe("blue/green under load", function () {
    this.timeout(4 * MINUTE + LOAD_MS);
    this.bail(true);

    let target: TestStack;
    let load: LoadedStack;
    let routes: RouteWatch;

    before(async function () {
        const cluster = await requireCluster.call(this);
        target = await openTestStack(cluster, { name: NAME, nodePort: 30_998 });
    });

    after(async function () {
        this.timeout(3 * MINUTE);
        routes?.stop();
        await load?.stop();
        await target?.destroy();
    });

    /** Sets config, runs `up`, and asserts what holds for every transition. */
    async function change(name: string, config: Record<string, string>): Promise<Transition> {
        const transition = await load.transition(name, async () => {
            await target.stack.configure(config);
            return target.stack.up();
        });
        assert.ok(transition.row.requests >= REQUESTS_PER_TRANSITION);
        return transition;
    }

    async function sizes(): Promise<Record<string, number>> {
        const api = target.cluster.client.makeApiClient(AppsV1Api);
        const { items } = await api.listNamespacedDeployment({ namespace: NAME });
        return Object.fromEntries(
            items.map(({ metadata, status }) => [metadata?.name, status?.readyReplicas ?? 0]),
        );
    }

    /** Asserts that new connections went to `release` within a second of the route's change, for good. */
    function assertMoved({ run, samples }: Transition, release: string): void {
        const change = routes.changes.find(({ at }) => at >= run.from && at <= run.to);
        assert.ok(change, "the route changed during the update");
        const moved = movedAfter(samples, release, change.at);
        assert.ok(moved !== undefined, `new connections reached ${release} and stayed`);
        assert.ok(moved <= 1_000, `new connections reached ${release} after ${moved} ms`);
        const after = releasesSince(samples, "new", change.at + moved);
        assert.deepEqual(after, new Set([release]));
    }

    function assertStayed({ run, samples }: Transition, release: string): void {
        assert.deepEqual(releasesSince(samples, "new", run.from), new Set([release]));
        assert.ok(routes.changes.every(({ at }) => at < run.from || at > run.to));
    }

    it("deploys blue", async () => {
        const run = await target.stack.up();
        assert.ok(run.changes.every(({ op }) => op === "create"));
        assert.equal((await target.stack.outputs()).activeColor?.value, "blue");
        assert.equal((await sizes())["flask-api-blue"], 3);
        load = await LoadedStack.start(target);
        routes = await watchRoutes(target.cluster.client, NAME);
    });

    it("changes nothing when nothing changed", async () => {
        const transition = await load.baseline();
        assert.deepEqual(transition.run.changes, []);
        assertStayed(transition, "1.0.0");
    });

    it("brings green up beside blue without a request to it", async () => {
        const transition = await change("green added", {
            'cutover:releases["2.0.0"].image': apiImage("2.0.0"),
            "cutover:green": "2.0.0",
        });
        assertStayed(transition, "1.0.0");
        assert.deepEqual(await sizes(), { "flask-api-blue": 3, "flask-api-green": 3 });
    });

    it("shows the switch in a preview, which moves nothing", async () => {
        await target.stack.configure({ "cutover:activeColor": "green" });
        const preview = await target.stack.preview();
        assert.ok(movesOnlyTheRoute(preview.changes), JSON.stringify(preview.changes));
        assert.ok(routes.changes.every(({ at }) => at < preview.from));
    });

    it("switches to a warm green by the selector alone", async () => {
        const transition = await change("switch, warm", { "cutover:activeColor": "green" });
        assert.ok(movesOnlyTheRoute(transition.run.changes));
        assertMoved(transition, "2.0.0");
        assert.deepEqual(await sizes(), { "flask-api-blue": 3, "flask-api-green": 3 });
    });

    it("goes back to a warm blue by the selector alone", async () => {
        const transition = await change("back, warm", { "cutover:activeColor": "blue" });
        assert.ok(movesOnlyTheRoute(transition.run.changes));
        assertMoved(transition, "1.0.0");
    });

    it("replaces the release on the idle color without touching the live one", async () => {
        const transition = await change("release replaced on the idle color", {
            'cutover:releases["2.1.0"].image': apiImage("2.0.0"),
            'cutover:releases["2.1.0"].env.RELEASE': "2.1.0",
            "cutover:green": "2.1.0",
        });
        assertStayed(transition, "1.0.0");
        const names = transition.run.changes.map(({ name }) => name);
        assert.ok(!names.some((name) => name.includes("blue")), names.join(", "));
    });

    it("switches to the replaced release", async () => {
        const transition = await change("switch, replaced", { "cutover:activeColor": "green" });
        assertMoved(transition, "2.1.0");
    });

    it("replaces the release on the live color pod by pod", async () => {
        const transition = await change("release replaced on the live color", {
            'cutover:releases["2.2.0"].image': apiImage("2.0.0"),
            'cutover:releases["2.2.0"].env.RELEASE': "2.2.0",
            "cutover:green": "2.2.0",
        });
        const { samples, run } = transition;
        assert.deepEqual(
            releasesSince(samples, "new", samples.at(-1)!.start - 2_000),
            new Set(["2.2.0"]),
        );
        assert.ok(
            routes.changes.every(({ at }) => at < run.from),
            "the route stays",
        );
    });

    it("shrinks the idle color to nothing when it is to be cold", async () => {
        const transition = await change("idle to cold", { "cutover:idle": "cold" });
        assertStayed(transition, "2.2.0");
        assert.deepEqual(await sizes(), { "flask-api-blue": 0, "flask-api-green": 3 });
    });

    it("grows a cold blue, moves the route, then shrinks green", async () => {
        const transition = await change("switch, cold", { "cutover:activeColor": "blue" });
        assertMoved(transition, "1.0.0");
        assert.deepEqual(await sizes(), { "flask-api-blue": 3, "flask-api-green": 0 });
    });

    it("goes back to a cold green the same way", async () => {
        const transition = await change("back, cold", { "cutover:activeColor": "green" });
        assertMoved(transition, "2.2.0");
        assert.deepEqual(await sizes(), { "flask-api-blue": 0, "flask-api-green": 3 });
    });

    it("loses kept-alive connections of the color that shrank, but no request", async () => {
        const { samples } = load.prober;
        const onlyGreen = () => {
            const latest = samples.at(-1)!.start;
            const seen = releasesSince(samples, "keptAlive", latest - 2_000);
            return seen.size === 1 && seen.has("2.2.0");
        };
        // The old pods serve on for their preStop sleep, then drain: 30 s at most in all.
        const deadline = Date.now() + 40_000;
        while (!onlyGreen()) {
            assert.ok(Date.now() < deadline, "kept-alive connections left blue within 40 s");
            await sleep(500);
        }
        assert.equal(samples.filter(({ ok }) => !ok).length, 0);
    });
});
