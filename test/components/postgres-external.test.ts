import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { createDatabase, type DatabaseArgs } from "../../components/postgres/create";
import { ExternalDatabase } from "../../components/postgres/external";
import { InvalidArgs } from "../../components/validation/error";
import { record, type Recording, type RecordOptions } from "../support/mocks";

const TYPES = {
    password: "random:index/randomPassword:RandomPassword",
    secret: "kubernetes:core/v1:Secret",
    service: "kubernetes:core/v1:Service",
    slice: "kubernetes:discovery.k8s.io/v1:EndpointSlice",
};
const PASSWORD = "correct horse/battery";
const PORTS = [{ name: "postgres", port: 6432, targetPort: 6432 }];

function deploy(args: Partial<DatabaseArgs> = {}, options?: RecordOptions): Promise<Recording> {
    return record(() => {
        const all = { namespace: "stats", host: "pg.example.com", port: 6432, ...args };
        const made = createDatabase("postgres", all);
        const { host, clusterHost, port, database, apiUser, apiPasswordSecret } = made;
        const { credentialsHash, keptOnDestroy, state } = made;
        const found = { host, clusterHost, port, database, apiUser, apiPasswordSecret };
        return { ...found, credentialsHash, keptOnDestroy, state };
    }, options);
}

const idsOf = ({ resources }: Recording) =>
    resources.filter(({ type }) => /^(kubernetes|random):/.test(type)).map(({ id }) => id);

const everything = ({ resources, outputs, log }: Recording, except: string[]) =>
    JSON.stringify([resources.filter(({ type }) => !except.includes(type)), outputs, log]);

describe("ExternalDatabase", () => {
    it("makes no server and no volume: the Service, and the password where pods can mount it", async () => {
        const recording = await deploy({ password: PASSWORD });
        assert.deepEqual(idsOf(recording).sort(), [
            `${TYPES.secret}::postgres-secret`,
            `${TYPES.service}::postgres-db`,
            `${TYPES.password}::postgres-revision`,
        ]);
        const service = recording.one(TYPES.service);
        assert.equal(service.parent, "cutover:index:ExternalDatabase::postgres");
        assert.equal(service.input("metadata.name"), "db");
        assert.equal(service.input("metadata.namespace"), "stats");
        assert.deepEqual(service.input("metadata.annotations"), {
            "pulumi.com/skipAwait": "true",
        });
        assert.deepEqual(service.input("spec"), {
            type: "ExternalName",
            externalName: "pg.example.com",
            ports: PORTS,
        });
    });

    for (const [address, family] of [
        ["10.1.2.3", "IPv4"],
        ["fd00::5", "IPv6"],
    ] as const) {
        it(`leads to an ${family} address through an EndpointSlice`, async () => {
            const recording = await deploy({ host: address, passwordSecret: { name: "pg" } });
            assert.deepEqual(recording.one(TYPES.service).input("spec"), {
                type: "ClusterIP",
                clusterIP: "None",
                ports: PORTS,
            });
            const slice = recording.one(TYPES.slice);
            assert.equal(slice.input("metadata.namespace"), "stats");
            const labels = slice.input("metadata.labels") as Record<string, string>;
            assert.equal(labels["kubernetes.io/service-name"], "db");
            assert.equal(labels["endpointslice.kubernetes.io/managed-by"], "pulumi");
            assert.equal(slice.input("addressType"), family);
            assert.deepEqual(slice.input("endpoints"), [{ addresses: [address] }]);
            assert.deepEqual(slice.input("ports"), [
                { name: "postgres", port: 6432, protocol: "TCP" },
            ]);
            assert.equal(recording.outputs.clusterHost, "db.stats.svc.cluster.local");
        });
    }

    it("says where the API finds it", async () => {
        const { outputs } = await deploy({ password: PASSWORD, database: "a", apiUser: "b" });
        const { credentialsHash, ...found } = outputs;
        assert.deepEqual(found, {
            host: "db",
            clusterHost: "pg.example.com",
            port: 6432,
            database: "a",
            apiUser: "b",
            apiPasswordSecret: { name: "database-secret", key: "password" },
            keptOnDestroy: undefined,
            state: { version: 1, host: "pg.example.com" },
        });
        assert.match(String(credentialsHash), /^[0-9a-f]{16}$/);
        const defaults = (await deploy({ password: PASSWORD, port: undefined })).outputs;
        assert.deepEqual(
            [defaults.port, defaults.database, defaults.apiUser],
            [5432, "endpoint_stats", "endpoint_stats_api"],
        );
    });

    it("keeps a password in a Secret, secret in the state, and nowhere else", async () => {
        const recording = await deploy({ password: PASSWORD });
        const secret = recording.one(TYPES.secret);
        assert.equal(secret.input("metadata.name"), "database-secret");
        const data = secret.input("data") as Record<string, string>;
        assert.equal(Buffer.from(data.password ?? "", "base64").toString(), PASSWORD);
        assert.deepEqual(secret.secrets, ["data"]);
        const revision = recording.one(TYPES.password);
        assert.deepEqual(revision.input("keepers"), { password: PASSWORD });
        assert.deepEqual(revision.secrets, ["keepers.password"]);
        const elsewhere = everything(recording, [TYPES.secret, TYPES.password]);
        for (const text of [PASSWORD, Buffer.from(PASSWORD).toString("base64")]) {
            assert.ok(!elsewhere.includes(text));
        }
    });

    it("tells of a new password by something that cannot be guessed from it", async () => {
        const hash = async (options?: RecordOptions) =>
            (await deploy({ password: PASSWORD }, options)).outputs.credentialsHash;
        assert.equal(await hash(), await hash(), "it stays while the random text does");
        const live = { [`${TYPES.password}::postgres-revision`]: { length: 1 } };
        assert.equal(await hash({ live }), await hash(), "only the random text counts");
        const { outputs } = await deploy({ passwordSecret: { name: "pg" } });
        assert.equal(outputs.credentialsHash, undefined);
    });

    it("mounts the user's own Secret and copies nothing from it", async () => {
        const recording = await deploy({ passwordSecret: { name: "pg", key: "api" } });
        assert.deepEqual(idsOf(recording), [`${TYPES.service}::postgres-db`]);
        assert.deepEqual(recording.outputs.apiPasswordSecret, { name: "pg", key: "api" });
        const { outputs } = await deploy({ passwordSecret: { name: "pg" } });
        assert.deepEqual(outputs.apiPasswordSecret, { name: "pg", key: "password" });
    });

    it("goes on remembering the volume of the server that it took over from", async () => {
        const volume = {
            namespace: "stats",
            claim: "postgres-data-postgres-0",
            storage: "10Gi",
            database: "endpoint_stats",
            user: "admin",
        };
        const previous = { version: 1, volume };
        const { outputs, resources } = await deploy({ password: PASSWORD, previous });
        assert.deepEqual(outputs.state, { version: 1, host: "pg.example.com", volume });
        assert.match(
            String(outputs.keptOnDestroy),
            /kubectl delete pvc postgres-data-postgres-0 --namespace stats$/,
        );
        // Else the second `up` would differ from the first in the component's own inputs.
        const component = resources.find(({ type }) => type === "cutover:index:ExternalDatabase");
        assert.deepEqual(component?.inputs, { host: "pg.example.com", port: 6432 });
    });

    it("refuses what it cannot use", () => {
        const attempt = () =>
            new ExternalDatabase("pg", { namespace: "stats", host: "127.0.0.1", port: 0 });
        assert.throws(attempt, (error: Error) => {
            assert.ok(error instanceof InvalidArgs);
            assert.deepEqual(
                error.message.split("\n").map((text) => text.split(":")[0]),
                ['ExternalDatabase "pg" has 3 problems', "  host", "  port", "  password"],
            );
            return true;
        });
    });

    it("takes an Output for the password", async () => {
        const recording = await deploy({ password: pulumi.output(PASSWORD) });
        assert.deepEqual(recording.one(TYPES.secret).secrets, ["data"]);
    });
});

describe("the Service db when the database changes hands", () => {
    it("stays the same resource, in both directions", async () => {
        const formerParents = async (args: Partial<DatabaseArgs>) =>
            (await deploy(args)).one(TYPES.service, "postgres-db").formerParents;
        assert.deepEqual(await formerParents({ password: PASSWORD }), [
            "cutover:index:Postgres::postgres",
        ]);
        assert.deepEqual(await formerParents({ host: undefined, port: undefined }), [
            "cutover:index:ExternalDatabase::postgres",
        ]);
    });
});
