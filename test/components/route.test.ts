import assert from "node:assert/strict";
import { Route, ServiceType, type RouteArgs } from "../../components";
import { record } from "../support/mocks";

const base: RouteArgs = {
    namespace: "endpoint-stats",
    serviceName: "flask-api-bg",
    port: 9999,
    selector: { app: "flask-api", deployment: "blue" },
    gate: {
        context: "somewhere",
        namespace: "endpoint-stats",
        route: "flask-api-bg",
        targets: [
            {
                deployment: "flask-api-blue",
                selector: { app: "flask-api", deployment: "blue" },
                neededReady: 3,
                label: "blue",
            },
        ],
        from: [],
    },
};

async function route(args: Partial<RouteArgs> = {}) {
    const recording = await record(() => ({ url: new Route("api", { ...base, ...args }).url }));
    return { service: recording.one("kubernetes:core/v1:Service"), url: recording.outputs.url };
}

describe("Route", () => {
    it("is one Service, not waited for: Pulumi's wait passes with no endpoint", async () => {
        const { service, url } = await route();
        assert.deepEqual(service.input("spec"), {
            type: "ClusterIP",
            selector: { app: "flask-api", deployment: "blue" },
            ports: [{ name: "http", port: 9999, targetPort: 9999 }],
        });
        assert.deepEqual(service.input("metadata.annotations"), { "pulumi.com/skipAwait": "true" });
        assert.equal(url, "http://flask-api-bg.endpoint-stats.svc:9999");
    });

    it("says what runs behind it", async () => {
        const { service } = await route({ serves: "release 1.0.0" });
        assert.deepEqual(service.input("metadata.annotations"), {
            "pulumi.com/skipAwait": "true",
            "cutover.local/serves": "release 1.0.0",
        });
    });

    it("answers on a node's port", async () => {
        const { service, url } = await route({ type: ServiceType.nodePort, nodePort: 30999 });
        assert.equal(service.input("spec.type"), "NodePort");
        assert.equal(service.input("spec.ports.0.nodePort"), 30999);
        assert.equal(url, "http://127.0.0.1:30999");
    });

    it("is waited for as a LoadBalancer, which gets its address that way", async () => {
        const { service, url } = await route({ type: ServiceType.loadBalancer });
        assert.deepEqual(service.input("metadata.annotations"), {});
        assert.equal(url, "http://203.0.113.7:9999");
    });

    it("may lead to another port of the pods", async () => {
        const { service } = await route({ port: 80, targetPort: 8000 });
        assert.deepEqual(service.input("spec.ports"), [
            { name: "http", port: 80, targetPort: 8000 },
        ]);
    });
});
