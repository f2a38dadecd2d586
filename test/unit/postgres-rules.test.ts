import assert from "node:assert/strict";
import { checkHost } from "../../components/postgres/host";
import { bytesOf, isLarger } from "../../components/postgres/quantity";
import { databaseRules, type CheckedDatabase } from "../../components/postgres/rules";
import { databaseUrl } from "../../components/postgres/url";
import { describe as line } from "../../components/validation/violation";

const context = { namespace: "endpoint-stats", isolation: "shared", encrypted: true };

const problems = (input: CheckedDatabase, changes: Partial<typeof context> = {}) =>
    databaseRules(input, { ...context, ...changes }).map(line);

describe("sizes of volumes", () => {
    it("are bytes, whatever their unit", () => {
        assert.equal(bytesOf("1024"), 1024);
        assert.equal(bytesOf("10Gi"), 10 * 1024 ** 3);
        assert.equal(bytesOf("1.5G"), 1.5e9);
        for (const wrong of ["", "10GB", "ten", "-1Gi", "0", "1 Gi", "1e3"]) {
            assert.equal(bytesOf(wrong), undefined, wrong);
        }
    });

    it("are compared as such", () => {
        assert.ok(isLarger("10Gi", "10G"));
        assert.ok(!isLarger("10240Mi", "10Gi"));
        assert.ok(!isLarger("10Gi", "10240Mi"));
        assert.ok(isLarger("1Ti", "1000Gi"));
    });
});

describe("a database URL", () => {
    it("has every part percent-encoded", () => {
        const parts = { user: "a@b", password: "p/:?#%", host: "db", port: 5432, database: "x y" };
        assert.equal(databaseUrl(parts), "postgresql://a%40b:p%2F%3A%3F%23%25@db:5432/x%20y");
    });

    it("has an IPv6 address in brackets", () => {
        const parts = { user: "a", password: "b", host: "fd00::5", port: 1, database: "c" };
        assert.equal(databaseUrl(parts), "postgresql://a:b@[fd00::5]:1/c");
    });
});

describe("the host of an external database", () => {
    const ADDRESS = "an address that every node reaches: not loopback, link-local or multicast";
    const NAME =
        'an IP address or a host name of lower-case letters, digits, "-" and ".", without scheme and port';
    const ITSELF = "the external server itself, not the Service that leads there";

    for (const host of [
        "pg.example.com",
        "postgres",
        "postgres.other.svc.cluster.local",
        "10.244.0.17",
        "fd00::17",
    ]) {
        it(`may be ${host}`, () => assert.deepEqual(checkHost(host, "endpoint-stats"), []));
    }

    for (const [host, expected] of Object.entries({
        "127.0.0.1": ADDRESS,
        "0.0.0.0": ADDRESS,
        "169.254.169.254": ADDRESS,
        "224.0.0.1": ADDRESS,
        "::1": ADDRESS,
        "fe80::1": ADDRESS,
        "": NAME,
        "https://pg": NAME,
        "pg:5432": NAME,
        "Pg.example.com": NAME,
        "pg_1.example.com": NAME,
        "10.0.0.256": NAME,
        [`${"a".repeat(64)}.example.com`]: NAME,
        localhost: "a host other than the pod itself",
        db: ITSELF,
        "db.endpoint-stats": ITSELF,
        "db.endpoint-stats.svc.cluster.local": ITSELF,
    })) {
        it(`may not be ${JSON.stringify(host)}`, () => {
            const [violation, ...others] = checkHost(host, "endpoint-stats");
            assert.deepEqual(others, []);
            assert.equal(violation?.path, "host");
            assert.equal(violation?.expected, expected);
        });
    }
});

describe("the rules of `database`", () => {
    const external = { host: "pg.example.com", password: "hunter2" };

    it("take a server of our own, with nothing or with everything", () => {
        assert.deepEqual(problems({}), []);
        const all = {
            image: "postgres:16",
            database: "users",
            user: "root",
            apiUser: "api",
            storage: "20Gi",
            storageClassName: "fast",
            passwordVersion: "2",
            resources: {},
            imagePullSecrets: [],
        };
        assert.deepEqual(problems(all), []);
    });

    it("take an external one, with a password or a Secret that has it", () => {
        assert.deepEqual(problems(external), []);
        const { password: _password, ...host } = external;
        assert.deepEqual(problems({ ...host, port: 6432, passwordSecret: { name: "pg" } }), []);
        // Somebody else has chosen its names.
        assert.deepEqual(problems({ ...external, database: "postgres", apiUser: "a@tenant" }), []);
    });

    it("refuse, each by its name, what only a server of our own has", () => {
        const own = {
            image: "postgres:16",
            user: "root",
            storage: "20Gi",
            storageClassName: "fast",
            passwordVersion: "2",
            resources: {},
            imagePullSecrets: [],
        };
        const why = "none with database.host: it is for a server of the stack's own";
        assert.deepEqual(
            problems({ ...external, ...own }),
            Object.keys(own).map((key) => `database.${key}: got a value, expected ${why}`),
        );
    });

    it("refuse, each by its name, what only an external server has", () => {
        const why = "none without database.host: it is for an external server";
        assert.deepEqual(
            problems({ port: 5432, password: "hunter2", passwordSecret: { name: "pg" } }),
            ["port", "password", "passwordSecret"].map(
                (key) => `database.${key}: got a value, expected ${why}`,
            ),
        );
    });

    it("want exactly one password", () => {
        assert.deepEqual(problems({ host: "pg.example.com" }), [
            "database.password: missing, expected the API's password, encrypted, or in its place " +
                "database.passwordSecret, a Secret that exists",
        ]);
        assert.deepEqual(problems({ ...external, passwordSecret: { name: "pg" } }), [
            "database.passwordSecret: got a value, expected none beside database.password: one of the two says the password",
        ]);
        assert.deepEqual(problems({ ...external, password: "" }), [
            "database.password: got an empty text, expected the API's password",
        ]);
    });

    it("refuse a password in plain text, and do not repeat it", () => {
        const found = problems(external, { encrypted: false });
        assert.deepEqual(found, [
            "database.password: got a value in plain text, expected an encrypted one: pulumi config " +
                "set --secret --path cutover:database.password, and another password, as this one has been written down",
        ]);
    });

    it("say all that is wrong at once", () => {
        assert.deepEqual(
            problems({
                host: "localhost",
                port: 0,
                database: "",
                passwordSecret: { name: "Pg", key: "a b" },
                user: "root",
            }).map((text) => text.split(":")[0]),
            [
                "database.host",
                "database.port",
                "database.database",
                "database.passwordSecret.name",
                "database.passwordSecret.key",
                "database.user",
            ],
        );
        assert.deepEqual(
            problems({ database: "Users", storage: "10GB" }).map((text) => text.split(":")[0]),
            ["database.database", "database.storage"],
        );
    });

    it("take a URL as a variable only where there is one", () => {
        assert.deepEqual(problems({ urlAsEnv: true }, { isolation: "namespaces" }), []);
        assert.deepEqual(problems({ urlAsEnv: false }), []);
        assert.deepEqual(problems({ urlAsEnv: true }), [
            'database.urlAsEnv: got true, expected false without isolation "namespaces": only there is the URL kept in a Secret',
        ]);
    });
});
