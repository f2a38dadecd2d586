import assert from "node:assert/strict";
import fc from "fast-check";
import type { Deployment, Pod } from "../../components/gate/reader";
import type { GateTarget } from "../../components/gate";
import { judgeTarget, readSide, type Verdict } from "../../components/gate/target";
import {
    at,
    deployment,
    FakeCluster,
    gateSpec,
    greenTarget,
    pod,
    START,
    waitingPod,
} from "../support/fake-cluster";

const { namespace } = gateSpec();
const target = greenTarget();

async function judge(
    pods: Pod[],
    options: {
        deployment?: Deployment;
        seenSince?: Map<string, number>;
        needed?: number;
        target?: Partial<GateTarget>;
    } = {},
): Promise<Verdict> {
    const cluster = new FakeCluster();
    cluster.pods = pods;
    if (options.deployment) cluster.deployments = [options.deployment];
    const state = await readSide(cluster, namespace, target);
    assert.ok(state);
    return judgeTarget(
        state,
        { ...target, ...options.target, neededReady: options.needed ?? target.neededReady },
        { deadlineSeconds: 120, seenSince: options.seenSince ?? new Map() },
    );
}

const three = [pod("a"), pod("b"), pod("c")];

describe("gate: ready pods of the target", () => {
    const cases: { name: string; pods: Pod[]; ready: number }[] = [
        { name: "counts ready pods", pods: three, ready: 3 },
        {
            name: "not a pod that is ready but terminating",
            pods: [pod("a"), pod("b"), pod("c", { terminating: true })],
            ready: 2,
        },
        {
            name: "not a running pod whose Ready condition is false",
            pods: [pod("a"), pod("b"), pod("c", { ready: false, startedSecondsAgo: 1 })],
            ready: 2,
        },
        {
            name: "not a pod without conditions",
            pods: [pod("a"), pod("b"), pod("c", { conditions: [], startedSecondsAgo: 1 })],
            ready: 2,
        },
        {
            name: "not the other color's pods",
            pods: [pod("a"), pod("x", { color: "blue" }), pod("y", { color: "blue" })],
            ready: 1,
        },
        {
            name: "not ready pods that a stuck rollout left on the older template",
            pods: [pod("a", { hash: "v0" }), pod("b", { hash: "v0" }), pod("c", { hash: "v0" })],
            ready: 0,
        },
    ];
    for (const { name, pods, ready } of cases) {
        it(name, async () => {
            const verdict = await judge(pods);
            assert.equal(verdict.ready, ready);
            assert.equal(verdict.kind, ready >= 3 ? "ready" : "waiting");
        });
    }

    it("lets pods of an older template be, unless they say something else", async () => {
        const older = [...three, pod("d", { hash: "v0" })];
        const draining = [...three, pod("d", { hash: "v0", terminating: true })];
        const kind = async (pods: Pod[], changes: Partial<GateTarget>) =>
            (await judge(pods, { target: changes })).kind;
        assert.equal(await kind(older, {}), "ready");
        assert.equal(await kind(older, { exclusive: true }), "waiting");
        assert.equal(await kind(draining, { exclusive: true }), "ready");
        assert.equal(await kind(draining, { alone: true }), "waiting");
        assert.equal(await kind(three, { exclusive: true, alone: true }), "ready");
        const { kind: _kind, ...verdict } = await judge(older, { target: { exclusive: true } });
        assert.deepEqual(verdict, {
            ready: 3,
            because: "1 pods of an older template are still there",
        });
    });

    it("counts no pod before the controller has seen the newest spec", async () => {
        const stale = deployment("green", { status: { observedGeneration: 3 } });
        const verdict = await judge(three, { deployment: stale });
        assert.deepEqual(verdict, {
            kind: "waiting",
            ready: 0,
            because: "Deployment api-green was changed and has no pods of its newest template yet",
        });
    });

    it("passes as soon as enough are ready, whatever ails the surplus", async () => {
        const verdict = await judge([...three, waitingPod("d", "InvalidImageName")]);
        assert.equal(verdict.kind, "ready");
    });

    it("passes exactly when the ready pods reach what is needed", () =>
        fc.assert(
            fc.asyncProperty(
                fc.array(fc.boolean(), { maxLength: 8 }),
                fc.integer({ min: 1, max: 8 }),
                async (readiness, needed) => {
                    const pods = readiness.map((ready, index) =>
                        pod(`p${index}`, { ready, startedSecondsAgo: 1 }),
                    );
                    const verdict = await judge(pods, { needed });
                    const ready = readiness.filter(Boolean).length;
                    assert.equal(verdict.kind === "ready", ready >= needed);
                    assert.equal(verdict.ready, ready);
                },
            ),
        ));
});

describe("gate: a target that will not get ready", () => {
    const crashed = { terminated: { exitCode: 1, reason: "Error" } };
    const condition = (type: string, status: string, reason: string, message: string) =>
        deployment("green", {
            status: { observedGeneration: 4, conditions: [{ type, status, reason, message }] },
        });
    const cases: {
        name: string;
        pods?: Pod[];
        deployment?: Deployment;
        because: string;
        /** Seconds after which it is final, by what the gate itself has seen. */
        finalAfter: number;
        key: string;
    }[] = [
        {
            name: "an image name that is none",
            pods: [waitingPod("a", "InvalidImageName")],
            because: "pod a: InvalidImageName: InvalidImageName said",
            finalAfter: 0,
            key: "a/api/image",
        },
        {
            name: "an image that cannot be pulled",
            pods: [waitingPod("a", "ErrImagePull")],
            because: "pod a: ErrImagePull: ErrImagePull said",
            finalAfter: 10,
            key: "a/api/image",
        },
        {
            name: "an image in back-off",
            pods: [waitingPod("a", "ImagePullBackOff")],
            because: "pod a: ImagePullBackOff: ImagePullBackOff said",
            finalAfter: 10,
            key: "a/api/image",
        },
        {
            name: "a missing Secret",
            pods: [waitingPod("a", "CreateContainerConfigError")],
            because: "pod a: CreateContainerConfigError: CreateContainerConfigError said",
            finalAfter: 10,
            key: "a/api/config",
        },
        {
            name: "a first crash",
            pods: [
                waitingPod("a", "CrashLoopBackOff", {
                    container: { restartCount: 1, lastState: crashed },
                }),
            ],
            because:
                "pod a: CrashLoopBackOff: container api restarted 1 times, last exit code 1 (Error)",
            finalAfter: 10,
            key: "a/api/crash",
        },
        {
            name: "a crash loop",
            pods: [
                waitingPod("a", "CrashLoopBackOff", {
                    container: { restartCount: 3, lastState: crashed },
                }),
            ],
            because:
                "pod a: CrashLoopBackOff: container api restarted 3 times, last exit code 1 (Error)",
            finalAfter: 0,
            key: "a/api/crash",
        },
        {
            name: "a quota or Pod Security refusal",
            deployment: condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: pods"),
            because: "Deployment api-green: FailedCreate: exceeded quota: pods",
            finalAfter: 10,
            key: "api-green/refused",
        },
        {
            name: "a rollout past its progress deadline",
            deployment: condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out"),
            because: "Deployment api-green: ProgressDeadlineExceeded: timed out",
            finalAfter: 0,
            key: "api-green/stalled",
        },
        {
            name: "a Deployment that somebody scaled to 0",
            deployment: deployment("green", {
                spec: { replicas: 0, template: { spec: { containers: [] } } },
            }),
            because: "Deployment api-green is scaled to 0 (an autoscaler leaves it there too)",
            finalAfter: 10,
            key: "api-green/zero",
        },
    ];
    for (const { name, pods = [], because, finalAfter, key, ...rest } of cases) {
        it(`${name} is final after ${finalAfter} s`, async () => {
            const seen = (seconds: number) => new Map([[key, START - seconds * 1000]]);
            const final = await judge(pods, { ...rest, seenSince: seen(finalAfter) });
            assert.deepEqual(final, { kind: "failed", ready: 0, because });
            if (finalAfter === 0) return;
            const early = await judge(pods, { ...rest, seenSince: seen(finalAfter - 0.5) });
            assert.deepEqual(early, { kind: "waiting", ready: 0, because });
        });
    }

    it("an image in back-off for long is final at first sight", async () => {
        const verdict = await judge([
            waitingPod("a", "ImagePullBackOff", { startedSecondsAgo: 40 }),
        ]);
        assert.equal(verdict.kind, "failed");
    });

    it("a container that ran for days and just lost its image is not", async () => {
        const verdict = await judge([
            waitingPod("a", "ImagePullBackOff", {
                startedSecondsAgo: 200_000,
                conditions: [{ type: "Ready", status: "False", lastTransitionTime: at(-3) }],
            }),
        ]);
        assert.equal(verdict.kind, "waiting");
    });

    it("a container that runs for half the deadline without being ready is final", async () => {
        const unready = (startedSecondsAgo: number) =>
            judge([pod("a", { ready: false, startedSecondsAgo })]);
        assert.deepEqual(await unready(59), {
            kind: "waiting",
            ready: 0,
            because: "pod a: container api runs but is not ready",
        });
        assert.equal((await unready(60)).kind, "failed");
    });

    it("a container behind its startup probe is waited for", async () => {
        const verdict = await judge([
            pod("a", {
                ready: false,
                startedSecondsAgo: 500,
                container: { ready: false, started: false },
            }),
        ]);
        assert.equal(verdict.kind, "waiting");
    });

    it("pods in a crash loop do not count in the moments in which they are ready", async () => {
        const looping = (name: string, startedSecondsAgo: number) =>
            pod(name, {
                startedSecondsAgo,
                container: { restartCount: 2, lastState: { terminated: { exitCode: 1 } } },
            });
        const crashed = await judge([looping("a", 3), looping("b", 3), looping("c", 3)]);
        assert.deepEqual(crashed, {
            kind: "waiting",
            ready: 0,
            because:
                "pod a: ready only just now: container api restarted 2 times, last exit code 1 (no reason)",
        });
        const recovered = await judge([looping("a", 10), looping("b", 10), looping("c", 10)]);
        assert.equal(recovered.kind, "ready");
    });

    it("a pod that no node has room for is waited for, and named", async () => {
        const conditions = [
            {
                type: "PodScheduled",
                status: "False",
                reason: "Unschedulable",
                message: "0/1 nodes",
            },
        ];
        const verdict = await judge([
            pod("a", { ready: false, conditions, container: { state: {} } }),
        ]);
        assert.deepEqual(verdict, {
            kind: "waiting",
            ready: 0,
            because: "pod a: Unschedulable: 0/1 nodes",
        });
    });

    it("past the progress deadline, a pod's own reason is named instead", async () => {
        const verdict = await judge([pod("a", { ready: false, startedSecondsAgo: 1 })], {
            deployment: condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out"),
        });
        assert.deepEqual(verdict, {
            kind: "failed",
            ready: 0,
            because: "pod a: container api runs but is not ready",
        });
    });

    it("conditions about an older spec are not held against the newest", async () => {
        const old = condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out");
        old.status = { ...old.status, observedGeneration: 3 };
        assert.equal((await judge([], { deployment: old })).kind, "waiting");
    });

    it("a failing pod of an older template is not held against the newest", async () => {
        const verdict = await judge([waitingPod("a", "InvalidImageName", { hash: "v0" })]);
        assert.deepEqual(verdict, { kind: "waiting", ready: 0, because: "pods are starting" });
    });

    it("a Deployment that is too small is named", async () => {
        const small = deployment("green", {
            spec: { replicas: 1, template: { spec: { containers: [] } } },
        });
        const verdict = await judge([pod("a")], { deployment: small });
        assert.deepEqual(verdict, {
            kind: "waiting",
            ready: 1,
            because: "Deployment api-green is scaled to 1",
        });
    });

    it("a Deployment that is not there is told apart from an empty one", async () => {
        const cluster = new FakeCluster();
        cluster.deployments = [];
        assert.equal(await readSide(cluster, namespace, target), undefined);
    });
});
