import assert from "node:assert/strict";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { Route, Workload, type WorkloadArgs } from "../../components";
import { record, type Recording } from "../support/mocks";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SECRET = "kubernetes:core/v1:Secret";
/** What is not known, on Pulumi's wire. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const CONTAINER = "spec.template.spec.containers.0";

const base: WorkloadArgs = {
    app: "flask-api",
    deployment: "flask-api-blue",
    namespace: "endpoint-stats",
    selector: { app: "flask-api", deployment: "blue" },
    release: "1.0.0",
    image: "api:1.0.0",
    replicas: 3,
    serviceAccount: "flask-api",
};

function deploy(args: Partial<WorkloadArgs> = {}): Promise<Recording> {
    return record(() => {
        const { fingerprint } = new Workload("api-blue", { ...base, ...args });
        return { fingerprint, secret: pulumi.output(pulumi.isSecret(fingerprint)) };
    });
}

// The engine replaces what has a property that came from a resource replaced delete first, and the
// Service has one from every Workload: its fingerprint.
describe("a Workload that mounts a Secret of a fixed name", () => {
    const program = () => {
        const secret = new Secret("tls", {
            metadata: { name: "tls", namespace: "endpoint-stats" },
            stringData: { key: "k" },
        });
        const workload = new Workload("api-blue", {
            ...base,
            api: { labels: { "tls-uid": secret.metadata.name } },
            secretFiles: [
                {
                    name: "tls",
                    secretName: secret.metadata.name,
                    files: { key: "key" },
                    mountPath: "/etc/tls",
                },
            ],
        });
        new Secret("shows-fingerprint", { stringData: { it: workload.fingerprint } });
        return { fingerprint: workload.fingerprint };
    };

    it("waits for it, and has no property that comes from it", async () => {
        const deployment = (await record(program)).one(DEPLOYMENT);
        assert.deepEqual(deployment.propertyDependencies, {});
        assert.deepEqual(deployment.dependsOn, [`${SECRET}::tls`]);
        assert.equal(deployment.input("metadata.labels.tls-uid"), "tls");
        assert.equal(deployment.input("spec.template.spec.volumes.1.secret.secretName"), "tls");
    });

    it("may show it in the labels of all objects, the public Service's too", async () => {
        const recording = await record(() => {
            const secret = new Secret("tls", { metadata: { name: "tls", namespace: "shop" } });
            const { name } = secret.metadata;
            const gate = {
                context: "fake",
                namespace: "shop",
                route: "api",
                targets: [],
                from: [],
            };
            const selector = { app: "api" };
            const labels = { tls: name };
            new Route("api", {
                namespace: "shop",
                serviceName: "api",
                port: 80,
                selector,
                labels,
                serves: name,
                gate,
            });
            return {};
        });
        const service = recording.one("kubernetes:core/v1:Service");
        assert.equal(service.input("metadata.labels.tls"), "tls");
        assert.deepEqual(service.propertyDependencies, {});
        assert.deepEqual(service.dependsOn, [`${SECRET}::tls`]);
    });

    it("has a fingerprint that comes from no resource", async () => {
        const recording = await record(program);
        const shown = recording.one(SECRET, "shows-fingerprint");
        assert.deepEqual([shown.propertyDependencies, shown.dependsOn], [{}, []]);
        assert.match(String(recording.outputs.fingerprint), /^[0-9a-f]{10}$/);
    });

    it("keeps what a preview does not know unknown", async () => {
        const program = () => {
            const uid = pulumi.output<string>(pulumi.unknown as unknown as string);
            new Workload("api-blue", { ...base, env: { UID: uid } });
            return {};
        };
        const deployment = (await record(program, { preview: true })).one(DEPLOYMENT);
        assert.equal(deployment.input(`${CONTAINER}.env.4.value`), UNKNOWN);
    });

    it("keeps what is secret so, where it is, and its fingerprint plain", async () => {
        const args = { env: { TOKEN: pulumi.secret("t0ken") } };
        const recording = await deploy(args);
        assert.deepEqual(recording.one(DEPLOYMENT).secrets, [`${CONTAINER}.env.4.value`]);
        assert.equal(recording.one(DEPLOYMENT).input(`${CONTAINER}.env.4.value`), "t0ken");
        assert.equal(recording.outputs.secret, false);
        const { outputs } = await deploy({ env: { TOKEN: pulumi.secret("other") } });
        assert.notEqual(outputs.fingerprint, recording.outputs.fingerprint);
    });
});
