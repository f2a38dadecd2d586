// lane: shared, about 240 s
import assert from "node:assert/strict";
import path from "node:path";
import { requireCluster, type Cluster } from "../support/cluster";
import { apiImage } from "../support/e2e";
import { Kube, until } from "../support/kube";
import { printed, Program } from "../support/program";
import { redirectKubeconfig, serverOf, startTcpProxy, type TcpProxy } from "../support/tcp-proxy";

const NAMESPACE = "e2e-bad-input";
const OLD = ["1.0.0"];
/** An `up` that waited for what it need not wait for would take its whole deadline, 150 s. */
const PROMPT_SECONDS = 60;

const release = (image: string, env?: Record<string, string>) => ({ image, ...(env && { env }) });
const goodGreen = {
    "cutover:releases": {
        "1.0.0": release(apiImage("1.0.0")),
        "2.0.0": release(apiImage("2.0.0")),
    },
    "cutover:green": "2.0.0",
};
/** Green with a release of its own beside the good ones. */
const greenWith = (name: string, image: string, env?: Record<string, string>) => ({
    "cutover:releases": { ...goodGreen["cutover:releases"], [name]: release(image, env) },
    "cutover:green": name,
});
/** Draining is not what is tried here: a sleep of 3 s is enough for the endpoints to get around. */
const quickToEnd = { "cutover:api/lifecycle": { preStopSleepSeconds: 3 } };
const toGreen = { "cutover:activeColor": "green" };

describe("bad input, under load: the old color keeps serving", function () {
    this.timeout(300_000);
    let cluster: Cluster;
    let program: Program;
    let kube: Kube;

    before(async function () {
        cluster = await requireCluster.call(this);
        kube = new Kube(cluster);
        program = await Program.open(cluster, { name: NAMESPACE, nodePort: 30_981 });
        program.configure({ ...goodGreen, ...quickToEnd, "cutover:replicas": 2 });
        await program.mustUp();
        await program.startLoad();
    });

    after(async function () {
        this.timeout(120_000);
        await program?.close();
    });

    interface Pod {
        metadata: { name: string; labels: Record<string, string>; deletionTimestamp?: string };
        status: {
            containerStatuses?: {
                restartCount: number;
                state: { waiting?: { reason: string }; running?: { startedAt: string } };
            }[];
        };
    }

    async function podsOf(version: string): Promise<Pod[]> {
        const pods = await kube.list<Pod>("v1", "Pod", NAMESPACE);
        return pods.filter(
            ({ metadata }) =>
                metadata.labels.version === version && metadata.deletionTimestamp === undefined,
        );
    }

    async function route(): Promise<{ color: string | undefined; version: string }> {
        const service = await kube.get<{
            metadata: { resourceVersion: string };
            spec: { selector: Record<string, string> };
        }>("v1", "Service", NAMESPACE, "flask-api-bg");
        assert.ok(service);
        const { metadata, spec } = service;
        return { color: spec.selector.deployment, version: metadata.resourceVersion };
    }

    /** The one error of a command that had to fail while the old color served every request. */
    async function refusal(
        changes: Record<string, unknown>,
        command: () => Promise<{ code: number | null; output: string; errors: string[] }>,
    ): Promise<string> {
        const before = await route();
        const outcome = await program.serving(OLD, () => program.with(changes, command));
        assert.notEqual(outcome.code, 0, outcome.output);
        assert.equal(outcome.errors.length, 1, `one error, got:\n${outcome.output}`);
        assert.doesNotMatch(outcome.output, /^\s+at .*\.[jt]s:\d+/m, "no stack trace");
        assert.deepEqual(await route(), before, "the route was not touched");
        return outcome.output;
    }

    describe("idle color that never gets ready", () => {
        it("does not hold up the up that brings it, nor the next", async () => {
            program.configure(greenWith("2.0.1", apiImage("2.0.1-never-ready")));
            const first = await program.serving(OLD, () => program.mustUp());
            assert.ok(first.seconds < PROMPT_SECONDS, `took ${first.seconds} s`);
            const second = await program.serving(OLD, () =>
                program.with({ "cutover:replicas": 3 }, () => program.mustUp()),
            );
            assert.ok(second.seconds < PROMPT_SECONDS, `took ${second.seconds} s`);
            await program.mustUp();
        });
    });

    describe("stack config that makes no sense", () => {
        const cases: Record<string, { config: Record<string, unknown>; says: RegExp[] }> = {
            "an unknown color": {
                config: { "cutover:activeColor": "purple" },
                says: [/cutover:activeColor: got "purple", expected "blue" or "green"/],
            },
            "an unknown release": {
                config: { "cutover:blue": "1.0.00" },
                says: [
                    /cutover:blue: got "1\.0\.00", expected one of .*; did you mean "1\.0\.0"\?/,
                ],
            },
            "a live side at zero": {
                config: { "cutover:replicas": 0 },
                says: [/cutover:replicas: got 0, .*the live side must never be at zero/],
            },
            "a live side without a release": {
                config: { ...toGreen, "cutover:green": undefined },
                says: [/cutover:activeColor: got "green", .*the live side must never be at zero/],
            },
            "autoscaling with a cold idle color": {
                config: { "cutover:autoscaling": {}, "cutover:idle": "cold" },
                says: [/cutover:idle: got "cold", expected .* with autoscaling/],
            },
            "a wrong type that Pulumi.yaml declares": {
                config: { "cutover:namespace": { name: "x" } },
                says: [/'cutover:namespace' must be of type 'string'/],
            },
            "wrong types that it cannot declare, all named at once": {
                config: {
                    "cutover:nodePort": "high",
                    "cutover:replicas": "three",
                    "cutover:api": "fast",
                    "cutover:releases": { "1.0.0": { image: 1 } },
                },
                says: [
                    /cutover:nodePort: got "high", expected a number/,
                    /cutover:replicas: got "three", expected a number/,
                    /cutover:api: got "fast"/,
                    /cutover:releases.*image: got 1/,
                ],
            },
            "unknown keys, with the nearest known ones": {
                config: { "cutover:activeColour": "green", "cutover:api": { probs: {} } },
                says: [/cutover:activeColour: .*cutover:activeColor/, /cutover:api.*probs.*probes/],
            },
            "no context": {
                config: { "kubernetes:context": undefined },
                says: [/kubernetes:context: .*never guessed/],
            },
        };
        for (const [name, { config, says }] of Object.entries(cases)) {
            it(name, async () => {
                const output = await refusal(config, () => program.up());
                for (const line of says) assert.match(output, line);
            });
        }
    });

    describe("no way to the cluster", () => {
        it("no kubeconfig", async () => {
            const output = await refusal({ ...toGreen }, () =>
                program.up({ KUBECONFIG: "/nowhere/kubeconfig" }),
            );
            assert.match(output, /error: .*\/nowhere\/kubeconfig/);
        });

        it("a context that the kubeconfig does not have", async () => {
            const output = await refusal({ ...toGreen, "kubernetes:context": "prod" }, () =>
                program.up(),
            );
            assert.match(output, /error: .*context.*prod/);
        });
    });

    describe("target that never gets ready", () => {
        it("is refused with the pod's reason before the deadline", async () => {
            const output = await refusal({ ...toGreen }, async () => {
                const outcome = await program.up();
                assert.ok(outcome.seconds < 100, `took ${outcome.seconds} s`);
                return outcome;
            });
            assert.match(output, /flask-api-bg stays on blue: pod flask-api-green-\S+: container/);
            assert.match(output, /green has 0 of 2 ready pods/);
            assert.match(output, /Readiness probe failed: .*503/);
            assert.equal(await program.activeColor(), "blue");
        });

        it("is refused in preview, once it has failed for long", async () => {
            await until("pods that were not ready for 75 s", 90, async () => {
                const pods = await podsOf("2.0.1");
                const started = pods.map(({ status }) =>
                    Date.parse(status.containerStatuses?.[0]?.state.running?.startedAt ?? ""),
                );
                return started.length > 0 && started.every((at) => Date.now() - at > 76_000);
            });
            const output = await refusal({ ...toGreen }, () => program.preview());
            assert.match(
                output,
                /this update keeps what fails in green; release a fix to it first/,
            );
        });

        it("passes once a fix is released to it in the same up", async () => {
            const switched = await program.serving([...OLD, "2.0.0"], () =>
                program.with({ ...goodGreen, ...toGreen }, () => program.mustUp()),
            );
            assert.ok(switched.seconds < PROMPT_SECONDS, `took ${switched.seconds} s`);
            assert.equal((await route()).color, "green");
            program.configure(goodGreen);
            await program.serving([...OLD, "2.0.0"], () => program.mustUp());
        });
    });

    describe("target that died after it was deployed", () => {
        it("is refused, in preview and in up", async () => {
            const env = { FAULT: "crash", FAULT_CRASH_AFTER_SECONDS: "4" };
            program.configure(greenWith("2.0.2", apiImage("2.0.0"), env));
            await program.serving(OLD, () => program.mustUp());
            // From the third restart on it waits 40 s and more between two tries.
            await until("the crash loop of green", 150, async () => {
                const statuses = (await podsOf("2.0.2")).map(
                    ({ status }) => status.containerStatuses?.[0],
                );
                return statuses.every(
                    (status) =>
                        (status?.restartCount ?? 0) >= 3 &&
                        status?.state.waiting?.reason === "CrashLoopBackOff",
                );
            });
            const preview = await refusal({ ...toGreen }, () => program.preview());
            assert.match(preview, /this update keeps what fails in green/);
            assert.match(preview, /CrashLoopBackOff: container flask-api restarted \d+ times/);
            const up = await refusal({ ...toGreen }, () => program.up());
            assert.match(
                up,
                /flask-api-bg stays on blue: pod flask-api-green-\S+: CrashLoopBackOff/,
            );
        });
    });

    describe("image that does not exist, and a second up at the same time", () => {
        it("fails with the pull's error, and the other with the lock", async () => {
            const broken = greenWith("3.0.0", apiImage("2.0.0").replace(/:.*$/, ":no-such-tag"));
            const output = await refusal({ ...broken, ...toGreen }, async () => {
                const first = program.startUp();
                await printed(first, /waiting for green/);
                const second = await program.up();
                assert.notEqual(second.code, 0);
                assert.match(second.output, /locked/);
                assert.equal(second.errors.length, 1, second.output);
                assert.ok(second.seconds < 20, `took ${second.seconds} s`);
                const outcome = await first.ended;
                assert.ok(outcome.seconds < PROMPT_SECONDS, `took ${outcome.seconds} s`);
                return outcome;
            });
            assert.match(output, /(ErrImagePull|ImagePullBackOff): .*no-such-tag/);
            program.configure(goodGreen);
            await program.serving(OLD, () => program.mustUp());
        });
    });

    describe("API server that goes away in the middle", () => {
        let proxy: TcpProxy;
        let env: Record<string, string>;

        before(async () => {
            proxy = await startTcpProxy(serverOf(cluster.kubeconfig, cluster.context));
            const copy = path.join(program.target.scratch.folder, "kubeconfig-proxied");
            redirectKubeconfig(cluster.kubeconfig, cluster.context, proxy.port, copy);
            env = { KUBECONFIG: copy };
        });
        after(() => proxy?.close());

        it("for good: up fails, and the next one does what it could not", async () => {
            const more = { "cutover:replicas": 3 };
            const output = await refusal({ ...more }, async () => {
                const running = program.startUp(env);
                await printed(running, /previous read\b/);
                proxy.cut();
                return running.ended;
            });
            assert.match(output, /error: .*(127\.0\.0\.1|ECONN|API server)/);
            proxy.restore();
            await program.serving(OLD, () => program.mustUp());
            await program.mustBeUpToDate();
        });

        it("for a moment, while the gate waits: up goes on when it is back", async () => {
            const slow = greenWith("2.1.0", apiImage("2.0.0"), { RELEASE: "2.1.0" });
            const outcome = await program.serving([...OLD, "2.1.0"], () =>
                program.with({ ...slow, ...toGreen }, async () => {
                    const running = program.startUp(env);
                    await printed(running, /waiting for green/);
                    proxy.cut();
                    await printed(running, /does not answer/);
                    proxy.restore();
                    return running.ended;
                }),
            );
            assert.equal(outcome.code, 0, outcome.output);
            assert.equal((await route()).color, "green");
        });
    });
});
