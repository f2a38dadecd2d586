/* eslint-disable @typescript-eslint/no-explicit-any -- edits of free-form objects */
import assert from "node:assert/strict";
import { checkpoint } from "../../../sandbox/engine/providers/kubernetes/checkpoint";
import { diffObjects } from "../../../sandbox/engine/providers/kubernetes/diff";
import { type Diff, type Inputs, UNKNOWN } from "../../../sandbox/engine/providers/types";

const deployment = (): Inputs => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: "shop", labels: { app: "api" } },
    spec: {
        replicas: 3,
        selector: { matchLabels: { app: "api" } },
        template: {
            metadata: { labels: { app: "api" } },
            spec: {
                containers: [
                    {
                        name: "api",
                        image: "api:1",
                        env: [{ name: "EMPTY", value: "" }],
                        resources: { limits: { cpu: "1000m", memory: "256Mi" } },
                    },
                ],
            },
        },
    },
});

/** What the API server makes of inputs: defaults filled in, quantities canonical. */
function live(inputs: Inputs, patch: (object: Inputs) => void = () => undefined): Inputs {
    const object = structuredClone(inputs) as Inputs & { metadata: Inputs };
    Object.assign(object.metadata, { uid: "u1", generation: 1, resourceVersion: "7" });
    object.status = { observedGeneration: 1 };
    const limits = (object as any).spec?.template?.spec?.containers?.[0]?.resources?.limits;
    if (limits?.cpu === "1000m") limits.cpu = "1";
    patch(object);
    return object;
}

interface Case {
    old?: Inputs;
    outputs?: Inputs;
    next: Inputs;
    ignoreChanges?: string[];
    mutable?: { configMaps: boolean; secrets: boolean };
    namespaced?: boolean;
}

function diff(request: Case): Diff {
    const old = request.old ?? deployment();
    return diffObjects(
        request.outputs ?? checkpoint(old, live(old), "pulumi-kubernetes-1"),
        old,
        request.next,
        {
            mutable: request.mutable ?? { configMaps: false, secrets: false },
            ignoreChanges: request.ignoreChanges ?? [],
            namespaced: request.namespaced ?? true,
        },
    );
}

function changed(edit: (inputs: any) => void, from: Inputs = deployment()): Inputs {
    const copy = structuredClone(from);
    edit(copy);
    return copy;
}

describe("kubernetes diff", () => {
    it("finds nothing in unchanged inputs, whatever the cluster added", () => {
        const outputs = checkpoint(
            deployment(),
            live(deployment(), (object: any) => {
                object.spec.strategy = { type: "RollingUpdate" };
                object.spec.template.spec.dnsPolicy = "ClusterFirst";
                const [container] = object.spec.template.spec.containers;
                container.imagePullPolicy = "IfNotPresent";
                // The API server leaves empty strings out.
                delete container.env[0].value;
            }),
            "pulumi-kubernetes-1",
        );
        assert.deepEqual(diff({ outputs, next: deployment() }), {
            changes: false,
            replaceKeys: [],
            deleteBeforeReplace: false,
            detailed: {},
        });
    });

    it("names each change by its path", () => {
        const result = diff({
            next: changed((inputs) => {
                inputs.spec.replicas = 5;
                inputs.spec.template.spec.containers[0].image = "api:2";
                inputs.metadata.annotations = { "example.com/cause": "faster" };
                delete inputs.metadata.labels;
            }),
        });
        assert.deepEqual(result.detailed, {
            "spec.replicas": { kind: "update" },
            "spec.template.spec.containers[0].image": { kind: "update" },
            "metadata.annotations": { kind: "add" },
            "metadata.labels": { kind: "delete" },
        });
        assert.deepEqual(result.replaceKeys, []);
    });

    it("quotes keys with dots", () => {
        const old = changed((inputs) => (inputs.metadata.annotations = { "a.b/c": "1" }));
        const next = changed((inputs) => (inputs.metadata.annotations["a.b/c"] = "2"), old);
        assert.deepEqual(Object.keys(diff({ old, next }).detailed), [
            'metadata.annotations["a.b/c"]',
        ]);
    });

    it("sees drift that a refresh has brought into the state", () => {
        const outputs = checkpoint(
            deployment(),
            live(deployment(), (object: any) => (object.spec.replicas = 1)),
            "pulumi-kubernetes-1",
        );
        assert.deepEqual(diff({ outputs, next: deployment() }).detailed, {
            "spec.replicas": { kind: "update" },
        });
    });

    it("reports a zero value that was not asked for before", () => {
        const next = changed((inputs) => {
            inputs.spec.template.spec.containers[0].securityContext = {
                allowPrivilegeEscalation: false,
            };
        });
        assert.equal(diff({ next }).changes, true);
    });

    it("takes an unknown value for a change", () => {
        const next = changed((inputs) => (inputs.spec.replicas = UNKNOWN));
        assert.deepEqual(diff({ next }).detailed, { "spec.replicas": { kind: "update" } });
    });

    it("leaves out what ignoreChanges covers", () => {
        const next = changed((inputs) => {
            inputs.spec.replicas = 9;
            inputs.spec.template.spec.containers[0].image = "api:2";
        });
        const result = diff({
            next,
            ignoreChanges: ["spec.replicas", "spec.template.spec.containers[*].image"],
        });
        assert.equal(result.changes, false);
    });

    describe("replacement", () => {
        const configMap: Inputs = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "settings", namespace: "shop" },
            data: { a: "1" },
        };
        const of = (apiVersion: string, kind: string, spec: Inputs): Inputs => ({
            apiVersion,
            kind,
            metadata: { name: "x", namespace: "shop" },
            spec,
        });
        const cases: [string, Inputs, (inputs: any) => void, string[]][] = [
            [
                "a Deployment's selector",
                deployment(),
                (inputs) => (inputs.spec.selector.matchLabels.app = "other"),
                ["spec.selector.matchLabels.app"],
            ],
            [
                "a StatefulSet's claim templates",
                of("apps/v1", "StatefulSet", { volumeClaimTemplates: [{ spec: { a: "1" } }] }),
                (inputs) => (inputs.spec.volumeClaimTemplates[0].spec.a = "2"),
                ["spec.volumeClaimTemplates[0].spec.a"],
            ],
            [
                "a StatefulSet's serviceName",
                of("apps/v1", "StatefulSet", { serviceName: "a" }),
                (inputs) => (inputs.spec.serviceName = "b"),
                ["spec.serviceName"],
            ],
            [
                "a Job's template",
                of("batch/v1", "Job", { template: { spec: { a: "1" } } }),
                (inputs) => (inputs.spec.template.spec.a = "2"),
                ["spec.template.spec.a"],
            ],
            [
                "a Pod's image",
                of("v1", "Pod", { containers: [{ name: "a", image: "a:1" }] }),
                (inputs) => (inputs.spec.containers[0].image = "a:2"),
                ["spec.containers[0].image"],
            ],
            [
                "a claim's class",
                of("v1", "PersistentVolumeClaim", { storageClassName: "a" }),
                (inputs) => (inputs.spec.storageClassName = "b"),
                ["spec.storageClassName"],
            ],
            [
                "a Service's clusterIP",
                of("v1", "Service", { clusterIP: "None" }),
                (inputs) => (inputs.spec.clusterIP = "10.0.0.1"),
                ["spec.clusterIP"],
            ],
            ["a ConfigMap's data", configMap, (inputs) => (inputs.data.a = "2"), ["data.a"]],
            [
                "a Secret's stringData",
                { ...configMap, kind: "Secret", data: {}, stringData: { a: "1" } },
                (inputs) => (inputs.stringData.a = "2"),
                ["data.a"],
            ],
            [
                "a binding's role",
                {
                    ...of("rbac.authorization.k8s.io/v1", "RoleBinding", {}),
                    roleRef: { name: "a" },
                },
                (inputs) => (inputs.roleRef.name = "b"),
                ["roleRef.name"],
            ],
            [
                "the namespace",
                deployment(),
                (inputs) => (inputs.metadata.namespace = "other"),
                ["metadata.namespace"],
            ],
            ["the name", deployment(), (inputs) => (inputs.metadata.name = "b"), ["metadata.name"]],
        ];
        for (const [what, old, edit, keys] of cases) {
            it(`is forced by ${what}`, () => {
                const outputs = checkpoint(old, live(withDataOnly(old)), "m");
                const result = diff({ old, outputs, next: changed(edit, old) });
                assert.deepEqual(result.replaceKeys, keys);
                assert.ok(keys.every((key) => result.detailed[key]?.kind.endsWith("-replace")));
            });
        }

        /** The API server keeps `stringData` as `data`. */
        function withDataOnly(inputs: Inputs): Inputs {
            const { stringData, ...rest } = inputs as {
                stringData?: Record<string, string>;
            } & Inputs;
            if (stringData === undefined) return inputs;
            const data = Object.fromEntries(
                Object.entries(stringData).map(([key, value]) => [key, btoa(value)]),
            );
            return { ...rest, data };
        }

        it("is not forced by a Service's selector or a Deployment's template", () => {
            const service = of("v1", "Service", { selector: { color: "blue" } });
            const result = diff({
                old: service,
                next: changed((inputs) => (inputs.spec.selector.color = "green"), service),
            });
            assert.deepEqual(result.detailed, { "spec.selector.color": { kind: "update" } });
            assert.deepEqual(result.replaceKeys, []);
        });

        it("is not forced by a mutable ConfigMap's data, unless it is immutable", () => {
            const next = changed((inputs) => (inputs.data.a = "2"), configMap);
            const mutable = { configMaps: true, secrets: false };
            assert.deepEqual(diff({ old: configMap, next, mutable }).replaceKeys, []);
            const frozen = { ...configMap, immutable: true };
            const result = diff({ old: frozen, next: { ...next, immutable: true }, mutable });
            assert.deepEqual(result.replaceKeys, ["data.a"]);
        });

        it("deletes first only what keeps its explicit name and namespace", () => {
            const edit = (inputs: any): unknown => (inputs.data.a = "2");
            const named = changed(edit, configMap);
            assert.equal(diff({ old: configMap, next: named }).deleteBeforeReplace, true);

            const auto = changed((inputs) => {
                inputs.metadata.annotations = { "pulumi.com/autonamed": "true" };
            }, configMap);
            assert.equal(
                diff({ old: auto, next: changed(edit, auto) }).deleteBeforeReplace,
                false,
                "an autonamed object gets a new name",
            );
            const moved = changed((inputs) => (inputs.metadata.namespace = "other"), named);
            assert.equal(diff({ old: configMap, next: moved }).deleteBeforeReplace, false);
            const renamed = changed((inputs) => (inputs.metadata.name = "other"), named);
            assert.equal(diff({ old: configMap, next: renamed }).deleteBeforeReplace, false);
        });
    });

    it("takes a missing namespace for the default one, and none for cluster-wide kinds", () => {
        const old: Inputs = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "a", namespace: "default" },
        };
        const next: Inputs = { ...old, metadata: { name: "a" } };
        assert.equal(diff({ old, next }).changes, false);

        const namespace: Inputs = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } };
        const wrong: Inputs = { ...namespace, metadata: { name: "a", namespace: "b" } };
        assert.equal(diff({ old: namespace, next: wrong, namespaced: false }).changes, false);
    });
});
