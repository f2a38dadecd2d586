import assert from "node:assert/strict";
import { checkpoint } from "../../../sandbox/engine/providers/kubernetes/checkpoint";
import type { Cluster } from "../../../sandbox/engine/providers/kubernetes/cluster";
import { diffObjects } from "../../../sandbox/engine/providers/kubernetes/diff";
import { NoMatchError } from "../../../sandbox/engine/providers/kubernetes/kinds";
import {
    createObject,
    updateObject,
} from "../../../sandbox/engine/providers/kubernetes/operations";
import type { Diff, Inputs } from "../../../sandbox/engine/providers/types";
import { contextOf } from "./support";

const TYPE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute";

/** A route with the weights of its two backends. */
function route(weights: number[], metadata: Inputs = {}): Inputs {
    return {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "users", namespace: "shop", ...metadata },
        spec: {
            parentRefs: [{ name: "main", namespace: "infra" }],
            rules: [
                {
                    backendRefs: weights.map((weight, index) => ({
                        name: `users-${index}`,
                        port: 80,
                        weight,
                    })),
                },
            ],
        },
    };
}

/** What the API server makes of it: the CRD's defaults filled in, zero weights kept. */
function live(weights: number[]): Inputs {
    const object = route(weights, { uid: "u1", generation: 1 });
    object.spec = {
        parentRefs: [
            {
                group: "gateway.networking.k8s.io",
                kind: "Gateway",
                name: "main",
                namespace: "infra",
            },
        ],
        rules: [
            {
                matches: [{ path: { type: "PathPrefix", value: "/" } }],
                backendRefs: weights.map((weight, index) => ({
                    group: "",
                    kind: "Service",
                    name: `users-${index}`,
                    port: 80,
                    weight,
                })),
            },
        ],
    };
    return object;
}

describe("custom resources: the diff of an HTTPRoute", () => {
    const diff = (weights: number[], next: Inputs): Diff =>
        diffObjects(checkpoint(route(weights), live(weights), "manager"), route(weights), next, {
            mutable: { configMaps: false, secrets: false },
            ignoreChanges: [],
            namespaced: true,
        });

    it("finds nothing in the CRD's defaults, nor in a weight of zero", () => {
        assert.deepEqual(diff([1000, 0], route([1000, 0])).detailed, {});
    });

    it("updates weights in place", () => {
        const found = diff([1000, 0], route([0, 1000]));
        assert.deepEqual(found.detailed, {
            "spec.rules[0].backendRefs[0].weight": { kind: "update" },
            "spec.rules[0].backendRefs[1].weight": { kind: "update" },
        });
        assert.deepEqual(found.replaceKeys, []);
    });

    it("notices a weight that is no longer named, and a backend that is", () => {
        const { spec } = route([1000]) as { spec: { rules: { backendRefs: Inputs[] }[] } };
        delete spec.rules[0]?.backendRefs[0]?.weight;
        const dropped = { ...route([1000]), spec } as Inputs;
        assert.deepEqual(diff([1000], dropped).detailed, {
            "spec.rules[0].backendRefs[0].weight": { kind: "delete" },
        });
        assert.deepEqual(diff([1000], route([1000, 0])).detailed, {
            "spec.rules[0].backendRefs[1]": { kind: "add" },
        });
    });

    it("replaces it only for another name or namespace", () => {
        assert.deepEqual(diff([1], route([1], { name: "other" })).replaceKeys, ["metadata.name"]);
        assert.deepEqual(diff([1], route([1], { namespace: "other" })).replaceKeys, [
            "metadata.namespace",
        ]);
        assert.deepEqual(diff([1], route([1], { labels: { a: "b" } })).replaceKeys, []);
    });
});

describe("custom resources: a kind that the API server does not know", () => {
    const unknown = () =>
        Promise.reject(new NoMatchError("gateway.networking.k8s.io/v1", "HTTPRoute"));
    const cluster = { create: unknown, get: unknown } as unknown as Cluster;
    const context = contextOf(TYPE, "users");
    const inputs = route([1]);
    const old = { id: "shop/users", oldInputs: inputs, oldOutputs: inputs, ignoreChanges: [] };
    const reason =
        "failed because the Kubernetes API server reported that the apiVersion for this resource does not exist. " +
        'Verify that any required CRDs have been created: no matches for kind "HTTPRoute" in version "gateway.networking.k8s.io/v1"';

    it("is previewed by its inputs alone", async () => {
        const preview = { inputs, preview: true };
        assert.equal(await createObject(cluster, context, preview, false), undefined);
        assert.equal(
            await updateObject(cluster, context, { ...old, ...preview }, false),
            undefined,
        );
    });

    it("fails in the real provider's words", async () => {
        const up = { inputs, preview: false };
        await assert.rejects(createObject(cluster, context, up, false), {
            message: `creation of resource "${context.urn}" with kind gateway.networking.k8s.io/v1/HTTPRoute ${reason}`,
        });
        await assert.rejects(updateObject(cluster, context, { ...old, ...up }, false), {
            message: `update of resource "${context.urn}" ${reason}`,
        });
    });
});
