// lane: shared, about 240 s
import assert from "node:assert/strict";
import { AppsV1Api, type V1Deployment, type V1ReplicaSet } from "@kubernetes/client-node";
import { releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import { apiImage, LOAD_MS } from "../support/e2e";
import { StrategyStack, watching } from "../support/strategies";

const NAME = "e2e-rolling";
const DEPLOYMENT = "flask-api";
const CHANGE_CAUSE = "kubernetes.io/change-cause";

// One stack goes from state to state: each test starts where the one before ended.
describe("rolling updates under load", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);

    let stack: StrategyStack;

    before(async function () {
        const cluster = await requireCluster.call(this);
        stack = await StrategyStack.open(
            cluster,
            { name: NAME, nodePort: 30_910 },
            {
                "cutover:strategy": "rolling",
                "cutover:current": "1.0.0",
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0"), changeCause: "First release" },
                    "2.0.0": { image: apiImage("2.0.0"), changeCause: "Updating to 2.0.0" },
                    "2.0.2": { image: apiImage("2.0.2-crashes") },
                },
            },
        );
    });

    after(async function () {
        this.timeout(180_000);
        await stack?.close();
    });

    async function deployment(): Promise<V1Deployment> {
        const api = stack.client.makeApiClient(AppsV1Api);
        return api.readNamespacedDeployment({ namespace: NAME, name: DEPLOYMENT });
    }

    /** What `kubectl rollout history` shows: the change cause of each revision, oldest first. */
    async function history(): Promise<(string | undefined)[]> {
        const api = stack.client.makeApiClient(AppsV1Api);
        const { items } = await api.listNamespacedReplicaSet({ namespace: NAME });
        const revision = ({ metadata }: V1ReplicaSet) =>
            Number(metadata?.annotations?.["deployment.kubernetes.io/revision"]);
        return items
            .filter(({ metadata }) => metadata?.ownerReferences?.[0]?.name === DEPLOYMENT)
            .sort((a, b) => revision(a) - revision(b))
            .map(({ metadata }) => metadata?.annotations?.[CHANGE_CAUSE]);
    }

    async function names(): Promise<string[]> {
        const pods = await stack.pods({ app: DEPLOYMENT, deployment: "current" });
        return pods.map(({ metadata }) => metadata?.name ?? "").sort();
    }

    it("deploys one Deployment of three pods, the change cause on it and not on them", async () => {
        await stack.deploy();
        assert.deepEqual((await stack.sizes())[DEPLOYMENT], { wanted: 3, ready: 3 });
        const { metadata, spec } = await deployment();
        assert.deepEqual({ ...spec?.strategy?.rollingUpdate }, { maxSurge: 1, maxUnavailable: 0 });
        assert.equal(metadata?.annotations?.[CHANGE_CAUSE], "First release");
        assert.equal(spec?.template.metadata?.annotations?.[CHANGE_CAUSE], undefined);
    });

    it("restarts no pod for another change cause", async () => {
        const before = await names();
        const { run } = await stack.change("rolling: another change cause", {
            "cutover:releases/1.0.0/changeCause": "First release, once more",
        });
        assert.deepEqual(
            run.changes.map(({ type, name }) => `${type} ${name}`),
            ["kubernetes:apps/v1:Deployment flask-api"],
        );
        assert.deepEqual(await names(), before);
    });

    it("replaces the release pod by pod: never fewer than three ready, one more at most", async () => {
        const { result, watched } = await watching(stack, DEPLOYMENT, () =>
            stack.change("rolling: 1 more, 0 fewer", { "cutover:current": "2.0.0" }),
        );
        assert.deepEqual(watched, { leastAvailable: 3, mostPods: 4 });
        const { samples } = result;
        const last = samples.at(-1)!.start - 1_000;
        assert.deepEqual(releasesSince(samples, "new", last), new Set(["2.0.0"]));
        assert.deepEqual(await history(), ["First release, once more", "Updating to 2.0.0"]);
    });

    it("takes the other documented setting without restarting a pod", async () => {
        await stack.change("rolling: four pods", { "cutover:replicas": 4 });
        const before = await names();
        await stack.change("rolling: setting of 25 %", {
            "cutover:rollingUpdate": { maxSurge: "25%", maxUnavailable: "25%" },
        });
        assert.deepEqual(await names(), before);
        const { spec } = await deployment();
        const quarter = { maxSurge: "25%", maxUnavailable: "25%" };
        assert.deepEqual({ ...spec?.strategy?.rollingUpdate }, quarter);
    });

    it("replaces the release with 25 % more and 25 % fewer", async () => {
        const { result, watched } = await watching(stack, DEPLOYMENT, () =>
            stack.change("rolling: 25 % more, 25 % fewer", { "cutover:current": "1.0.0" }),
        );
        assert.ok(watched.leastAvailable >= 3, `${watched.leastAvailable} of 4 were available`);
        assert.ok(watched.mostPods <= 5, `there were ${watched.mostPods} pods`);
        const last = result.samples.at(-1)!.start - 1_000;
        assert.deepEqual(releasesSince(result.samples, "new", last), new Set(["1.0.0"]));
    });

    it("fails on a broken release, which gets no request, and can go back", async () => {
        const failed = await stack.load.transition("rolling: a broken release", async () => {
            const target = stack.program.target.stack;
            stack.program.configure({ "cutover:current": "2.0.2" });
            await assert.rejects(target.up(), /flask-api/);
            const { sides } = (await stack.output("state")) as State;
            assert.equal(sides.current?.release, "1.0.0");
            stack.program.configure({ "cutover:current": "1.0.0" });
            return target.up();
        });
        const answered = new Set(failed.samples.map(({ release }) => release));
        assert.deepEqual(answered, new Set(["1.0.0"]));
        await stack.program.mustBeUpToDate();
        assert.deepEqual((await stack.sizes())[DEPLOYMENT], { wanted: 4, ready: 4 });
    });
});

interface State {
    sides: Record<string, { release: string }>;
}
