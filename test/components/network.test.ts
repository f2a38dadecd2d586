import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { NetworkPolicies, type NetworkPoliciesArgs } from "../../components";
import { record, type Recording } from "../support/mocks";

const POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

const base: NetworkPoliciesArgs = {
    app: "user-service",
    namespaces: ["ecommerce"],
    port: 8000,
    router: {
        namespace: "ecommerce",
        selector: { app: "nginx-load-balancer" },
        port: 8080,
    },
    database: { namespace: "ecommerce", selector: { app: "postgres" }, port: 5432 },
};

const apiPods = { matchLabels: { app: "user-service", component: "api" } };
const routerPods = { matchLabels: { app: "nginx-load-balancer" } };
const tcp = (port: number) => ({ port, protocol: "TCP" });
const namespaces = (...values: string[]) => ({
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values }],
});
const dns = {
    to: [
        {
            namespaceSelector: namespaces("kube-system"),
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
        },
    ],
    ports: [{ port: 53, protocol: "UDP" }, tcp(53)],
};

async function declare(args: Partial<NetworkPoliciesArgs> = {}): Promise<Recording> {
    return record(() => {
        new NetworkPolicies("net", { ...base, ...args });
        return {};
    });
}

/** The policies' specs by `<namespace>/<name>`. */
async function specs(args: Partial<NetworkPoliciesArgs> = {}): Promise<Record<string, unknown>> {
    const all = (await declare(args)).all(POLICY);
    return Object.fromEntries(
        all.map((policy) => [
            `${String(policy.input("metadata.namespace"))}/${String(policy.input("metadata.name"))}`,
            policy.input("spec"),
        ]),
    );
}

describe("NetworkPolicies", () => {
    it("close the namespace to what comes in, and open what is needed", async () => {
        assert.deepEqual(await specs(), {
            "ecommerce/user-service-default-deny": { podSelector: {}, policyTypes: ["Ingress"] },
            "ecommerce/user-service-api": {
                podSelector: apiPods,
                policyTypes: ["Ingress"],
                ingress: [{ ports: [tcp(8000)] }],
            },
            "ecommerce/user-service-router": {
                podSelector: routerPods,
                policyTypes: ["Ingress"],
                ingress: [{ ports: [tcp(8080)] }],
            },
            "ecommerce/user-service-database": {
                podSelector: { matchLabels: { app: "postgres" } },
                policyTypes: ["Ingress"],
                ingress: [
                    {
                        from: [
                            {
                                namespaceSelector: namespaces("ecommerce"),
                                podSelector: apiPods,
                            },
                        ],
                        ports: [tcp(5432)],
                    },
                ],
            },
        });
    });

    it("open the API to the listed alone, to its router, and to who reads its metrics", async () => {
        const found = await specs({
            network: {
                ingress: [
                    { namespaceSelector: { team: "shop" }, podSelector: { app: "web" } },
                    { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] },
                ],
                metrics: [{ namespaceSelector: { "kubernetes.io/metadata.name": "monitoring" } }],
            },
        });
        const listed = [
            {
                namespaceSelector: { matchLabels: { team: "shop" } },
                podSelector: { matchLabels: { app: "web" } },
            },
            { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } },
        ];
        const metrics = {
            namespaceSelector: {
                matchLabels: { "kubernetes.io/metadata.name": "monitoring" },
            },
        };
        const router = { namespaceSelector: namespaces("ecommerce"), podSelector: routerPods };
        assert.deepEqual((found["ecommerce/user-service-api"] as { ingress: unknown }).ingress, [
            { from: [...listed, metrics, router], ports: [tcp(8000)] },
        ]);
        assert.deepEqual((found["ecommerce/user-service-router"] as { ingress: unknown }).ingress, [
            { from: listed, ports: [tcp(8080)] },
        ]);
    });

    it("open nothing to nobody, which to Kubernetes would be everyone", async () => {
        const found = await specs({ network: { ingress: [] }, router: undefined });
        const api = found["ecommerce/user-service-api"] as Record<string, unknown>;
        assert.equal(api.ingress, undefined);
        const routed = await specs({ network: { ingress: [], egress: [] } });
        const router = routed["ecommerce/user-service-router"] as Record<string, unknown>;
        assert.equal(router.ingress, undefined);
        const behind = routed["ecommerce/user-service-api"] as { ingress: { from: unknown[] }[] };
        assert.deepEqual(behind.ingress[0]?.from, [
            { namespaceSelector: namespaces("ecommerce"), podSelector: routerPods },
        ]);
    });

    it("leave out what is empty, as the API server does", async () => {
        const found = await specs({
            network: {
                ingress: [{ namespaceSelector: {}, podSelector: {} }],
                egress: [{ cidr: "192.0.2.0/24", except: [], ports: [] }],
            },
        });
        const api = found["ecommerce/user-service-api"] as {
            ingress: { from: unknown[] }[];
            egress: unknown[];
        };
        assert.deepEqual(api.ingress[0]?.from[0], { namespaceSelector: {}, podSelector: {} });
        assert.deepEqual(api.egress.at(-1), { to: [{ ipBlock: { cidr: "192.0.2.0/24" } }] });
    });

    it("let nothing out but to the listed, DNS, the database and the API, once anything is", async () => {
        const found = await specs({
            network: {
                egress: [
                    { cidr: "192.0.2.0/24", ports: [{ port: 443 }] },
                    { podSelector: { app: "cache" } },
                ],
            },
        });
        const both = ["Ingress", "Egress"];
        assert.deepEqual(found["ecommerce/user-service-default-deny"], {
            podSelector: {},
            policyTypes: both,
        });
        const api = found["ecommerce/user-service-api"] as Record<string, unknown>;
        assert.deepEqual(api.policyTypes, both);
        assert.deepEqual(api.egress, [
            dns,
            {
                to: [
                    {
                        namespaceSelector: namespaces("ecommerce"),
                        podSelector: { matchLabels: { app: "postgres" } },
                    },
                ],
                ports: [tcp(5432)],
            },
            { to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [tcp(443)] },
            { to: [{ podSelector: { matchLabels: { app: "cache" } } }] },
        ]);
        const router = found["ecommerce/user-service-router"] as Record<string, unknown>;
        assert.deepEqual(router.egress, [
            dns,
            {
                to: [{ namespaceSelector: namespaces("ecommerce"), podSelector: apiPods }],
                ports: [tcp(8000)],
            },
        ]);
        const database = found["ecommerce/user-service-database"] as Record<string, unknown>;
        assert.deepEqual([database.policyTypes, database.egress], [both, undefined]);
    });

    it("cover a namespace for each color, and their way to router and database", async () => {
        const found = await specs({
            namespaces: ["ecommerce-blue", "ecommerce-green"],
            otherNamespaces: ["ecommerce"],
            network: { ingress: [{ podSelector: {} }], egress: [] },
        });
        assert.deepEqual(Object.keys(found).sort(), [
            "ecommerce-blue/user-service-api",
            "ecommerce-blue/user-service-default-deny",
            "ecommerce-green/user-service-api",
            "ecommerce-green/user-service-default-deny",
            "ecommerce/user-service-database",
            "ecommerce/user-service-default-deny",
            "ecommerce/user-service-router",
        ]);
        const everywhere = {
            namespaceSelector: namespaces("ecommerce", "ecommerce-blue", "ecommerce-green"),
            podSelector: apiPods,
        };
        const database = found["ecommerce/user-service-database"] as { ingress: unknown };
        const router = found["ecommerce/user-service-router"] as { egress: unknown[] };
        assert.deepEqual(database.ingress, [{ from: [everywhere], ports: [tcp(5432)] }]);
        assert.deepEqual(router.egress[1], { to: [everywhere], ports: [tcp(8000)] });
    });

    it("open the way to a database that is not in the cluster, by its address if it has one", async () => {
        const ways = async (host: string) => {
            const found = await specs({
                database: undefined,
                router: undefined,
                externalDatabase: { host, port: 6432 },
                network: { egress: [] },
            });
            assert.equal(Object.keys(found).length, 2);
            return (found["ecommerce/user-service-api"] as { egress: unknown[] }).egress.slice(1);
        };
        const ports = [tcp(6432)];
        assert.deepEqual(await ways("192.0.2.7"), [
            { to: [{ ipBlock: { cidr: "192.0.2.7/32" } }], ports },
        ]);
        assert.deepEqual(await ways("2001:db8::7"), [
            { to: [{ ipBlock: { cidr: "2001:db8::7/128" } }], ports },
        ]);
        assert.deepEqual(await ways("db.example.com"), [{ ports }]);
    });

    it("have the labels of all objects, and wait for what the component waits for", async () => {
        const recording = await record(() => {
            const dependsOn = new OtherCluster("first");
            new NetworkPolicies("net", { ...base, labels: { team: "a" } }, { dependsOn });
            return {};
        });
        const policy = recording.one(POLICY, "net-api-ecommerce");
        assert.deepEqual(policy.input("metadata.labels"), {
            team: "a",
            app: "user-service",
            component: "api",
            "app.kubernetes.io/name": "user-service",
            "app.kubernetes.io/instance": "user-service-api",
            "app.kubernetes.io/component": "api",
            "app.kubernetes.io/part-of": "ecommerce",
            "app.kubernetes.io/managed-by": "pulumi",
        });
        assert.equal(policy.parent, "cutover:index:NetworkPolicies::net");
        assert.deepEqual(policy.dependsOn, ["pulumi:providers:kubernetes::first"]);
    });
});

class OtherCluster extends pulumi.ProviderResource {
    constructor(name: string) {
        super("kubernetes", name);
    }
}
