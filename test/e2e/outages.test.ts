// lane: shared, about 180 s
import assert from "node:assert/strict";
import { requireCluster } from "../support/cluster";
import { apiImage } from "../support/e2e";
import { Kube, until } from "../support/kube";
import { printed, Program } from "../support/program";

const NAMESPACE = "e2e-outages";
const releases = {
    "1.0.0": { image: apiImage("1.0.0") },
    "2.0.0": { image: apiImage("2.0.0") },
};
const toGreen = { "cutover:activeColor": "green" };
const toBlue = { "cutover:activeColor": "blue" };
/** Bounds alone decide the size: the targets are far above what these small pods use of their requests. */
const boundedBy = (minReplicas: number, maxReplicas: number) => ({
    "cutover:autoscaling": { minReplicas, maxReplicas, cpuPercent: 1_000, memoryPercent: 1_000 },
});
/** An `up` that waits for what it need not wait for takes its whole deadline, 150 s. */
const PROMPT_SECONDS = 60;

// What the naive program does on the real engine in each of these places is named in the titles. One
// stack goes from state to state: each test starts where the one before ended.
describe("outages of the naive program, which this one does not have", function () {
    this.timeout(240_000);
    this.bail(true);
    let program: Program;
    let kube: Kube;
    let service: { uid: string } | undefined;

    before(async function () {
        const cluster = await requireCluster.call(this);
        kube = new Kube(cluster);
        program = await Program.open(cluster, { name: NAMESPACE, nodePort: 30_982 });
        program.configure({
            "cutover:releases": releases,
            "cutover:green": "2.0.0",
            "cutover:replicas": 2,
            // Draining is not what is tried here: 3 s are enough for the endpoints to get around.
            "cutover:api/lifecycle": { preStopSleepSeconds: 3 },
        });
    });

    after(async function () {
        this.timeout(120_000);
        await program?.close();
    });

    const serviceOf = () =>
        kube.get<{ metadata: { uid: string }; spec: { selector: Record<string, string> } }>(
            "v1",
            "Service",
            NAMESPACE,
            "flask-api-bg",
        );

    async function color(): Promise<string | undefined> {
        return (await serviceOf())?.spec.selector.deployment;
    }

    interface Deployment {
        spec: { replicas: number };
        status: { readyReplicas?: number };
    }

    async function sizeOf(side: string): Promise<{ wanted: number; ready: number }> {
        const name = `flask-api-${side}`;
        const found = await kube.get<Deployment>("apps/v1", "Deployment", NAMESPACE, name);
        assert.ok(found);
        return { wanted: found.spec.replicas, ready: found.status.readyReplicas ?? 0 };
    }

    /** An `up` with some config changed for good, under load: any of `answers` may answer. */
    async function change(answers: string[], config: Record<string, unknown>) {
        program.configure(config);
        return program.serving(answers, () => program.mustUp());
    }

    it("kill -9 in the middle of up: the next one says what to do, and that heals it", async () => {
        const killed = program.startUp();
        await printed(killed, /StatefulSet .*creating/, 90);
        await until("the StatefulSet", 30, async () => {
            const set = await kube.get("apps/v1", "StatefulSet", NAMESPACE, "postgres");
            return set !== undefined;
        });
        killed.process.kill("SIGKILL");
        await killed.ended;

        const locked = await program.up();
        assert.notEqual(locked.code, 0);
        assert.equal(locked.errors.length, 1, locked.output);
        assert.match(locked.output, /error: .*locked .*pulumi cancel/s);

        const cancelled = await program.run(["cancel", "--yes"]);
        assert.equal(cancelled.code, 0, cancelled.output);
        const inFlight = await program.up();
        assert.notEqual(inFlight.code, 0);
        const [, urn] = /\* (urn:\S+), interrupted while creating/.exec(inFlight.output) ?? [];
        assert.ok(urn, inFlight.output);
        assert.match(inFlight.output, /run `pulumi refresh`/);

        const found = ["--import-pending-creates", urn, "--import-pending-creates"];
        const refresh = ["refresh", "--yes", "--skip-preview", ...found, `${NAMESPACE}/postgres`];
        const refreshed = await program.run(refresh);
        assert.equal(refreshed.code, 0, refreshed.output);
        await program.mustUp();
        await program.mustBeUpToDate();
        service = { uid: (await serviceOf())?.metadata.uid ?? "" };
        await program.startLoad();
    });

    it("a broken warm idle color does not make every later up wait and fail", async () => {
        const broken = { "3.0.0": { image: apiImage("2.0.2-crashes") } };
        const config = { "cutover:releases": { ...releases, ...broken }, "cutover:green": "3.0.0" };
        const brought = await change(["1.0.0"], config);
        assert.ok(brought.seconds < PROMPT_SECONDS, `took ${brought.seconds} s`);
        const later = await program.serving(["1.0.0"], () => program.mustUp());
        assert.ok(later.seconds < PROMPT_SECONDS, `took ${later.seconds} s`);
    });

    it("outputs and the next plan stay at what is live when an up fails", async () => {
        const failed = await program.serving(["1.0.0"], () =>
            program.with(toGreen, () => program.up()),
        );
        assert.notEqual(failed.code, 0);
        assert.match(failed.output, /before hook .* failed: flask-api-bg stays on blue/);
        assert.equal(await color(), "blue");
        assert.equal(await program.activeColor(), "blue");
        const preview = await program.with(toGreen, () => program.preview());
        assert.match(preview.output, /blue → green/);
    });

    it("an idle color at 0 grows before it gets the traffic, there and back", async () => {
        const config = { "cutover:green": "2.0.0", "cutover:idle": "cold" };
        await change(["1.0.0"], config);
        assert.equal((await sizeOf("green")).wanted, 0);
        await change(["1.0.0", "2.0.0"], toGreen);
        assert.deepEqual(await sizeOf("green"), { wanted: 2, ready: 2 });
        assert.equal((await sizeOf("blue")).wanted, 0);
        assert.equal(await color(), "green");
        await change(["1.0.0", "2.0.0"], toBlue);
        assert.deepEqual(await sizeOf("blue"), { wanted: 2, ready: 2 });
        assert.equal(await color(), "blue");
    });

    it("an idle color scaled to 0 behind an autoscaler's back does not get the traffic", async () => {
        await change(["1.0.0"], { "cutover:idle": undefined, ...boundedBy(1, 3) });
        await until("green's pods", 60, async () => (await sizeOf("green")).ready > 0);
        await kube.patch({
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "flask-api-green", namespace: NAMESPACE },
            spec: { replicas: 0 },
        });
        const failed = await program.serving(["1.0.0"], () =>
            program.with(toGreen, () => program.up()),
        );
        assert.notEqual(failed.code, 0, failed.output);
        assert.match(failed.output, /stays on blue: Deployment flask-api-green is scaled to 0/);
        assert.ok(failed.seconds < PROMPT_SECONDS, `took ${failed.seconds} s`);
        assert.equal(await color(), "blue");
        await kube.patch({
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "flask-api-green", namespace: NAMESPACE },
            spec: { replicas: 1 },
        });
    });

    it("a Deployment that an autoscaler scaled can become idle, and live again", async () => {
        // More than blue has, so that it is the autoscaler that brings the third pod.
        await change(["1.0.0"], boundedBy(3, 4));
        assert.deepEqual(await sizeOf("blue"), { wanted: 3, ready: 3 });
        assert.deepEqual(await scalers("blue"), ["kube-controller-manager"]);
        await change(["1.0.0", "2.0.0"], toGreen);
        await program.mustBeUpToDate();
        await change(["1.0.0", "2.0.0"], toBlue);
        await change(["1.0.0"], { "cutover:autoscaling": undefined });
        await program.mustBeUpToDate();
    });

    /** Who has changed the size of a color other than the program. */
    async function scalers(side: string): Promise<string[]> {
        const found = await kube.get<{
            metadata: { managedFields: { manager: string; subresource?: string }[] };
        }>("apps/v1", "Deployment", NAMESPACE, `flask-api-${side}`);
        return (found?.metadata.managedFields ?? [])
            .filter(({ subresource }) => subresource === "scale")
            .map(({ manager }) => manager);
    }

    it("what would give the public Service another name or URN is refused", async () => {
        const changes = {
            "cutover:name": "other-api",
            "cutover:serviceName": "other",
            "cutover:namespace": "e2e-elsewhere",
            "cutover:servicePort": 9998,
        };
        for (const [key, value] of Object.entries(changes)) {
            const outcome = await program.serving(["1.0.0"], () =>
                program.with({ [key]: value }, () => program.preview()),
            );
            assert.notEqual(outcome.code, 0, `${key} was not refused`);
            assert.match(
                outcome.output,
                new RegExp(`${key}: got ${JSON.stringify(value)}, expected `),
            );
        }
    });

    it("the public Service is the same object after all of that", async () => {
        assert.equal((await serviceOf())?.metadata.uid, service?.uid);
        assert.equal(await color(), "blue");
    });

    it("what destroy keeps does not stop the next up", async () => {
        const destroyed = await program.run(["destroy", "--yes", "--skip-preview"]);
        assert.equal(destroyed.code, 0, destroyed.output);
        assert.equal(await serviceOf(), undefined);
        const claims = await kube.list("v1", "PersistentVolumeClaim", NAMESPACE);
        assert.equal(claims.length, 1);
        await program.mustUp();
        assert.equal(await color(), "blue");
    });
});
