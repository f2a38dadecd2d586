/* eslint-disable @typescript-eslint/no-explicit-any -- edits of free-form objects */
import assert from "node:assert/strict";
import { DeploymentReadiness } from "../../../sandbox/engine/providers/kubernetes/await/deployment";
import { JobReadiness } from "../../../sandbox/engine/providers/kubernetes/await/job";
import { PodReadiness } from "../../../sandbox/engine/providers/kubernetes/await/pod";
import { podState } from "../../../sandbox/engine/providers/kubernetes/await/pod-state";
import {
    type Readiness,
    ReadinessFailure,
} from "../../../sandbox/engine/providers/kubernetes/await/readiness";
import { ServiceReadiness } from "../../../sandbox/engine/providers/kubernetes/await/service";
import {
    claimReadiness,
    daemonSetReadiness,
} from "../../../sandbox/engine/providers/kubernetes/await/simple";
import { StatefulSetReadiness } from "../../../sandbox/engine/providers/kubernetes/await/stateful-set";
import { WaitForReadiness } from "../../../sandbox/engine/providers/kubernetes/await/wait-for";
import type { WatchEvent } from "../../../sandbox/engine/providers/kubernetes/client";
import type { Inputs } from "../../../sandbox/engine/providers/types";

function feed(readiness: Readiness, object: Inputs, type: WatchEvent["type"] = "MODIFIED"): void {
    const target = readiness.targets.find(({ kind }) => kind === object.kind);
    assert.ok(target, "not watched");
    readiness.observe(target, { type, object });
}

const REVISION = "deployment.kubernetes.io/revision";

interface DeploymentState {
    generation?: number;
    observed?: number;
    revision?: string;
    available?: boolean;
    progressing?: [status: string, reason: string];
    replicas?: number;
}

function deployment(state: DeploymentState = {}): Inputs {
    const [status, reason] = state.progressing ?? ["True", "NewReplicaSetAvailable"];
    const available = state.available ?? true;
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: {
            name: "api",
            namespace: "shop",
            uid: "d",
            generation: state.generation ?? 1,
            annotations: { [REVISION]: state.revision ?? "1" },
        },
        spec: { replicas: state.replicas ?? 2, selector: { matchLabels: { app: "api" } } },
        status: {
            observedGeneration: state.observed ?? state.generation ?? 1,
            conditions: [
                {
                    type: "Available",
                    status: available ? "True" : "False",
                    reason: available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                    message: available ? "ok" : "Deployment does not have minimum availability.",
                },
                { type: "Progressing", status, reason, message: "as it says" },
            ],
        },
    };
}

const replicaSet = (revision: string, replicas: number, ready?: number): Inputs => ({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
        name: `api-${revision}`,
        uid: `rs${revision}`,
        annotations: { [REVISION]: revision },
        ownerReferences: [{ uid: "d" }],
    },
    spec: { replicas },
    status: ready === undefined ? {} : { readyReplicas: ready },
});

function pod(name: string, owner: string, status: Inputs): Inputs {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: "shop", ownerReferences: [{ uid: owner }] },
        status,
    };
}

const scheduled = { type: "PodScheduled", status: "True" };
const initialized = { type: "Initialized", status: "True" };

function unreadyPod(name: string, owner: string, container: Inputs): Inputs {
    const ready = {
        type: "Ready",
        status: "False",
        reason: "ContainersNotReady",
        message: "containers with unready status: [api]",
    };
    return pod(name, owner, {
        phase: "Pending",
        conditions: [scheduled, initialized, ready],
        containerStatuses: [{ name: "api", ready: false, ...container }],
    });
}

const pullBackOff = {
    state: { waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "nope:1"' } },
};

describe("readiness of a Deployment", () => {
    it("needs the controller's look, availability and all pods of the ReplicaSet", () => {
        const rule = new DeploymentReadiness(deployment({ observed: 0 }));
        assert.equal(rule.ready(), false);
        feed(rule, deployment());
        assert.equal(rule.ready(), false, "no ReplicaSet yet");
        feed(rule, replicaSet("1", 2, 1));
        assert.equal(rule.ready(), false, "one pod of two");
        assert.match(rule.progress(), /\(1\/2 Pods available\)/);
        feed(rule, replicaSet("1", 2, 2));
        assert.equal(rule.ready(), true);
        feed(rule, deployment({ available: false }));
        assert.equal(rule.ready(), false);
    });

    it("is not fooled by the state before the change", () => {
        const before = deployment({ generation: 1 });
        const rule = new DeploymentReadiness(deployment({ generation: 2, observed: 1 }), before);
        feed(rule, replicaSet("1", 2, 2));
        feed(rule, deployment({ generation: 1 }));
        assert.equal(rule.ready(), false, "an event of the old generation");
        feed(rule, deployment({ generation: 2, observed: 1 }));
        assert.equal(rule.ready(), false, "not observed yet");
    });

    it("waits for a rollout to complete: old pods being available is not enough", () => {
        const rule = new DeploymentReadiness(deployment({ generation: 2 }), deployment());
        feed(rule, replicaSet("1", 2, 2));
        feed(rule, replicaSet("2", 1, 1));
        feed(
            rule,
            deployment({
                generation: 2,
                revision: "2",
                progressing: ["True", "ReplicaSetUpdated"],
            }),
        );
        assert.equal(rule.ready(), false);
        feed(rule, replicaSet("2", 2, 2));
        feed(rule, deployment({ generation: 2, revision: "2" }));
        assert.equal(rule.ready(), true);
    });

    it("waits for a scale-up although its ReplicaSet still has the old size", () => {
        const rule = new DeploymentReadiness(
            deployment({ generation: 2, replicas: 3 }),
            deployment(),
        );
        feed(rule, replicaSet("1", 2, 2));
        feed(rule, deployment({ generation: 2, replicas: 3 }));
        assert.equal(rule.ready(), false);
        feed(rule, replicaSet("1", 3, 3));
        assert.equal(rule.ready(), true);
    });

    it("is ready at zero replicas without any pod", () => {
        const rule = new DeploymentReadiness(deployment({ replicas: 0 }));
        feed(rule, deployment({ replicas: 0 }));
        feed(rule, replicaSet("1", 0));
        assert.equal(rule.ready(), true);
    });

    it("says which pod and why, of the current ReplicaSet only", () => {
        const rule = new DeploymentReadiness(deployment());
        feed(rule, deployment({ available: false }));
        feed(rule, replicaSet("1", 2));
        feed(rule, unreadyPod("api-1-a", "rs1", pullBackOff));
        feed(rule, unreadyPod("api-0-a", "rs0", pullBackOff));
        assert.deepEqual(rule.reasons(), [
            "[MinimumReplicasUnavailable] Deployment does not have minimum availability.",
            "Minimum number of live Pods was not attained",
            "[Pod shop/api-1-a]: containers with unready status: [api]" +
                '[ImagePullBackOff] Back-off pulling image "nope:1"',
        ]);
    });

    it("reports ProgressDeadlineExceeded, and does not give up over it", () => {
        const rule = new DeploymentReadiness(deployment({ generation: 2 }), deployment());
        feed(
            rule,
            deployment({
                generation: 2,
                revision: "2",
                progressing: ["False", "ProgressDeadlineExceeded"],
            }),
        );
        assert.equal(rule.ready(), false);
        assert.deepEqual(rule.warnings(), ["[ProgressDeadlineExceeded] as it says"]);
    });

    it("waits for the claims of its volumes", () => {
        const created = deployment() as any;
        created.spec.template = {
            spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] },
        };
        const rule = new DeploymentReadiness(created);
        feed(rule, deployment());
        feed(rule, replicaSet("1", 2, 2));
        const claim = (phase: string): Inputs => ({
            kind: "PersistentVolumeClaim",
            metadata: { name: "data" },
            status: { phase },
        });
        feed(rule, claim("Pending"));
        assert.equal(rule.ready(), false);
        assert.match(rule.reasons().join(), /Failed to bind PersistentVolumeClaim\(s\): "data"/);
        feed(rule, claim("Bound"));
        assert.equal(rule.ready(), true);
    });

    it("forgets pods that a broken watch may have missed", () => {
        const rule = new DeploymentReadiness(deployment());
        feed(rule, deployment());
        feed(rule, replicaSet("1", 2));
        feed(rule, unreadyPod("api-1-a", "rs1", pullBackOff));
        const pods = rule.targets.find(({ kind }) => kind === "Pod");
        assert.ok(pods);
        rule.reset(pods);
        assert.deepEqual(rule.warnings(), []);
    });
});

describe("state of a pod", () => {
    it("tells a crash with its last words", () => {
        const crashed = unreadyPod("p", "x", {
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting" } },
            lastState: {
                terminated: {
                    reason: "Error",
                    exitCode: 3,
                    finishedAt: "2026-01-02T03:04:05Z",
                    message: "no database",
                },
            },
        });
        assert.equal(
            podState(crashed).problem,
            "[Pod shop/p]: containers with unready status: [api][CrashLoopBackOff] back-off 10s restarting\n" +
                'container "api" terminated at 2026-01-02T03:04:05Z (Error: exit code 3)\nno database',
        );
    });

    it("tells what keeps it from a node, and from starting", () => {
        const message = "0/1 nodes are available: 1 Insufficient cpu.";
        const conditions = [
            { type: "PodScheduled", status: "False", reason: "Unschedulable", message },
        ];
        assert.deepEqual(podState(pod("p", "x", { conditions })), {
            ready: false,
            waitingFor: "scheduled",
            problem: `[Pod shop/p]: ${message}`,
        });
        const initializing = pod("p", "x", {
            conditions: [scheduled, { type: "Initialized", status: "False" }],
            initContainerStatuses: [{ name: "migrate", ready: false, ...pullBackOff }],
        });
        assert.match(podState(initializing).problem ?? "", /ImagePullBackOff/);
    });

    it("has no problem while it just starts", () => {
        const starting = pod("p", "x", {
            conditions: [scheduled, initialized, { type: "Ready", status: "False" }],
            containerStatuses: [
                { name: "a", ready: false, state: { waiting: { reason: "ContainerCreating" } } },
            ],
        });
        assert.equal(podState(starting).problem, undefined);
    });

    it("is ready when it runs and is ready, or has succeeded", () => {
        const conditions = [scheduled, initialized, { type: "Ready", status: "True" }];
        const rule = new PodReadiness(pod("p", "x", {}));
        assert.equal(rule.ready(), false);
        feed(rule, pod("p", "x", { conditions }));
        assert.equal(rule.ready(), true);
        const done = pod("p", "x", { phase: "Succeeded", conditions: conditions.slice(0, 2) });
        feed(rule, done);
        assert.equal(rule.ready(), true);
    });
});

describe("readiness of a StatefulSet", () => {
    const set = (status: Inputs, generation = 1, strategy = "RollingUpdate"): Inputs => ({
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "db", namespace: "shop", uid: "s", generation },
        spec: { replicas: 1, updateStrategy: { type: strategy } },
        status,
    });
    const done = {
        observedGeneration: 1,
        replicas: 1,
        readyReplicas: 1,
        currentReplicas: 1,
        currentRevision: "a",
        updateRevision: "a",
    };

    it("needs all replicas ready and of the current revision", () => {
        const rule = new StatefulSetReadiness(set({}));
        assert.equal(rule.ready(), false);
        feed(rule, set({ ...done, readyReplicas: 0 }));
        assert.deepEqual(rule.reasons(), ["0 out of 1 replicas succeeded readiness checks"]);
        feed(rule, set(done));
        assert.equal(rule.ready(), true);
    });

    it("does not take the old status for the new one", () => {
        const rule = new StatefulSetReadiness(set(done, 2));
        assert.equal(rule.ready(), false);
        feed(rule, set({ ...done, observedGeneration: 2, updateRevision: "b" }, 2));
        assert.match(rule.reasons().join(), /failed to advance from revision "a" to revision "b"/);
        feed(rule, set({ ...done, observedGeneration: 2 }, 2));
        assert.equal(rule.ready(), true);
    });

    it("does not wait for pods that nobody replaces (OnDelete)", () => {
        const rule = new StatefulSetReadiness(set({}, 2, "OnDelete"));
        const status = { ...done, observedGeneration: 2, currentReplicas: 0, updateRevision: "b" };
        feed(rule, set(status, 2, "OnDelete"));
        assert.equal(rule.ready(), true);
    });
});

describe("readiness of a Service", () => {
    const service = (spec: Inputs, status: Inputs = {}): Inputs => ({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web", namespace: "shop" },
        spec,
        status,
    });
    const endpoints = (ready: number, notReady: number): Inputs => ({
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name: "web" },
        subsets: [
            {
                addresses: Array.from({ length: ready }, () => ({ ip: "10.0.0.1" })),
                notReadyAddresses: Array.from({ length: notReady }, () => ({ ip: "10.0.0.2" })),
            },
        ],
    });

    /** With a clock that the test moves. */
    function started(spec: Inputs): { rule: ServiceReadiness; pass: (ms: number) => void } {
        const timers: { at: number; run: () => void }[] = [];
        let now = 0;
        const rule = new ServiceReadiness(service(spec));
        rule.start((ms, run) => timers.push({ at: now + ms, run }));
        return {
            rule,
            pass(ms) {
                now += ms;
                for (const timer of timers.splice(0)) {
                    if (timer.at <= now) timer.run();
                    else timers.push(timer);
                }
            },
        };
    }

    it("settles for 10 s after its endpoints have changed", () => {
        const { rule, pass } = started({ selector: { app: "api" } });
        feed(rule, service({ selector: { app: "api" } }));
        feed(rule, endpoints(2, 0));
        pass(9_999);
        assert.equal(rule.ready(), false);
        pass(1);
        assert.equal(rule.ready(), true);
        feed(rule, endpoints(1, 1));
        pass(10_000);
        assert.equal(rule.ready(), false, "an endpoint is not ready");
    });

    it("passes without any endpoint, as the real provider does", () => {
        const { rule, pass } = started({ selector: { app: "api" } });
        feed(rule, service({ selector: { app: "api" } }));
        feed(rule, endpoints(0, 0));
        pass(10_000);
        assert.equal(rule.ready(), true);
        assert.match(rule.reasons().join(), /does not target any Pods/);
    });

    it("does not wait for pods where it has none to find", () => {
        for (const spec of [
            { clusterIP: "None", selector: { a: "b" } },
            { type: "ExternalName", externalName: "x", selector: { a: "b" } },
            { ports: [] },
        ] as Inputs[]) {
            const { rule } = started(spec);
            assert.deepEqual(
                rule.targets.map(({ kind }) => kind),
                ["Service"],
            );
            assert.equal(rule.ready(), false);
            feed(rule, service(spec));
            assert.equal(rule.ready(), true);
        }
    });

    it("needs a load balancer's address", () => {
        const spec: Inputs = { type: "LoadBalancer" };
        const { rule } = started(spec);
        feed(rule, service(spec));
        assert.equal(rule.ready(), false);
        assert.equal(rule.acceptAtTimeout(), false);
        feed(rule, service(spec, { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } }));
        assert.equal(rule.ready(), true);
    });
});

describe("readiness of other kinds", () => {
    it("of a Job: complete; one that failed fails at once, with what its pods said", () => {
        const job = (conditions: Inputs[], name = "migrate"): Inputs => ({
            apiVersion: "batch/v1",
            kind: "Job",
            metadata: { name, namespace: "shop", uid: "j" },
            status: { startTime: "2026-01-01T00:00:00Z", conditions },
        });
        const rule = new JobReadiness(job([]));
        assert.equal(rule.ready(), false);
        feed(rule, job([{ type: "Complete", status: "True" }]));
        assert.equal(rule.ready(), true);

        const failing = new JobReadiness(job([]));
        feed(failing, unreadyPod("migrate-x", "j", pullBackOff));
        feed(failing, unreadyPod("migrate-x", "j", pullBackOff), "DELETED");
        const message = "Job has reached the specified backoff limit";
        feed(
            failing,
            job([{ type: "Failed", status: "True", reason: "BackoffLimitExceeded", message }]),
        );
        assert.throws(() => failing.ready(), ReadinessFailure);
        const [first, second] = failing.reasons();
        assert.equal(first, `[BackoffLimitExceeded] ${message}`);
        assert.match(second ?? "", /ImagePullBackOff/);
    });

    it("of a claim: bound, or pending when it binds at first use", () => {
        const claim = (phase: string): Inputs => ({
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name: "data" },
            status: { phase },
        });
        const ready = (phase: string, isNew: boolean, mode: string): boolean =>
            claimReadiness(claim(phase), isNew, mode).ready();
        assert.equal(ready("Pending", true, "Immediate"), false);
        assert.equal(ready("Bound", true, "Immediate"), true);
        assert.equal(ready("Pending", true, "WaitForFirstConsumer"), true);
        assert.equal(ready("Bound", false, "WaitForFirstConsumer"), true);
    });

    it("of a DaemonSet: every wanted pod there, new, ready and available", () => {
        const set = (status: Inputs): Inputs => ({
            apiVersion: "apps/v1",
            kind: "DaemonSet",
            metadata: { name: "a", generation: 2 },
            status,
        });
        const all = {
            observedGeneration: 2,
            desiredNumberScheduled: 1,
            currentNumberScheduled: 1,
            updatedNumberScheduled: 1,
            numberAvailable: 1,
            numberReady: 1,
        };
        assert.equal(daemonSetReadiness(set({})).ready(), false);
        assert.equal(daemonSetReadiness(set(all)).ready(), true);
        assert.equal(daemonSetReadiness(set({ ...all, observedGeneration: 1 })).ready(), false);
        assert.equal(daemonSetReadiness(set({ ...all, updatedNumberScheduled: 0 })).ready(), false);
    });
});

describe("pulumi.com/waitFor", () => {
    const object = (waitFor: string, status: Inputs, generation = 1): Inputs => ({
        apiVersion: "v1",
        kind: "Thing",
        metadata: { name: "t", generation, annotations: { "pulumi.com/waitFor": waitFor } },
        status,
    });
    const ready = (waitFor: string, status: Inputs, generation?: number): boolean =>
        new WaitForReadiness(object(waitFor, status, generation)).ready();
    const condition = (type: string, status: string, more: Inputs = {}): Inputs => ({
        conditions: [{ type, status, ...more }],
    });

    it("takes conditions, also with a value, whatever their case", () => {
        assert.equal(ready("condition=Ready", condition("Ready", "True")), true);
        assert.equal(ready("condition=ready", condition("Ready", "true")), true);
        assert.equal(ready("condition=Ready", condition("Ready", "False")), false);
        assert.equal(ready("condition=Ready=False", condition("Ready", "False")), true);
        assert.equal(ready("condition=Ready", {}), false);
    });

    it("does not take the status of an older generation", () => {
        const old = condition("Ready", "True", { observedGeneration: 1 });
        assert.equal(ready("condition=Ready", old, 2), false);
        assert.equal(ready("jsonpath={.status.a}", { a: 1, observedGeneration: 1 }, 2), false);
    });

    it("takes JSONPath, with and without a value", () => {
        const status: Inputs = {
            phase: "Bound",
            count: 3,
            list: [{ name: "a", ok: true }, { name: "b" }],
        };
        assert.equal(ready("jsonpath={.status.phase}=Bound", status), true);
        assert.equal(ready("jsonpath={.status.phase}=Lost", status), false);
        assert.equal(ready("jsonpath={.status.count}=3", status), true);
        assert.equal(ready("jsonpath={.status.missing}", status), false);
        assert.equal(ready("jsonpath={.status.list}", status), true);
        assert.equal(ready("jsonpath={.status.list[1].name}=b", status), true);
        assert.equal(ready('jsonpath={.status.list[?(@.name=="a")].ok}=true', status), true);
        assert.equal(ready('jsonpath={$.status["phase"]}=Bound', status), true);
    });

    it("takes several: all must hold, and those that do not are named", () => {
        const both = JSON.stringify(["condition=Ready", "jsonpath={.status.phase}=Bound"]);
        const rule = new WaitForReadiness(object(both, condition("Ready", "True")));
        assert.equal(rule.ready(), false);
        assert.deepEqual(rule.reasons(), ["jsonpath={.status.phase}=Bound was not met"]);
        feed(rule, object(both, { ...condition("Ready", "True"), phase: "Bound" }));
        assert.equal(rule.ready(), true);
    });
});
