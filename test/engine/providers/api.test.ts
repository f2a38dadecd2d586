/* eslint-disable @typescript-eslint/no-explicit-any -- edits of free-form objects */
import assert from "node:assert/strict";
import type { KubeClient } from "../../../sandbox/engine/providers/kubernetes/client";
import {
    InitError,
    type Inputs,
    type ResourceProvider,
    UNKNOWN,
    type UpdateRequest,
} from "../../../sandbox/engine/providers/types";
import { patchAs, useProvider } from "./control-plane";
import { checked, contextOf, type LoggedContext } from "./support";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

/** A Deployment that nobody waits for. */
const deployment = (replicas: number, annotations: Record<string, string> = {}): Inputs => ({
    metadata: { name: "api", annotations: { "pulumi.com/skipAwait": "true", ...annotations } },
    spec: {
        replicas,
        selector: { matchLabels: { app: "api" } },
        template: {
            metadata: { labels: { app: "api" } },
            spec: { containers: [{ name: "main", image: "example.com/api:1" }] },
        },
    },
});

describe("kubernetes provider against an API server", function () {
    this.timeout(60_000);
    let client: KubeClient;
    let provider: ResourceProvider;
    let namespace: string;

    const its = useProvider();
    beforeEach(() => {
        ({ client, provider, namespace } = its);
    });

    const item = (plural: string, name: string): string =>
        plural.startsWith("apps/")
            ? `/apis/apps/v1/namespaces/${namespace}/${plural.slice(5)}/${name}`
            : `/api/v1/namespaces/${namespace}/${plural}/${name}`;

    /** One resource's life, as the engine leads it. */
    class Resource {
        id = "";
        inputs: Inputs = {};
        outputs: Inputs = {};
        readonly context: LoggedContext;

        constructor(type: string, name = "thing") {
            this.context = contextOf(type, name);
        }

        async create(inputs: Inputs): Promise<this> {
            this.inputs = await checked(provider, this.context, inputs);
            const created = await provider.create(this.context, {
                inputs: this.inputs,
                preview: false,
            });
            this.id = created.id;
            this.outputs = created.outputs;
            return this;
        }

        async diff(inputs: Inputs, ignoreChanges: string[] = []) {
            const newInputs = await checked(provider, this.context, inputs, this.inputs);
            return provider.diff(this.context, {
                id: this.id,
                oldInputs: this.inputs,
                oldOutputs: this.outputs,
                newInputs,
                ignoreChanges,
            });
        }

        async update(inputs: Inputs, options: Partial<UpdateRequest> = {}): Promise<Inputs> {
            const checkedInputs = await checked(provider, this.context, inputs, this.inputs);
            const { outputs } = await provider.update(this.context, {
                id: this.id,
                oldInputs: this.inputs,
                oldOutputs: this.outputs,
                inputs: checkedInputs,
                ignoreChanges: [],
                preview: false,
                ...options,
            });
            if (options.preview !== true) {
                this.inputs = checkedInputs;
                this.outputs = outputs;
            }
            return outputs;
        }

        read() {
            return provider.read(this.context, {
                id: this.id,
                inputs: this.inputs,
                outputs: this.outputs,
            });
        }

        delete(): Promise<void> {
            const { id, inputs, outputs } = this;
            return provider.delete(this.context, { id, inputs, outputs });
        }
    }

    const configMap = (data: Record<string, string>): Inputs => ({ metadata: { name: "a" }, data });

    it("creates an object, finds no difference, and deletes it", async () => {
        const resource = await new Resource(CONFIG_MAP).create(configMap({ a: "1" }));
        assert.equal(resource.id, `${namespace}/a`);
        assert.deepEqual(resource.outputs.__inputs, resource.inputs);
        assert.equal(resource.outputs.__initialApiVersion, "v1");
        assert.match(resource.outputs.__fieldManager as string, /^pulumi-kubernetes-[0-9a-f]{8}$/);
        assert.deepEqual((await client.request("GET", item("configmaps", "a"))).data, { a: "1" });
        assert.equal((await resource.diff(configMap({ a: "1" }))).changes, false);

        await resource.delete();
        await assert.rejects(client.request("GET", item("configmaps", "a")), {
            reason: "NotFound",
        });
        await resource.delete();
        assert.equal(await resource.read(), undefined);
    });

    it("finds no difference in a workload full of defaults and odd quantities", async () => {
        const inputs = deployment(0) as any;
        const pod = inputs.spec.template.spec;
        pod.hostNetwork = false;
        pod.automountServiceAccountToken = false;
        pod.terminationGracePeriodSeconds = 30;
        pod.securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
        pod.volumes = [
            { name: "tmp", emptyDir: { sizeLimit: "1024Mi" } },
            { name: "x", emptyDir: {} },
        ];
        Object.assign(pod.containers[0], {
            env: [
                { name: "EMPTY", value: "" },
                {
                    name: "CPU",
                    valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1000m" } },
                },
                { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            ],
            resources: { limits: { cpu: "1000m", memory: "0.5Gi" }, requests: { cpu: 0.1 } },
            ports: [{ name: "http", containerPort: 9999 }],
            readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 5 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            volumeMounts: [{ name: "tmp", mountPath: "/tmp", readOnly: false }],
        });
        const resource = await new Resource(DEPLOYMENT).create(inputs);
        assert.deepEqual((await resource.diff(inputs)).detailed, {});
        inputs.spec.template.spec.containers[0].env[0].value = "full";
        assert.deepEqual((await resource.diff(inputs)).detailed, {
            "spec.template.spec.containers[0].env[0].value": { kind: "add" },
        });
    });

    it("works on many objects at a time without a word", async () => {
        const warnings: string[] = [];
        const warn = (warning: Error): void => void warnings.push(warning.message);
        process.on("warning", warn);
        const { signal } = new AbortController();
        const names = Array.from({ length: 40 }, (_, index) => `many-${index}`);
        await Promise.all(
            names.map(async (name) => {
                const context = contextOf(CONFIG_MAP, name, signal);
                const inputs = await checked(provider, context, { metadata: { name } });
                const { id, outputs } = await provider.create(context, { inputs, preview: false });
                await provider.read(context, { id, inputs, outputs });
                await provider.delete(context, { id, inputs, outputs });
            }),
        );
        await new Promise((resolve) => setImmediate(resolve));
        process.off("warning", warn);
        assert.deepEqual(warnings, []);
    });

    it("fails to create what is there already, and says what to do", async () => {
        await new Resource(CONFIG_MAP).create(configMap({ a: "1" }));
        await assert.rejects(
            new Resource(CONFIG_MAP, "other").create(configMap({})),
            (error: Error) => {
                assert.match(
                    error.message,
                    /resource "urn:.*::other" was not successfully created/,
                );
                assert.match(error.message, /configmaps "a" already exists/);
                assert.match(error.message, /use an alias to preserve the identity/);
                return true;
            },
        );
    });

    it("names unknown fields instead of dropping them", async () => {
        await assert.rejects(
            new Resource(CONFIG_MAP).create({ ...configMap({}), dta: { a: "1" } }),
            /strict decoding error: unknown field "dta"/,
        );
    });

    it("applies an update and owns only its own fields", async () => {
        const resource = await new Resource(CONFIG_MAP).create(configMap({ a: "1", gone: "x" }));
        await patchAs(client, "somebody", item("configmaps", "a"), { data: { theirs: "y" } });
        const next = configMap({ a: "2" });
        assert.deepEqual((await resource.diff(next)).detailed, {
            "data.a": { kind: "update-replace" },
            "data.gone": { kind: "delete-replace" },
        });
        await resource.update(next);
        assert.deepEqual((await client.request("GET", item("configmaps", "a"))).data, {
            a: "2",
            theirs: "y",
        });
        const managers = (resource.outputs.metadata as any).managedFields.map(
            (entry: any) => `${entry.manager} ${entry.operation}`,
        );
        assert.deepEqual(managers.sort(), [
            `${resource.outputs.__fieldManager as string} Apply`,
            "somebody Update",
        ]);
    });

    it("previews by dry run: nothing is written", async () => {
        const resource = new Resource(DEPLOYMENT);
        const inputs = await checked(provider, resource.context, deployment(2));
        const preview = await provider.create(resource.context, { inputs, preview: true });
        assert.equal(preview.id, "");
        const spec = preview.outputs.spec as Inputs;
        assert.deepEqual(spec.strategy, {
            type: "RollingUpdate",
            rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
        });
        assert.equal("status" in preview.outputs, false);
        await assert.rejects(client.request("GET", item("apps/deployments", "api")), {
            reason: "NotFound",
        });

        await resource.create(deployment(2));
        const outputs = await resource.update(deployment(5), { preview: true });
        assert.equal((outputs.spec as Inputs).replicas, 5);
        const live = await client.request("GET", item("apps/deployments", "api"));
        assert.equal((live.spec as Inputs).replicas, 2);
    });

    it("previews what it can: inputs with unknowns, or in a namespace to come, as they are", async () => {
        const { context } = new Resource(CONFIG_MAP);
        const unknowable: Inputs[] = [
            {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "b", namespace },
                data: { a: UNKNOWN },
            },
            { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b", namespace: "to-come" } },
            { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "b", namespace } },
        ];
        for (const inputs of unknowable) {
            const { outputs } = await provider.create(context, { inputs, preview: true });
            assert.deepEqual(outputs, inputs);
        }
        await assert.rejects(
            provider.create(contextOf("kubernetes:core/v1:Service"), {
                inputs: {
                    apiVersion: "v1",
                    kind: "Service",
                    metadata: { name: "b", namespace },
                    spec: {},
                },
                preview: true,
            }),
            /spec\.ports: Required value/,
            "but an object that the API server refuses fails already there",
        );
    });

    it("waits for a namespace that is created in the same run", async () => {
        const resource = new Resource(CONFIG_MAP);
        const created = resource.create({ metadata: { name: "a", namespace: "late" }, data: {} });
        await client.request("POST", "/api/v1/namespaces", {
            body: { metadata: { name: "late" } },
        });
        await created;
        assert.equal(resource.id, "late/a");
    });

    describe("conflicts", () => {
        it("with another manager are reported with its name and the field; patchForce heals", async () => {
            const resource = await new Resource(DEPLOYMENT).create(deployment(2));
            await client.request("PATCH", `${item("apps/deployments", "api")}/scale`, {
                query: { fieldManager: "autoscaler" },
                body: { spec: { replicas: 4 } },
                contentType: "application/merge-patch+json",
            });
            await assert.rejects(resource.update(deployment(1)), (error: unknown) => {
                assert.ok(error instanceof InitError);
                const [reason = ""] = error.reasons;
                assert.match(reason, /server-side apply field conflict detected, see https:/);
                assert.match(
                    reason,
                    /conflict with "autoscaler" with subresource "scale".*\.spec\.replicas/,
                );
                assert.equal((error.outputs.spec as Inputs).replicas, 4);
                return true;
            });
            await assert.rejects(resource.update(deployment(1), { preview: true }), InitError);

            await resource.update(deployment(1, { "pulumi.com/patchForce": "true" }));
            const live = await client.request("GET", item("apps/deployments", "api"));
            assert.equal((live.spec as Inputs).replicas, 1);
        });

        it("do not arise from the object's own creation, nor from kubectl edit", async () => {
            const resource = await new Resource(DEPLOYMENT).create(deployment(2));
            await patchAs(client, "kubectl-edit", item("apps/deployments", "api"), {
                spec: { replicas: 4 },
            });
            await resource.update(deployment(3), { preview: true });
            await resource.update(deployment(3));
            assert.equal((resource.outputs.spec as Inputs).replicas, 3);
        });

        it("are avoided by ignoreChanges: what an autoscaler set stays", async () => {
            const resource = await new Resource(DEPLOYMENT).create(deployment(2));
            await client.request("PATCH", `${item("apps/deployments", "api")}/scale`, {
                query: { fieldManager: "autoscaler" },
                body: { spec: { replicas: 4 } },
                contentType: "application/merge-patch+json",
            });
            const next = deployment(2) as any;
            next.spec.template.spec.containers[0].image = "example.com/api:2";
            const ignoreChanges = ["spec.replicas"];
            assert.deepEqual(Object.keys((await resource.diff(next, ignoreChanges)).detailed), [
                "spec.template.spec.containers[0].image",
            ]);
            await resource.update(next, { ignoreChanges });
            const live = await client.request("GET", item("apps/deployments", "api"));
            assert.equal((live.spec as Inputs).replicas, 4);
        });

        it("ignoreChanges keeps a field that is ours at its live value", async () => {
            const resource = await new Resource(DEPLOYMENT).create(deployment(2));
            await resource.update(deployment(9), { ignoreChanges: ["spec.replicas"] });
            assert.equal((resource.outputs.spec as Inputs).replicas, 2);
        });
    });

    it("sees drift at a refresh, and an object made elsewhere at an import", async () => {
        const resource = await new Resource(DEPLOYMENT).create(deployment(2));
        await patchAs(client, "somebody", item("apps/deployments", "api"), {
            metadata: { labels: { theirs: "x" } },
            spec: { replicas: 7 },
        });
        const found = await resource.read();
        assert.equal((found?.inputs.spec as Inputs).replicas, 7);
        assert.equal("labels" in (found?.inputs.metadata as Inputs), false, "nobody asked for it");
        assert.equal(found?.outputs.__fieldManager, resource.outputs.__fieldManager);
        resource.outputs = found?.outputs ?? {};
        assert.deepEqual((await resource.diff(deployment(2))).detailed, {
            "spec.replicas": { kind: "update" },
        });

        const imported = await provider.read(contextOf(DEPLOYMENT), { id: `${namespace}/api` });
        const metadata = imported?.inputs.metadata as Inputs;
        assert.deepEqual(metadata.labels, { theirs: "x" });
        assert.deepEqual(
            ["uid", "managedFields", "resourceVersion", "generation"].filter(
                (key) => key in metadata,
            ),
            [],
        );
        assert.equal("status" in (imported?.inputs ?? {}), false);
        assert.equal(
            await provider.read(contextOf(DEPLOYMENT), { id: `${namespace}/none` }),
            undefined,
        );
    });

    it("keeps a Secret's values base64, wherever they come from", async () => {
        const inputs = { metadata: { name: "s" }, stringData: { password: "hunter2" } };
        const resource = await new Resource("kubernetes:core/v1:Secret").create(inputs);
        assert.deepEqual(resource.outputs.data, { password: btoa("hunter2") });
        assert.equal((await resource.diff(inputs)).changes, false);
        assert.deepEqual(
            (await resource.diff({ ...inputs, stringData: { password: "other" } })).replaceKeys,
            ["data.password"],
        );
    });

    it("manages custom resources, whose kind it learns from the API server", async () => {
        const crd = await new Resource(
            "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        ).create({
            metadata: { name: "things.example.com" },
            spec: {
                group: "example.com",
                scope: "Namespaced",
                names: { plural: "things", kind: "Thing", singular: "thing" },
                versions: [
                    {
                        name: "v1",
                        served: true,
                        storage: true,
                        schema: {
                            openAPIV3Schema: {
                                type: "object",
                                x_kubernetes_preserve_unknown_fields: true,
                            },
                        },
                    },
                ],
            },
        });
        const type = "kubernetes:example.com/v1:Thing";
        // The garbage collector learns of new kinds every 30 s only: do not wait for it.
        const metadata = {
            name: "t",
            annotations: { "pulumi.com/deletionPropagationPolicy": "background" },
        };
        const thing = await new Resource(type).create({ metadata, spec: { size: 1 } });
        assert.equal(thing.id, `${namespace}/t`);
        await thing.update({ metadata, spec: { size: 2 } });
        assert.deepEqual(thing.outputs.spec, { size: 2 });
        await thing.delete();
        const spec = crd.inputs.spec as any;
        const next = { metadata: crd.inputs.metadata as Inputs, spec: structuredClone(spec) };
        next.spec.names.shortNames = ["th"];
        await crd.update(next);
        assert.equal((await crd.diff(next)).changes, false);
        await crd.delete();
        await assert.rejects(
            client.request(
                "GET",
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com",
            ),
            { reason: "NotFound" },
        );
    });

    it("puts custom resources where their kind belongs, whatever the check assumed", async () => {
        const crd = await new Resource(
            "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
        ).create({
            metadata: { name: "worlds.example.org" },
            spec: {
                group: "example.org",
                scope: "Cluster",
                names: { plural: "worlds", kind: "World", singular: "world" },
                versions: [
                    {
                        name: "v1",
                        served: true,
                        storage: true,
                        schema: { openAPIV3Schema: { type: "object" } },
                    },
                ],
            },
        });
        const metadata = {
            name: "w",
            annotations: { "pulumi.com/deletionPropagationPolicy": "background" },
        };
        const world = await new Resource("kubernetes:example.org/v1:World").create({ metadata });
        assert.equal(world.id, "w");
        assert.equal((await world.diff({ metadata })).changes, false);
        await world.delete();
        await crd.delete();
    });

    it("gives an old manager's fields up when the program names another one", async () => {
        const named = (manager: string): Inputs => ({
            ...configMap({ a: "1" }),
            metadata: {
                name: "a",
                annotations: {
                    "pulumi.com/patchFieldManager": manager,
                    // The annotation itself belongs to the first manager.
                    "pulumi.com/patchForce": "true",
                },
            },
        });
        const resource = await new Resource(CONFIG_MAP).create(named("first"));
        await resource.update(named("first"));
        await resource.update(named("second"));
        const live = (await client.request("GET", item("configmaps", "a"))) as any;
        assert.deepEqual(
            live.metadata.managedFields.map((entry: any) => entry.manager),
            ["second"],
        );
    });

    it("waits until a deleted object is gone, and says what keeps it", async () => {
        const resource = await new Resource(CONFIG_MAP).create({
            metadata: { name: "a", finalizers: ["example.com/hold"] },
        });
        const { id, inputs, outputs } = resource;
        const request = { id, inputs, outputs, timeoutSeconds: 1 };
        await assert.rejects(
            provider.delete(resource.context, request),
            /'a' timed out waiting to be deleted; .*example\.com\/hold/,
        );
        const deleted = resource.delete();
        await patchAs(client, "somebody", item("configmaps", "a"), {
            metadata: { finalizers: null },
        });
        await deleted;
    });
});
