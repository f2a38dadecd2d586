import * as assert from "node:assert/strict";
import { Postgres, type PostgresArgs } from "../../components/postgres";
import { InvalidArgs } from "../../components/validation/error";
import { record, type Recording } from "../support/mocks";

/** A Kubernetes object, or a part of one, whose fields each test knows. */
type Json = ReturnType<typeof JSON.parse>;

/** What an output is made of, which the SDK keeps to itself. */
interface WithSources {
    allResources(): Promise<Set<unknown>>;
}

const TYPES = {
    password: "random:index/randomPassword:RandomPassword",
    secret: "kubernetes:core/v1:Secret",
    configMap: "kubernetes:core/v1:ConfigMap",
    serviceAccount: "kubernetes:core/v1:ServiceAccount",
    service: "kubernetes:core/v1:Service",
    statefulSet: "kubernetes:apps/v1:StatefulSet",
};

function deploy(args: Partial<PostgresArgs> = {}): Promise<Recording> {
    const program = () => {
        const made = new Postgres("db", { namespace: "endpoint-stats", ...args });
        const { host, port, database, apiUser, apiPasswordSecret } = made;
        const { credentialsHash, keptOnDestroy } = made;
        return { host, port, database, apiUser, apiPasswordSecret, credentialsHash, keptOnDestroy };
    };
    return record(program);
}

describe("Postgres", () => {
    let recording: Recording;
    let server: Json;
    let pod: Json;
    let container: Json;

    before(async () => {
        recording = await deploy();
        server = recording.one(TYPES.statefulSet).inputs;
        pod = server.spec.template.spec;
        container = pod.containers[0];
    });

    it("registers these children and no others, each below the component", () => {
        const children = recording.resources.filter(
            ({ parent }) => parent === "cutover:index:Postgres::db",
        );
        assert.deepEqual(children.map(({ id }) => id).sort(), [
            "kubernetes:apps/v1:StatefulSet::db-server",
            "kubernetes:core/v1:ConfigMap::db-start",
            "kubernetes:core/v1:Secret::db-secret",
            "kubernetes:core/v1:Service::db-db",
            "kubernetes:core/v1:Service::db-postgres",
            "kubernetes:core/v1:ServiceAccount::db-service-account",
            "random:index/randomPassword:RandomPassword::db-admin-password",
            "random:index/randomPassword:RandomPassword::db-api-password",
        ]);
        const ours = recording.resources.filter(({ type }) => /^(kubernetes|random):/.test(type));
        assert.equal(ours.length, children.length);
    });

    it("has the guide's StatefulSet", () => {
        assert.equal(server.metadata.name, "postgres");
        assert.equal(server.metadata.namespace, "endpoint-stats");
        assert.equal(server.spec.replicas, 1);
        assert.equal(server.spec.serviceName, "postgres");
        assert.equal(server.spec.podManagementPolicy, "Parallel");
        assert.deepEqual(server.spec.selector, { matchLabels: { app: "postgres" } });
        assert.equal(server.spec.template.metadata.labels.app, "postgres");
        assert.equal(pod.containers.length, 1);
        assert.equal(container.name, "postgres");
        assert.equal(container.image, "postgres:14");
        assert.deepEqual(container.ports, [{ name: "postgres", containerPort: 5432 }]);
    });

    it("keeps 10Gi in a claim that outlives the StatefulSet", () => {
        assert.deepEqual(server.spec.volumeClaimTemplates, [
            {
                metadata: { name: "postgres-data", labels: { app: "postgres" } },
                spec: {
                    accessModes: ["ReadWriteOnce"],
                    resources: { requests: { storage: "10Gi" } },
                },
            },
        ]);
        assert.deepEqual(server.spec.persistentVolumeClaimRetentionPolicy, {
            whenDeleted: "Retain",
            whenScaled: "Retain",
        });
        assert.deepEqual(mount("postgres-data"), {
            name: "postgres-data",
            mountPath: "/var/lib/postgresql/data",
        });
        assert.equal(env("PGDATA"), "/var/lib/postgresql/data/pgdata");
    });

    it("never changes the claim template of a running server", () => {
        assert.deepEqual(recording.one(TYPES.statefulSet).ignoreChanges, [
            "spec.volumeClaimTemplates",
        ]);
    });

    it("waits for the server for five minutes", () => {
        const { timeouts } = recording.one(TYPES.statefulSet);
        assert.deepEqual(timeouts, { create: "5m", update: "5m" });
    });

    it("has the headless Service and the alias, neither of them awaited", () => {
        const inputs = (name: string): Json => recording.one(TYPES.service, name).inputs;
        const headless = inputs("db-postgres");
        const alias = inputs("db-db");
        const ports = [{ name: "postgres", port: 5432, targetPort: 5432 }];
        assert.equal(headless.metadata.name, "postgres");
        assert.deepEqual(headless.spec, {
            clusterIP: "None",
            selector: { app: "postgres" },
            ports,
        });
        assert.equal(alias.metadata.name, "db");
        assert.deepEqual(alias.spec, { type: "ClusterIP", selector: { app: "postgres" }, ports });
        for (const service of [headless, alias]) {
            assert.equal(service.metadata.namespace, "endpoint-stats");
            assert.equal(service.metadata.annotations["pulumi.com/skipAwait"], "true");
        }
    });

    it("makes two passwords of 32 letters and digits", () => {
        for (const { inputs } of recording.all(TYPES.password)) {
            assert.equal(inputs.length, 32);
            assert.equal(inputs.special, false);
            assert.deepEqual(inputs.keepers, { version: "1" });
        }
        assert.equal(recording.all(TYPES.password).length, 2);
    });

    it("keeps them in one Secret, secret in the state", () => {
        const { inputs, secrets }: Json = recording.one(TYPES.secret);
        assert.equal(inputs.metadata.name, "postgres-secret");
        assert.equal(inputs.type, "Opaque");
        const decode = (key: string) => Buffer.from(inputs.data[key], "base64").toString();
        assert.deepEqual(Object.keys(inputs.data).sort(), ["api-password", "password"]);
        assert.equal(decode("password"), "password-of-db-admin-password");
        assert.equal(decode("api-password"), "password-of-db-api-password");
        assert.ok(
            secrets.includes("data") ||
                (secrets.includes("data.password") && secrets.includes("data.api-password")),
            `secret paths: ${secrets.join(", ")}`,
        );
    });

    it("shows a password nowhere but there", () => {
        const elsewhere = recording.resources.filter(
            ({ type }) => type !== TYPES.secret && type !== TYPES.password,
        );
        const text = JSON.stringify([elsewhere, recording.outputs.keptOnDestroy]);
        for (const role of ["admin", "api"]) {
            const password = `password-of-db-${role}-password`;
            assert.ok(!text.includes(password));
            assert.ok(!text.includes(Buffer.from(password).toString("base64")));
        }
    });

    it("gives the pod its passwords as files that only its group can read", () => {
        assert.deepEqual(volume("credentials"), {
            name: "credentials",
            secret: {
                secretName: "postgres-secret",
                defaultMode: 0o440,
                items: [
                    { key: "password", path: "password" },
                    { key: "api-password", path: "api-password" },
                ],
            },
        });
        const { mountPath, readOnly } = mount("credentials");
        assert.equal(readOnly, true);
        assert.equal(env("POSTGRES_PASSWORD_FILE"), `${mountPath}/password`);
        assert.equal(env("API_PASSWORD_FILE"), `${mountPath}/api-password`);
        assert.ok(container.env.every((variable: Json) => variable.valueFrom === undefined));
    });

    it("names the database, the admin and the API's role", () => {
        assert.equal(env("POSTGRES_DB"), "endpoint_stats");
        assert.equal(env("POSTGRES_USER"), "admin");
        assert.equal(env("API_USER"), "endpoint_stats_api");
    });

    it("asks for scram-sha-256 in a new volume too", () => {
        assert.match(env("POSTGRES_INITDB_ARGS"), /--auth-host=scram-sha-256/);
        assert.match(env("POSTGRES_INITDB_ARGS"), /--auth-local=peer/);
        assert.match(env("POSTGRES_INITDB_ARGS"), /--data-checksums/);
    });

    it("fulfils the restricted Pod Security Standard, with a read-only root", () => {
        assert.deepEqual(pod.securityContext, {
            runAsNonRoot: true,
            runAsUser: 10999,
            runAsGroup: 10999,
            fsGroup: 10999,
            fsGroupChangePolicy: "OnRootMismatch",
            seccompProfile: { type: "RuntimeDefault" },
        });
        assert.deepEqual(container.securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
        });
        const writable = container.volumeMounts
            .filter(({ readOnly }: Json) => readOnly !== true)
            .map(({ mountPath }: Json) => mountPath);
        assert.deepEqual(writable, ["/var/lib/postgresql/data", "/var/run/postgresql", "/tmp"]);
        for (const name of ["sockets", "tmp"]) {
            assert.match(volume(name).emptyDir.sizeLimit, /^\d+Mi$/);
        }
    });

    it("runs as a ServiceAccount of its own, without a token", () => {
        const account: Json = recording.one(TYPES.serviceAccount).inputs;
        assert.equal(account.metadata.name, "postgres");
        assert.equal(account.automountServiceAccountToken, false);
        assert.equal(pod.serviceAccountName, "postgres");
        assert.equal(pod.automountServiceAccountToken, false);
        assert.equal(pod.enableServiceLinks, false);
    });

    it("has probes with three purposes", () => {
        const startup = container.startupProbe;
        const readiness = container.readinessProbe;
        const liveness = container.livenessProbe;
        // Over TCP, which is closed until the roles are reconciled.
        for (const probe of [startup, readiness]) {
            assert.equal(probe.exec.command[0], "pg_isready");
            assert.ok(probe.exec.command.includes("127.0.0.1"));
        }
        // On the socket, and "rejecting connections" (exit code 1) is alive.
        assert.match(
            liveness.exec.command.at(-1),
            /--host \/var\/run\/postgresql \|\| \[ \$\? -eq 1 \]/,
        );
        assert.ok(startup.periodSeconds * startup.failureThreshold >= 600, "crash recovery");
        assert.deepEqual(timing(readiness), [5, 3, 2]);
        assert.deepEqual(timing(liveness), [20, 5, 3]);
    });

    it("shuts down fast, with time for the checkpoint", () => {
        assert.equal(pod.terminationGracePeriodSeconds, 120);
        assert.deepEqual(container.lifecycle.preStop.exec.command, ["bash", "-c", "kill -INT 1"]);
    });

    it("bounds what it takes of the node", () => {
        assert.deepEqual(container.resources, {
            requests: { memory: "256Mi", cpu: "100m", "ephemeral-storage": "64Mi" },
            limits: { memory: "512Mi", cpu: "1", "ephemeral-storage": "256Mi" },
        });
    });

    it("starts with files from a ConfigMap that is named by its content", async () => {
        const { metadata, data }: Json = recording.one(TYPES.configMap).inputs;
        assert.match(metadata.name, /^postgres-start-[0-9a-f]{8}$/);
        assert.equal(volume("start-files").configMap.name, metadata.name);
        const { mountPath } = mount("start-files");
        assert.deepEqual(container.command, ["bash", `${mountPath}/start.sh`]);
        assert.deepEqual(Object.keys(data).sort(), [
            "passwd",
            "pg_hba.conf",
            "pg_ident.conf",
            "reconcile.sql",
            "start.sh",
        ]);
        const other = await deploy({ apiUser: "reader" });
        const renamed: Json = other.one(TYPES.configMap).inputs;
        assert.notEqual(renamed.metadata.name, metadata.name);
    });

    it("says who may connect, and never trusts", () => {
        const { data }: Json = recording.one(TYPES.configMap).inputs;
        const rules = (data["pg_hba.conf"] as string)
            .split("\n")
            .filter((line) => line !== "" && !line.startsWith("#"));
        assert.deepEqual(rules, [
            'local   all  "admin"  peer map=server',
            'host    all  "admin"  all  scram-sha-256',
            'host    "endpoint_stats"  "endpoint_stats_api"  all  scram-sha-256',
        ]);
        assert.match(data["pg_ident.conf"], /^server {2}postgres {2}"admin"$/m);
        assert.match(data.passwd, /^postgres:x:10999:10999:/m);
        assert.doesNotMatch(data["start.sh"], /\btrust\b/);
    });

    it("lets nothing be replaced along with its Secret", async () => {
        const { dependsOn } = recording.one(TYPES.statefulSet);
        assert.ok(dependsOn.includes(`${TYPES.secret}::db-secret`), "it waits for it");
        let sources: Set<unknown> | undefined;
        await record(async () => {
            const { apiPasswordSecret } = new Postgres("db", { namespace: "endpoint-stats" });
            const name = apiPasswordSecret.name as unknown as WithSources;
            sources = await name.allResources();
            return {};
        });
        assert.deepEqual(sources, new Set());
    });

    it("restarts the server when the passwords change, and only then", async () => {
        const hash = (of: Recording) =>
            (of.one(TYPES.statefulSet).inputs as Json).spec.template.metadata.annotations[
                "cutover.dev/credentials-hash"
            ];
        assert.match(hash(recording), /^[0-9a-f]{16}$/);
        assert.equal(hash(await deploy({ storage: "20Gi" })), hash(recording));
        const renamed = await record(() => {
            const { host } = new Postgres("other", { namespace: "endpoint-stats" });
            return { host };
        });
        assert.notEqual(hash(renamed), hash(recording));
        assert.ok(
            !recording.one(TYPES.statefulSet).secrets.length,
            "the template stays readable in diffs",
        );
    });

    it("makes new passwords for another version", async () => {
        const rotated = await deploy({ passwordVersion: "2" });
        for (const { inputs } of rotated.all(TYPES.password)) {
            assert.deepEqual(inputs.keepers, { version: "2" });
        }
    });

    it("says where the API finds it, and what destroy leaves behind", () => {
        const { keptOnDestroy, credentialsHash, ...found }: Json = recording.outputs;
        assert.deepEqual(found, {
            host: "db",
            port: 5432,
            database: "endpoint_stats",
            apiUser: "endpoint_stats_api",
            apiPasswordSecret: { name: "postgres-secret", key: "api-password" },
        });
        const { annotations } = server.spec.template.metadata;
        assert.equal(credentialsHash, annotations["cutover.dev/credentials-hash"]);
        assert.match(keptOnDestroy, /postgres-data-postgres-0 in namespace endpoint-stats/);
        assert.match(
            keptOnDestroy,
            /kubectl delete pvc postgres-data-postgres-0 --namespace endpoint/,
        );
    });

    it("takes other values for what has a default", async () => {
        const other = await deploy({
            image: "registry.example/postgres:16",
            database: "users",
            user: "root_of_all",
            apiUser: "users_api",
            storage: "1Gi",
            storageClassName: "fast",
            resources: { limits: { memory: "1Gi" } },
            labels: { team: "a", app: "mine" },
            imagePullSecrets: ["registry"],
        });
        const { metadata, spec }: Json = other.one(TYPES.statefulSet).inputs;
        const [own] = spec.template.spec.containers;
        assert.equal(own.image, "registry.example/postgres:16");
        assert.deepEqual(
            own.env
                .filter(({ name }: Json) => /_DB$|_USER$/.test(name))
                .map(({ value }: Json) => value),
            ["users", "root_of_all", "users_api"],
        );
        const claim = spec.volumeClaimTemplates[0].spec;
        assert.equal(claim.storageClassName, "fast");
        assert.equal(claim.resources.requests.storage, "1Gi");
        assert.deepEqual(own.resources.limits, { memory: "1Gi" });
        assert.equal(own.resources.requests.memory, "256Mi");
        assert.equal(metadata.labels.team, "a");
        assert.equal(metadata.labels.app, "postgres");
        assert.deepEqual(spec.template.spec.imagePullSecrets, [{ name: "registry" }]);
        const { data }: Json = other.one(TYPES.configMap).inputs;
        assert.match(
            data["pg_hba.conf"],
            /^host {4}"users" {2}"users_api" {2}all {2}scram-sha-256$/m,
        );
    });

    it("refuses names that PostgreSQL or its files would take for something else", () => {
        const attempt = () =>
            new Postgres("db", {
                namespace: "endpoint-stats",
                database: "template1",
                user: 'a"b',
                apiUser: "pg_monitor",
            });
        assert.throws(attempt, (error: Error) => {
            assert.ok(error instanceof InvalidArgs);
            assert.equal(
                error.message,
                [
                    'Postgres "db" has 3 problems:',
                    '  database: got "template1", expected a name that PostgreSQL does not reserve',
                    '  user: got "a\\"b", expected at most 63 lower-case letters, digits and "_", not starting with a digit',
                    '  apiUser: got "pg_monitor", expected a name that PostgreSQL does not reserve',
                ].join("\n"),
            );
            return true;
        });
    });

    it("refuses to let the API be the superuser", () => {
        const attempt = () => new Postgres("db", { namespace: "a", user: "same", apiUser: "same" });
        assert.throws(attempt, /apiUser: got "same", expected another role than `user`/);
    });

    function env(name: string): string {
        return container.env.find((variable: Json) => variable.name === name)?.value;
    }

    function mount(name: string): Json {
        return container.volumeMounts.find((candidate: Json) => candidate.name === name);
    }

    function volume(name: string): Json {
        return pod.volumes.find((candidate: Json) => candidate.name === name);
    }

    function timing({ periodSeconds, timeoutSeconds, failureThreshold }: Json): number[] {
        return [periodSeconds, timeoutSeconds, failureThreshold];
    }
});
