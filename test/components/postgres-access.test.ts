import * as assert from "node:assert/strict";
import { accessFrom, accessTo } from "../../components/postgres/access";
import { createDatabase, type DatabaseArgs } from "../../components/postgres/create";
import { failureOf } from "../support/rejection";
import { record, type Recording, type RecordOptions } from "../support/mocks";

const SECRET = "kubernetes:core/v1:Secret";
const SERVICE = "kubernetes:core/v1:Service";
const PASSWORD = "p/w:?#[]@ %";
const ENCODED = "p%2Fw%3A%3F%23%5B%5D%40%20%25";

const decoded = (recording: Recording, name: string, key: string) => {
    const data = recording.one(SECRET, name).input("data") as Record<string, string>;
    return Buffer.from(data[key] ?? "", "base64").toString();
};

describe("access to the database from its own namespace", () => {
    it("is the host db, and the password as a file", async () => {
        const { outputs } = await record(() => {
            const { resources: _resources, ...access } = accessTo(
                createDatabase("postgres", { namespace: "ecommerce" }),
            );
            return access;
        });
        const { annotations, ...rest } = outputs;
        assert.deepEqual(rest, {
            env: {
                DB_HOST: "db",
                DB_PORT: "5432",
                DB_NAME: "endpoint_stats",
                DB_USER: "endpoint_stats_api",
                DB_PASSWORD_FILE: "/etc/cutover/database/password",
            },
            secretEnv: {},
            secretFiles: [
                {
                    name: "database",
                    secretName: "postgres-secret",
                    files: { password: "api-password" },
                    mountPath: "/etc/cutover/database",
                },
            ],
        });
        assert.deepEqual(Object.keys(annotations as object), ["cutover.dev/credentials-hash"]);
    });
});

describe("access to the database from a color's own namespace", () => {
    function deploy(
        database: Partial<DatabaseArgs> = {},
        color: { urlAsEnv?: boolean } = {},
        options?: RecordOptions,
    ): Promise<Recording> {
        return record(() => {
            const shared = createDatabase("postgres", { namespace: "ecommerce", ...database });
            const [blue, green] = (["blue", "green"] as const).map((name) => {
                const args = { namespace: `ecommerce-${name}`, color: name, ...color };
                const { resources, ...access } = accessFrom(shared, args);
                return { ...access, waitsFor: resources.length };
            });
            return { blue, green };
        }, options);
    }

    it("is the host db there too, which leads to the one database", async () => {
        const recording = await deploy();
        for (const color of ["blue", "green"]) {
            const service = recording.one(SERVICE, `database-${color}`);
            assert.equal(service.parent, `cutover:index:DatabaseAlias::database-${color}`);
            assert.equal(service.input("metadata.name"), "db");
            assert.equal(service.input("metadata.namespace"), `ecommerce-${color}`);
            assert.deepEqual(service.input("spec"), {
                type: "ExternalName",
                externalName: "db.ecommerce.svc.cluster.local",
                ports: [{ name: "postgres", port: 5432, targetPort: 5432 }],
            });
        }
    });

    it("leads straight to an external host, and to an address by its name", async () => {
        const target = async (host: string) =>
            (await deploy({ host, port: 6432, password: PASSWORD }))
                .one(SERVICE, "database-blue")
                .input("spec");
        const ports = [{ name: "postgres", port: 6432, targetPort: 6432 }];
        const name = { type: "ExternalName", externalName: "pg.example.com", ports };
        assert.deepEqual(await target("pg.example.com"), name);
        assert.deepEqual(await target("10.1.2.3"), {
            ...name,
            externalName: "db.ecommerce.svc.cluster.local",
        });
    });

    it("has the URL and the password in Secret db-secret-<color>, secret in the state", async () => {
        const recording = await deploy({
            host: "pg.example.com",
            password: PASSWORD,
            apiUser: "api@tenant",
            database: "user data",
        });
        for (const color of ["blue", "green"]) {
            const secret = recording.one(SECRET, `database-${color}`);
            assert.equal(secret.input("metadata.name"), `db-secret-${color}`);
            assert.equal(secret.input("metadata.namespace"), `ecommerce-${color}`);
            assert.equal(secret.input("type"), "Opaque");
            assert.deepEqual(secret.secrets, ["data"]);
            assert.equal(
                decoded(recording, `database-${color}`, "url"),
                `postgresql://api%40tenant:${ENCODED}@db:5432/user%20data`,
            );
            assert.equal(decoded(recording, `database-${color}`, "password"), PASSWORD);
        }
    });

    it("has the password that our own server was given", async () => {
        const recording = await deploy();
        const password = "password-of-postgres-api-password";
        assert.equal(
            decoded(recording, "database-blue", "url"),
            `postgresql://endpoint_stats_api:${password}@db:5432/endpoint_stats`,
        );
    });

    it("reads the user's own Secret once for both colors", async () => {
        const live = {
            [`${SECRET}::postgres-password`]: {
                data: { api: Buffer.from(PASSWORD).toString("base64") },
            },
        };
        const external = { host: "pg.example.com", passwordSecret: { name: "pg", key: "api" } };
        const recording = await deploy(external, {}, { live });
        for (const color of ["blue", "green"]) {
            const name = `database-${color}`;
            assert.match(decoded(recording, name, "url"), new RegExp(`:${ENCODED}@db:5432/`));
            assert.deepEqual(recording.one(SECRET, name).secrets, ["data"]);
        }
    });

    it("says which key that Secret lacks", async () => {
        const live = { [`${SECRET}::postgres-password`]: { data: { other: "" } } };
        const external = { host: "pg.example.com", passwordSecret: { name: "pg", key: "api" } };
        const { message } = await failureOf(() => deploy(external, {}, { live }));
        assert.match(message, /database.passwordSecret has a problem/);
        assert.match(message, /key: got "api", expected a key of Secret pg/);
    });

    it("mounts both as files, and waits for database, host and Secret", async () => {
        const { blue, green } = (await deploy()).outputs as Record<string, Record<string, unknown>>;
        const env = blue?.env as Record<string, string>;
        assert.equal(env.DATABASE_URL_FILE, "/etc/cutover/database/url");
        assert.equal(env.DB_PASSWORD_FILE, "/etc/cutover/database/password");
        assert.equal(env.DB_HOST, "db");
        assert.equal(env.DATABASE_URL, undefined);
        assert.deepEqual(blue?.secretEnv, {});
        assert.deepEqual(blue?.secretFiles, [
            {
                name: "database",
                secretName: "db-secret-blue",
                files: { password: "password", url: "url" },
                mountPath: "/etc/cutover/database",
            },
        ]);
        assert.equal(blue?.waitsFor, 3);
        assert.deepEqual(green?.annotations, blue?.annotations);
    });

    it("has the URL as a variable only on request, and then from the Secret", async () => {
        const { outputs } = await deploy({}, { urlAsEnv: true });
        const { green } = outputs as Record<string, Record<string, unknown>>;
        assert.deepEqual(green?.secretEnv, {
            DATABASE_URL: { secretName: "db-secret-green", key: "url" },
        });
    });

    it("shows a password nowhere but in Secrets", async () => {
        const { resources, outputs } = await deploy({ host: "pg.example.com", password: PASSWORD });
        const elsewhere = resources.filter(
            ({ type }) => type !== SECRET && !type.startsWith("random:"),
        );
        const text = JSON.stringify([elsewhere, outputs]);
        for (const form of [PASSWORD, ENCODED, Buffer.from(PASSWORD).toString("base64")]) {
            assert.ok(!text.includes(form), form);
        }
    });
});
