import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError, parseSettings } from "../../config";

const PASSWORD = "hunter2-is-no-secret";

const base: Record<string, string> = {
    "kubernetes:context": "cutover-sandbox",
    "cutover:releases": JSON.stringify({ "1.0.0": { image: "registry/api:1.0.0" } }),
    "cutover:blue": "1.0.0",
};

/** What the config of a run says, with its encrypted keys as the engine names them. */
function parse(database: string, encrypted: boolean) {
    const all = { ...base, "cutover:database": database };
    pulumi.runtime.setAllConfig(all, encrypted ? ["cutover:database"] : []);
    return parseSettings(all);
}

function messageOf(database: unknown, encrypted = true): string {
    const text = typeof database === "string" ? database : JSON.stringify(database);
    try {
        parse(text, encrypted);
    } catch (error) {
        assert.ok(error instanceof ConfigError);
        return error.message;
    }
    throw new assert.AssertionError({ message: "the config was accepted" });
}

describe("the database in the stack config", () => {
    after(() => pulumi.runtime.setAllConfig({}));

    it("may be an external one, with an encrypted password", () => {
        const external = { host: "pg.example.com", port: 6432, password: PASSWORD };
        assert.deepEqual(parse(JSON.stringify(external), true).database, external);
    });

    it("has a password of digits as a text", () => {
        const { database } = parse(`{"host":"pg.example.com","password":123456}`, true);
        assert.equal(database.password, "123456");
    });

    it("may not have its password in plain text", () => {
        const message = messageOf({ host: "pg.example.com", password: PASSWORD }, false);
        assert.match(message, /cutover:database\.password: got a value in plain text, expected an/);
        assert.ok(!message.includes(PASSWORD));
    });

    it("is refused with the path of each key", () => {
        const message = messageOf({ host: "pg.example.com", storage: "1Gi", passwordSecrets: {} });
        assert.match(
            message,
            /cutover:database\.passwordSecrets: got an unknown key, expected cut/,
        );
        const both = messageOf({ host: "pg.example.com", storage: "1Gi" });
        assert.match(both, /cutover:database\.password: missing/);
        assert.match(
            both,
            /cutover:database\.storage: got a value, expected none with database\.host/,
        );
    });

    for (const [what, database] of Object.entries({
        "a password that is no text": { host: "pg", password: [PASSWORD] },
        "a password inside of what it must not be in": { host: { password: PASSWORD } },
        "a list": [{ password: PASSWORD }],
        "a password beside an unknown key": { host: "pg", password: PASSWORD, hots: PASSWORD },
        "JSON that is none": `{"host":"pg","password":"${PASSWORD}"`,
    })) {
        it(`does not show up in the error about ${what}`, () => {
            const message = messageOf(database);
            assert.match(message, /cutover:database/);
            assert.ok(!message.includes(PASSWORD), message);
        });
    }
});
