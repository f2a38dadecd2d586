import assert from "node:assert/strict";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { InvalidArgs } from "../../components";
import { GatewayRoute, type GatewayRouteArgs } from "../../components/gateway";
import { record } from "../support/mocks";

const ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute";
const GRANT = "kubernetes:gateway.networking.k8s.io/v1beta1:ReferenceGrant";
const ACCEPTANCE = "cutover:index:RouteAcceptance";

const base: GatewayRouteArgs = {
    namespace: "shop",
    routeName: "users",
    settings: { parent: { name: "main", namespace: "infra" } },
    backends: [
        { service: "users-green", namespace: "shop-green", port: 80, weight: 5 },
        { service: "users-blue", namespace: "shop-blue", port: 80, weight: 95 },
    ],
    labels: { app: "users" },
    serves: "release 1.0.0",
};

describe("GatewayRoute", () => {
    it("is an HTTPRoute with weighted backends", async () => {
        const recording = await record(() => {
            new GatewayRoute("users", base);
            return {};
        });
        assert.deepEqual(recording.one(ROUTE).inputs, {
            apiVersion: "gateway.networking.k8s.io/v1",
            kind: "HTTPRoute",
            metadata: {
                name: "users",
                namespace: "shop",
                labels: { app: "users" },
                annotations: { "cutover.local/serves": "release 1.0.0" },
            },
            spec: {
                parentRefs: [{ name: "main", namespace: "infra" }],
                rules: [
                    {
                        backendRefs: [
                            { name: "users-blue", namespace: "shop-blue", port: 80, weight: 950 },
                            { name: "users-green", namespace: "shop-green", port: 80, weight: 50 },
                        ],
                    },
                ],
            },
        });
    });

    it("comes after the grants in its backends' namespaces", async () => {
        const recording = await record(() => {
            new GatewayRoute("users", base);
            return {};
        });
        const from = [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "shop" }];
        assert.deepEqual(
            recording.all(GRANT).map(({ name, inputs }) => ({ name, inputs })),
            ["blue", "green"].map((side) => ({
                name: `users-grant-shop-${side}`,
                inputs: {
                    apiVersion: "gateway.networking.k8s.io/v1beta1",
                    kind: "ReferenceGrant",
                    metadata: {
                        name: "users",
                        namespace: `shop-${side}`,
                        labels: { app: "users" },
                    },
                    spec: { from, to: [{ group: "", kind: "Service", name: `users-${side}` }] },
                },
            })),
        );
        assert.deepEqual(
            recording.one(ROUTE).dependsOn.toSorted(),
            recording.all(GRANT).map(({ id }) => id),
        );
    });

    it("needs no grant, no label and no annotation of its own", async () => {
        const recording = await record(() => {
            const backends = [{ service: "a", namespace: "shop", port: 80, weight: 100 }];
            new GatewayRoute("users", { ...base, backends, labels: undefined, serves: undefined });
            return {};
        });
        assert.deepEqual(recording.all(GRANT), []);
        assert.deepEqual(recording.one(ROUTE).input("metadata"), {
            name: "users",
            namespace: "shop",
        });
    });

    it("waits for what its component waits for", async () => {
        const recording = await record(() => {
            const first = new ConfigMap("first");
            new GatewayRoute("users", base, { dependsOn: first });
            return {};
        });
        const first = "kubernetes:core/v1:ConfigMap::first";
        assert.ok(recording.one(ROUTE).dependsOn.includes(first));
        assert.ok(recording.one(GRANT, "users-grant-shop-blue").dependsOn.includes(first));
    });

    it("is accepted in an entry of the state, below the component and after the route", async () => {
        const recording = await record(() => {
            const { accepted, httpRoute } = new GatewayRoute("users", base);
            const isRoute = accepted.apply(
                (resource) => resource === httpRoute && CustomResource.isInstance(resource),
            );
            return { isRoute };
        });
        const acceptance = recording.one(ACCEPTANCE);
        assert.equal(acceptance.name, "users-accepted");
        assert.equal(acceptance.parent, "cutover:index:GatewayRoute::users");
        assert.deepEqual(acceptance.dependsOn, [`${ROUTE}::users`]);
        assert.equal(acceptance.input("route"), "shop/users");
        assert.equal(recording.outputs.isRoute, true);
    });

    it("holds back what depends on its acceptance", async () => {
        const recording = await record(() => {
            const { accepted } = new GatewayRoute("users", base);
            new ConfigMap("later", {}, { dependsOn: [accepted] });
            return {};
        });
        assert.deepEqual(recording.one("kubernetes:core/v1:ConfigMap").dependsOn, [
            `${ROUTE}::users`,
        ]);
    });

    it("refuses settings and backends with all that is wrong", async () => {
        await record(() => {
            const wrong = {
                ...base,
                settings: { parent: { name: "Main" } },
                backends: [{ service: "a", namespace: "shop", port: 80, weight: 1 }],
            };
            assert.throws(
                () => new GatewayRoute("users", wrong),
                (error) =>
                    error instanceof InvalidArgs &&
                    /gateway\.parent\.name: got "Main"/.test(error.message) &&
                    /backends: got weights that sum to 1/.test(error.message),
            );
            return {};
        });
    });
});
