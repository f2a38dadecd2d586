import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { databaseUrl } from "../../components/postgres/url";
import { ConfigError, readConfig } from "../../sandbox/api/src/config";
import { parseDatabaseUrl } from "../../sandbox/api/src/database-url";
import { loginOf } from "../../sandbox/api/src/login";

const EXPECTED = "expected postgresql://user:password@host:port/database";

describe("the sample API's database URL", () => {
    let folder: string;

    before(() => {
        folder = mkdtempSync(path.join(tmpdir(), "cutover-api-url-"));
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    const file = (name: string, content: string) => {
        const where = path.join(folder, name);
        writeFileSync(where, content);
        return where;
    };

    it("is read into its parts, whatever characters they have", () => {
        const parts = {
            user: "api@tenant",
            password: "p/w:?#[]@ %é+&=",
            host: "db.ecommerce.svc.cluster.local",
            port: 6432,
            database: "user data",
        };
        const { user, password, host, port, database: name } = parts;
        const url = databaseUrl(parts);
        assert.deepEqual(parseDatabaseUrl(url), { user, password, host, port, name });
        const v6 = databaseUrl({ ...parts, host: "fd00::5" });
        assert.equal(parseDatabaseUrl(v6).host, "fd00::5");
    });

    it("may leave the port out, and begin with postgres://", () => {
        assert.equal(parseDatabaseUrl("postgres://a:b@db/c").port, 5432);
    });

    for (const [what, url] of Object.entries({
        "no URL": "hunter2",
        "another protocol": "mysql://a:hunter2@db/c",
        "no user": "postgresql://:hunter2@db/c",
        "no password": "postgresql://a@hunter2/c",
        "no database": "postgresql://a:hunter2@db",
        "a port of letters": "postgresql://a:hunter2@db:pg/c",
        "a broken escape": "postgresql://a:hunter2%zz@db/c",
    })) {
        it(`is refused with ${what}, without being repeated`, () => {
            assert.throws(() => parseDatabaseUrl(url), new Error(EXPECTED));
            assert.throws(
                () => readConfig({ DATABASE_URL: url }),
                (error: unknown) => {
                    assert.ok(error instanceof ConfigError);
                    assert.deepEqual(error.problems, [`DATABASE_URL: ${EXPECTED}`]);
                    return true;
                },
            );
        });
    }

    it("comes from the file first, then from the variable, then from the parts", async () => {
        const inFile = file("url", "postgresql://filed:one@file-host:1/data\n");
        const password = file("password", "three\n");
        const parts = { DB_HOST: "part-host", DB_PASSWORD_FILE: password };
        const variable = { ...parts, DATABASE_URL: "postgresql://named:two@url-host:2/data" };
        const all = { ...variable, DATABASE_URL_FILE: inFile };
        const loginFrom = async (env: Record<string, string>) => {
            const login = loginOf(readConfig(env).database);
            return [login.host, login.user, await login.password()];
        };
        assert.deepEqual(await loginFrom(all), ["file-host", "filed", "one"]);
        assert.deepEqual(await loginFrom(variable), ["url-host", "named", "two"]);
        assert.deepEqual(await loginFrom(parts), ["part-host", "endpoint_stats_api", "three"]);
    });

    it("is read again from its file for every new connection", async () => {
        const where = file("rotated", "postgresql://a:old@db/c");
        const login = loginOf(readConfig({ DATABASE_URL_FILE: where }).database);
        assert.equal(await login.password(), "old");
        writeFileSync(where, "postgresql://a:new@db/c");
        assert.equal(await login.password(), "new");
    });

    it("ends the start when its file is missing", () => {
        const missing = path.join(folder, "missing");
        const { database } = readConfig({ DATABASE_URL_FILE: missing });
        assert.throws(() => loginOf(database), /ENOENT/);
    });
});
