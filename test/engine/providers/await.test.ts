import assert from "node:assert/strict";
import type { KubeClient } from "../../../sandbox/engine/providers/kubernetes/client";
import {
    InitError,
    type Inputs,
    type ResourceProvider,
} from "../../../sandbox/engine/providers/types";
import { patchAs, playKubelet, type PodVerdict, useProvider } from "./control-plane";
import { checked, contextOf, type LoggedContext } from "./support";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";
const JOB = "kubernetes:batch/v1:Job";

const template = (image: string): Inputs => ({
    metadata: { labels: { app: "api" } },
    spec: { containers: [{ name: "main", image }] },
});

const deployment = (replicas: number, image = "good:1"): Inputs => ({
    metadata: { name: "api" },
    spec: {
        replicas,
        selector: { matchLabels: { app: "api" } },
        strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: template(image),
    },
});

describe("waiting for readiness", function () {
    this.timeout(60_000);
    let client: KubeClient;
    let provider: ResourceProvider;
    let namespace: string;
    let stopKubelet: AbortController;

    const its = useProvider();
    beforeEach(() => {
        ({ client, provider, namespace } = its);
        stopKubelet = new AbortController();
    });
    afterEach(() => stopKubelet.abort());

    /** Pods become what their image says. */
    const kubelet = (verdicts: Record<string, PodVerdict>): void => {
        void playKubelet(client, namespace, stopKubelet.signal, (pod) => {
            const [container] = (pod.spec as { containers: { image: string }[] }).containers;
            return verdicts[container?.image ?? ""] ?? "ready";
        });
    };

    async function create(
        context: LoggedContext,
        inputs: Inputs,
        timeoutSeconds?: number,
    ): Promise<{ id: string; inputs: Inputs; outputs: Inputs }> {
        const full = await checked(provider, context, inputs);
        const created = await provider.create(context, {
            inputs: full,
            preview: false,
            timeoutSeconds,
        });
        return { ...created, inputs: full };
    }

    async function update(
        context: LoggedContext,
        old: { id: string; inputs: Inputs; outputs: Inputs },
        next: Inputs,
        timeoutSeconds?: number,
    ): Promise<Inputs> {
        const { outputs } = await provider.update(context, {
            id: old.id,
            oldInputs: old.inputs,
            oldOutputs: old.outputs,
            inputs: await checked(provider, context, next, old.inputs),
            ignoreChanges: [],
            preview: false,
            timeoutSeconds,
        });
        return outputs;
    }

    /** A warning about the first pod, as the kubelet would give it. */
    async function reportEvent(reason: string, message: string): Promise<void> {
        const path = `/api/v1/namespaces/${namespace}`;
        for (;;) {
            const { items } = (await client.request("GET", `${path}/pods`)) as {
                items: { metadata: { name: string; uid: string } }[];
            };
            const [pod] = items;
            if (pod !== undefined) {
                const { name, uid } = pod.metadata;
                const involvedObject = { apiVersion: "v1", kind: "Pod", namespace, name, uid };
                const body = {
                    metadata: { name: "e" },
                    type: "Warning",
                    reason,
                    message,
                    involvedObject,
                };
                await client.request("POST", `${path}/events`, { body });
                return;
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    async function failureOf(operation: Promise<unknown>): Promise<InitError> {
        const error: unknown = await operation.then(
            () => assert.fail("it did not fail"),
            (reason: unknown) => reason,
        );
        assert.ok(error instanceof InitError, String(error));
        return error;
    }

    it("takes a Deployment for ready when its pods are, after create, scale and rollout", async () => {
        kubelet({});
        const context = contextOf(DEPLOYMENT, "api");
        const created = await create(context, deployment(2));
        assert.equal((created.outputs.status as Inputs).readyReplicas, 2);
        assert.ok(context.messages.some(({ message }) => message.includes("Pods available")));
        assert.ok(context.messages.every(({ ephemeral }) => ephemeral));

        const scaled = await update(context, created, deployment(4));
        assert.equal((scaled.status as Inputs).readyReplicas, 4);
        const rolled = await update(
            context,
            { ...created, outputs: scaled },
            deployment(4, "good:2"),
        );
        assert.deepEqual(
            [(rolled.status as Inputs).updatedReplicas, (rolled.status as Inputs).readyReplicas],
            [4, 4],
        );
        const idle = await update(
            context,
            { ...created, outputs: rolled },
            deployment(0, "good:2"),
        );
        // Nobody waits for pods to go.
        assert.equal((idle.spec as Inputs).replicas, 0);
    });

    it("fails at the timeout with the pod and its reason, and keeps the object", async () => {
        kubelet({ "nope:1": { waiting: "ImagePullBackOff", message: "Back-off pulling nope:1" } });
        const failing = failureOf(create(contextOf(DEPLOYMENT, "api"), deployment(1, "nope:1"), 3));
        await reportEvent("Unhealthy", "Readiness probe failed: statuscode: 503");
        const error = await failing;
        assert.equal(error.id, `${namespace}/api`);
        const [summary = "", ...reasons] = error.reasons;
        assert.match(
            summary,
            /^resource "urn:.*::api" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: 'api' timed out waiting to be Ready$/,
        );
        assert.ok(
            reasons.includes("Minimum number of live Pods was not attained"),
            reasons.join("\n"),
        );
        assert.match(
            reasons.at(-1) ?? "",
            /^\[Pod .*\]: Unhealthy: Readiness probe failed: statuscode: 503$/,
        );
        assert.match(
            reasons.at(-2) ?? "",
            new RegExp(`^\\[Pod ${namespace}/api-.*ImagePullBackOff\\] Back-off pulling nope:1$`),
        );
        assert.equal((error.outputs.metadata as Inputs).name, "api");
        assert.ok(error.outputs.__inputs);
    });

    it("warns of failing pods while it still waits", async () => {
        kubelet({ "nope:1": { waiting: "ErrImagePull", message: "not found" } });
        const context = contextOf(DEPLOYMENT, "api");
        await failureOf(create(context, deployment(1, "nope:1"), 12));
        const warnings = context.messages.filter(({ severity }) => severity === "warning");
        assert.match(
            warnings.map(({ message }) => message).join("\n"),
            /\[ErrImagePull\] not found/,
        );
        assert.equal(new Set(warnings.map(({ message }) => message)).size, warnings.length);
    });

    it("fails a rollout whose new pods do not come up, although the old ones serve", async () => {
        kubelet({ "nope:1": { waiting: "CrashLoopBackOff", message: "back-off" } });
        const context = contextOf(DEPLOYMENT, "api");
        const created = await create(context, deployment(1));
        const error = await failureOf(update(context, created, deployment(1, "nope:1"), 3));
        assert.match(
            error.reasons[0] ?? "",
            /^the Kubernetes API server reported that ".*\/api" failed to fully initialize or become live: 'api' timed out/,
        );
        assert.match(error.reasons.join("\n"), /CrashLoopBackOff/);
        // A refresh finds it unready, too, and says why.
        const inputs = error.outputs.__inputs as Inputs;
        const found = await failureOf(
            provider.read(context, { id: created.id, inputs, outputs: error.outputs }),
        );
        assert.match(found.reasons.join("\n"), /CrashLoopBackOff/);
        assert.ok(found.inputs);
    });

    it("tells what the API server refuses of a Deployment's pods", async () => {
        await patchAs(client, "test", `/api/v1/namespaces/${namespace}`, {
            metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
        });
        const error = await failureOf(create(contextOf(DEPLOYMENT, "api"), deployment(1), 3));
        assert.match(
            error.reasons.join("\n"),
            /\[FailedCreate\] .*violates PodSecurity "restricted/,
        );
    });

    it("does not wait under skipAwait, and takes the timeout from the annotation", async () => {
        const skipping = deployment(1) as { metadata: Inputs };
        skipping.metadata.annotations = { "pulumi.com/skipAwait": "true" };
        await create(contextOf(DEPLOYMENT, "api"), skipping);
        const timing = deployment(1) as { metadata: Inputs };
        timing.metadata = { name: "slow", annotations: { "pulumi.com/timeoutSeconds": "1" } };
        const started = Date.now();
        await failureOf(create(contextOf(DEPLOYMENT, "slow"), timing));
        assert.ok(Date.now() - started < 5_000);
    });

    it("stops waiting when it is cancelled, and hands over what there is", async () => {
        const cancel = new AbortController();
        const context = contextOf(DEPLOYMENT, "api", cancel.signal);
        setTimeout(() => cancel.abort(), 1_000);
        const error = await failureOf(create(context, deployment(1)));
        assert.match(error.reasons[0] ?? "", /Resource operation was cancelled for "api"$/);
        assert.ok((error.outputs.metadata as Inputs).uid);
    });

    it("lets a Service settle for 10 s, unless it need not", async () => {
        const service = (spec: Inputs, annotations: Inputs = {}): Inputs => ({
            metadata: { annotations },
            spec: { ports: [{ port: 80 }], ...spec },
        });
        const seconds = async (name: string, inputs: Inputs): Promise<number> => {
            const started = Date.now();
            await create(contextOf(SERVICE, name), inputs);
            return (Date.now() - started) / 1000;
        };
        const selector = { app: "nobody" };
        const [settling, skipping, headless, bare] = await Promise.all([
            seconds("settling", service({ selector })),
            seconds("skipping", service({ selector }, { "pulumi.com/skipAwait": "true" })),
            seconds("headless", service({ selector, clusterIP: "None" })),
            seconds("bare", service({})),
        ]);
        assert.ok(settling >= 10 && settling < 13, `settled in ${settling} s`);
        for (const quick of [skipping, headless, bare]) assert.ok(quick < 5, `took ${quick} s`);
    });

    it("waits for all replicas of a StatefulSet, on create and on update", async () => {
        kubelet({});
        const context = contextOf("kubernetes:apps/v1:StatefulSet", "db");
        const set = (image: string): Inputs => ({
            metadata: { name: "db" },
            spec: {
                replicas: 2,
                serviceName: "db",
                selector: { matchLabels: { app: "api" } },
                template: template(image),
            },
        });
        const created = await create(context, set("good:1"));
        const status = created.outputs.status as Inputs;
        assert.deepEqual([status.readyReplicas, status.currentReplicas], [2, 2]);
        const outputs = (await update(context, created, set("good:2"))).status as Inputs;
        assert.equal(outputs.currentRevision, outputs.updateRevision);
        assert.notEqual(outputs.currentRevision, status.currentRevision);
    });

    it("waits for a Job to succeed, and gives up at once when it has failed", async () => {
        kubelet({ "fine:1": "succeeded", "bad:1": "failed" });
        const job = (name: string, image: string): Inputs => ({
            metadata: { name },
            spec: {
                backoffLimit: 0,
                template: {
                    spec: { restartPolicy: "Never", containers: [{ name: "main", image }] },
                },
            },
        });
        const done = await create(contextOf(JOB, "fine"), job("fine", "fine:1"));
        assert.equal((done.outputs.status as Inputs).succeeded, 1);
        const started = Date.now();
        const error = await failureOf(create(contextOf(JOB, "bad"), job("bad", "bad:1")));
        assert.ok(Date.now() - started < 20_000);
        assert.match(
            error.reasons[0] ?? "",
            /Resource 'bad' was created but failed to initialize$/,
        );
        assert.match(error.reasons.join("\n"), /\[BackoffLimitExceeded\]/);
    });

    it("waits for what pulumi.com/waitFor says", async () => {
        const context = contextOf("kubernetes:core/v1:ConfigMap", "a");
        const waiting = create(context, {
            metadata: {
                name: "a",
                annotations: {
                    "pulumi.com/waitFor": JSON.stringify([
                        "jsonpath={.data.ready}=yes",
                        "jsonpath={.data.more}",
                    ]),
                },
            },
            data: {},
        });
        const path = `/api/v1/namespaces/${namespace}/configmaps/a`;
        const patch = async (data: Inputs): Promise<void> => {
            await new Promise((resolve) => setTimeout(resolve, 500));
            await patchAs(client, "somebody", path, { data });
        };
        await patch({ ready: "yes" });
        await patch({ more: "x" });
        assert.deepEqual((await waiting).outputs.data, { ready: "yes", more: "x" });
        const error = await failureOf(
            create(
                contextOf("kubernetes:core/v1:ConfigMap", "b"),
                {
                    metadata: {
                        name: "b",
                        annotations: { "pulumi.com/waitFor": "condition=Ready" },
                    },
                },
                1,
            ),
        );
        assert.match(error.reasons.join("\n"), /condition=Ready was not met/);
    });

    it("does not hold up a claim that binds at first use", async () => {
        const classes = "/apis/storage.k8s.io/v1/storageclasses";
        for (const mode of ["WaitForFirstConsumer", "Immediate"]) {
            await client.request("POST", classes, {
                body: {
                    metadata: { name: mode.toLowerCase() },
                    provisioner: "example.com/none",
                    volumeBindingMode: mode,
                },
            });
        }
        const claim = (storageClassName: string): Inputs => ({
            metadata: { name: storageClassName },
            spec: {
                storageClassName,
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
            },
        });
        const type = "kubernetes:core/v1:PersistentVolumeClaim";
        await create(contextOf(type, "late"), claim("waitforfirstconsumer"));
        const error = await failureOf(create(contextOf(type, "now"), claim("immediate"), 2));
        assert.match(error.reasons.join("\n"), /PersistentVolumeClaim immediate is Pending/);
    });
});
