import assert from "node:assert/strict";
import program from "../../index";
import { ConfigError } from "../../config";
import { record, type Recording } from "../support/mocks";

const config = {
    "kubernetes:context": "cutover-sandbox",
    "cutover:serviceName": "flask-api-bg",
    "cutover:serviceType": "NodePort",
    "cutover:nodePort": "30999",
    "cutover:releases": JSON.stringify({
        "1.0.0": { image: "api:1.0.0" },
        "2.0.0": { image: "api:2.0.0" },
    }),
    "cutover:blue": "1.0.0",
    "cutover:database": JSON.stringify({ image: "postgres:14" }),
};

const up = (
    changes: Record<string, string> = {},
    lastOutputs?: Record<string, unknown>,
): Promise<Recording> => record(program, { config: { ...config, ...changes }, lastOutputs });

describe("the program", () => {
    it("declares an API on blue, its database and the namespace of both", async () => {
        const { resources } = await up();
        const ids = resources.map(({ id }) => id);
        assert.deepEqual(ids.filter((id) => !/postgres/i.test(id)).sort(), [
            "cutover:index:BlueGreen::flask-api",
            "cutover:index:Disruption::flask-api-blue-pdb",
            "cutover:index:NetworkPolicies::flask-api",
            "cutover:index:Releases::flask-api",
            "cutover:index:Route::flask-api",
            "cutover:index:Workload::flask-api-blue",
            "kubernetes:apps/v1:Deployment::flask-api-blue",
            "kubernetes:core/v1:NamespacePatch::endpoint-stats",
            "kubernetes:core/v1:Service::flask-api",
            "kubernetes:core/v1:Service::flask-api-blue",
            "kubernetes:core/v1:ServiceAccount::flask-api",
            ...["api", "database", "default-deny", "router"].map(
                (role) =>
                    `kubernetes:networking.k8s.io/v1:NetworkPolicy::flask-api-${role}-endpoint-stats`,
            ),
            "kubernetes:policy/v1:PodDisruptionBudget::flask-api-blue-pdb",
        ]);
        assert.ok(ids.includes("cutover:index:Postgres::postgres"));
    });

    it("holds the namespace to Pod Security restricted, without owning it", async () => {
        // What is patched is neither deleted by `destroy` nor in the way of the next `up`.
        const namespace = (await up()).one("kubernetes:core/v1:NamespacePatch");
        assert.equal(namespace.input("kind"), "Namespace");
        assert.deepEqual(namespace.input("metadata"), {
            name: "endpoint-stats",
            labels: {
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": "v1.34",
                "pod-security.kubernetes.io/audit": "restricted",
                "pod-security.kubernetes.io/audit-version": "v1.34",
                "pod-security.kubernetes.io/warn": "restricted",
                "pod-security.kubernetes.io/warn-version": "v1.34",
            },
        });
    });

    it("tells the API where its database is, and its password by a file", async () => {
        const deployment = (await up()).one("kubernetes:apps/v1:Deployment");
        const container = "spec.template.spec.containers.0";
        const env = deployment.input(`${container}.env`) as { name: string; value?: string }[];
        const database = env.filter(({ name }) => name.startsWith("DB_"));
        assert.deepEqual(Object.fromEntries(database.map(({ name, value }) => [name, value])), {
            DB_HOST: "db",
            DB_PORT: "5432",
            DB_NAME: "endpoint_stats",
            DB_USER: "endpoint_stats_api",
            DB_PASSWORD_FILE: "/etc/cutover/database/password",
        });
        assert.deepEqual(deployment.input("spec.template.spec.volumes.1"), {
            name: "database",
            secret: {
                secretName: "postgres-secret",
                items: [{ path: "password", key: "api-password" }],
                defaultMode: 0o440,
            },
        });
        assert.deepEqual(deployment.input(`${container}.volumeMounts.1`), {
            name: "database",
            mountPath: "/etc/cutover/database",
            readOnly: true,
        });
    });

    it("has outputs of plain types", async () => {
        const { outputs } = await up({ "cutover:green": "2.0.0" });
        const { state, databaseState, keptOnDestroy, ...plain } = outputs;
        assert.deepEqual(plain, {
            url: "http://127.0.0.1:30999",
            activeColor: "blue",
            previewUrl: "http://flask-api-bg-preview.endpoint-stats.svc:9999",
            weights: { blue: 100, green: 0 },
            releases: { blue: "1.0.0", green: "2.0.0" },
            namespaces: ["endpoint-stats"],
        });
        assert.match(String(keptOnDestroy), /postgres-data-postgres-0/);
        assert.equal(typeof state, "object");
        assert.equal(typeof databaseState, "object");
    });

    it("has no secret among its inputs that is not marked as one", async () => {
        const { resources } = await up();
        const secret = /password-of-/;
        for (const { id, inputs, secrets } of resources) {
            if (!secret.test(JSON.stringify(inputs))) continue;
            assert.notDeepEqual(secrets, [], id);
        }
    });

    it("knows from its own last outputs what is running", async () => {
        const autoscaling = { "cutover:autoscaling": "{}" };
        const first = await up(autoscaling);
        const second = await up(autoscaling, { state: first.outputs.state });
        const ignored = (recording: Recording) =>
            recording.one("kubernetes:apps/v1:Deployment").ignoreChanges;
        assert.deepEqual([ignored(first), ignored(second)], [[], ["spec.replicas"]]);
    });

    it("refuses to become another API, before it declares anything", async () => {
        const { outputs } = await up();
        let refused: unknown;
        const { resources } = await record(
            async () => {
                refused = await program().catch((error: unknown) => error);
                return {};
            },
            {
                config: { ...config, "cutover:name": "shop" },
                lastOutputs: { state: outputs.state },
            },
        );
        assert.ok(refused instanceof ConfigError);
        assert.match(refused.message, /cutover:name: got "shop", expected "flask-api"/);
        assert.deepEqual(resources, []);
    });
});
