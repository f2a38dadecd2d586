import assert from "node:assert/strict";
import { KubernetesProvider } from "../../../sandbox/engine/providers/kubernetes/provider";
import { readSettings } from "../../../sandbox/engine/providers/kubernetes/settings";
import { type Inputs, UNKNOWN } from "../../../sandbox/engine/providers/types";
import { checked, contextOf, seed } from "./support";

const provider = (inputs: Inputs = { namespace: "shop" }): KubernetesProvider =>
    new KubernetesProvider(readSettings(inputs, {}));

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

describe("kubernetes check", () => {
    it("fills in kind, apiVersion, namespace and a generated name that it marks", async () => {
        const inputs = await checked(provider(), contextOf(CONFIG_MAP, "settings"), {
            data: { a: "1" },
        });
        const { name, ...metadata } = inputs.metadata as { name: string };
        assert.match(name, /^settings-[0-9a-f]{8}$/);
        assert.deepEqual(
            { ...inputs, metadata },
            {
                apiVersion: "v1",
                kind: "ConfigMap",
                data: { a: "1" },
                metadata: {
                    namespace: "shop",
                    annotations: { "pulumi.com/autonamed": "true" },
                },
            },
        );
        const deployment = await checked(
            provider(),
            contextOf("kubernetes:apps/v1:Deployment"),
            {},
        );
        assert.equal(deployment.apiVersion, "apps/v1");
        assert.equal(deployment.kind, "Deployment");
    });

    it("generates the same name for the same seed, and keeps the old one", async () => {
        const check = (text: string, oldInputs?: Inputs) =>
            provider().check(contextOf(CONFIG_MAP, "a"), {
                newInputs: {},
                oldInputs,
                randomSeed: seed(text),
            });
        const first = await check("x");
        assert.deepEqual((await check("x")).inputs, first.inputs);
        assert.notDeepEqual((await check("y")).inputs, first.inputs);
        assert.deepEqual((await check("y", first.inputs)).inputs, first.inputs);
    });

    it("leaves given names alone, also unknown ones", async () => {
        for (const name of ["mine", UNKNOWN]) {
            const inputs = await checked(provider(), contextOf(CONFIG_MAP), { metadata: { name } });
            assert.deepEqual(inputs.metadata, { name, namespace: "shop" });
        }
    });

    it("gives no namespace to cluster-wide kinds", async () => {
        const inputs = await checked(provider(), contextOf("kubernetes:core/v1:Namespace"), {
            metadata: { name: "a" },
        });
        assert.deepEqual(inputs.metadata, { name: "a" });
    });

    it("writes inputs as the API server keeps them", async () => {
        const secret = await checked(provider(), contextOf("kubernetes:core/v1:Secret"), {
            metadata: { name: "s" },
            stringData: { password: "hunter2" },
        });
        assert.deepEqual(secret.data, { password: btoa("hunter2") });
        assert.equal("stringData" in secret, false);

        const unknown = await checked(provider(), contextOf("kubernetes:core/v1:Secret"), {
            metadata: { name: "s" },
            stringData: { password: UNKNOWN, user: "admin" },
        });
        assert.deepEqual(unknown.data, { password: UNKNOWN, user: btoa("admin") });

        const claim = await checked(
            provider(),
            contextOf("kubernetes:core/v1:PersistentVolumeClaim"),
            {
                metadata: { name: "c", uid: "x", resourceVersion: "3" },
                spec: { resources: { requests: { storage: "1024Mi" } }, volumeName: null },
            },
        );
        assert.deepEqual(claim.spec, { resources: { requests: { storage: "1Gi" } } });
        assert.deepEqual(claim.metadata, { name: "c", namespace: "shop" });
    });

    it("leaves users' own keys and custom resources untouched", async () => {
        const labels = { limits: "1000m", requests: "x" };
        const inputs = await checked(provider(), contextOf(CONFIG_MAP), {
            metadata: { name: "a", labels },
            data: { limits: "1000m", sizeLimit: "1024Mi" },
        });
        assert.deepEqual(inputs.data, { limits: "1000m", sizeLimit: "1024Mi" });
        assert.deepEqual((inputs.metadata as Inputs).labels, labels);

        const route = await checked(
            provider(),
            contextOf("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"),
            { metadata: { name: "r" }, spec: { limits: { cpu: "1000m" }, empty: null } },
        );
        assert.deepEqual(route.spec, { limits: { cpu: "1000m" }, empty: null });
        assert.equal(route.apiVersion, "gateway.networking.k8s.io/v1");
    });

    it("takes an autoscaler's targets for quantities, and the numbers of its policies for numbers", async () => {
        const policies = [{ type: "Pods", value: 4, periodSeconds: 60 }];
        const target = { type: "Value", value: "1000m" };
        const metrics = [{ type: "External", external: { metric: { name: "queue" }, target } }];
        const { spec } = await checked(
            provider(),
            contextOf("kubernetes:autoscaling/v2:HorizontalPodAutoscaler"),
            { metadata: { name: "a" }, spec: { metrics, behavior: { scaleUp: { policies } } } },
        );
        const normalized = [
            {
                type: "External",
                external: { metric: { name: "queue" }, target: { ...target, value: "1" } },
            },
        ];
        assert.deepEqual(spec, { metrics: normalized, behavior: { scaleUp: { policies } } });
    });

    it("names what it does not support", async () => {
        for (const type of [
            "kubernetes:core/v1:ServicePatch",
            "kubernetes:core/v1:ConfigMapList",
            "kubernetes:helm.sh/v3:Release",
            "kubernetes:yaml:ConfigFile",
        ]) {
            await assert.rejects(checked(provider(), contextOf(type), {}), (error: Error) =>
                error.message.startsWith(`${type} is not supported by the stand-in engine`),
            );
        }
        const ingress = await provider().check(
            contextOf("kubernetes:networking.k8s.io/v1:Ingress"),
            {
                newInputs: { metadata: { name: "i" } },
                randomSeed: seed(""),
            },
        );
        assert.match(
            ingress.failures[0]?.reason ?? "",
            /waiting for networking\.k8s\.io\/v1\/Ingress/,
        );
        await checked(provider(), contextOf("kubernetes:networking.k8s.io/v1:Ingress"), {
            metadata: { name: "i", annotations: { "pulumi.com/skipAwait": "true" } },
        });
    });

    it("refuses a waitFor that it does not understand, before anything is created", async () => {
        const failuresOf = async (waitFor: string): Promise<string[]> => {
            const result = await provider().check(contextOf(CONFIG_MAP), {
                newInputs: {
                    metadata: { name: "a", annotations: { "pulumi.com/waitFor": waitFor } },
                },
                randomSeed: seed(""),
            });
            return result.failures.map(({ property, reason }) => `${property}: ${reason}`);
        };
        const property = 'metadata.annotations["pulumi.com/waitFor"]';
        assert.deepEqual(await failuresOf("Ready"), [
            `${property}: expected a "jsonpath=" or "condition=" prefix, got "Ready"`,
        ]);
        assert.deepEqual(await failuresOf("[]"), [
            `${property}: at least one condition must be specified`,
        ]);
        assert.equal((await failuresOf("jsonpath=.status.phase=Bound")).length, 1);
        assert.deepEqual(await failuresOf('["condition=Ready", "jsonpath={.status.a}=1"]'), []);
    });

    it("refuses generateName without a name", async () => {
        const result = await provider().check(contextOf(CONFIG_MAP), {
            newInputs: { metadata: { generateName: "a-" } },
            randomSeed: seed(""),
        });
        assert.equal(result.failures[0]?.property, "metadata.generateName");
    });
});

describe("kubernetes settings", () => {
    it("reads booleans as text and from the environment, config first", () => {
        assert.deepEqual(readSettings({ enableConfigMapMutable: "true" }, {}).mutable, {
            configMaps: true,
            secrets: false,
        });
        const env = { PULUMI_K8S_ENABLE_SECRET_MUTABLE: "true" };
        assert.equal(readSettings({}, env).mutable.secrets, true);
        assert.equal(readSettings({ enableSecretMutable: false }, env).mutable.secrets, false);
    });

    it("names settings that it does not support, and wrong types", () => {
        assert.throws(
            () => readSettings({ upsertExistingObjects: true }, {}),
            /kubernetes:upsertExistingObjects = true is not supported by the stand-in engine/,
        );
        assert.throws(
            () => readSettings({ renderYamlToDirectory: "/tmp/x" }, {}),
            /renderYamlToDirectory/,
        );
        assert.throws(
            () => readSettings({ enableServerSideApply: false }, {}),
            /enableServerSideApply/,
        );
        assert.throws(
            () => readSettings({ context: 3 }, {}),
            /kubernetes:context is 3, expected a string/,
        );
        assert.doesNotThrow(() =>
            readSettings({ enableServerSideApply: true, upsertExistingObjects: "false" }, {}),
        );
    });
});
