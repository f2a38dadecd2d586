import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { openCrypter } from "../../sandbox/engine/secrets/passphrase";
import { run, writeProgram } from "./support/process";
import { Thing } from "./support/resources";
import { TestStack } from "./support/stack";

describe("engine: command line", function () {
    this.timeout(120_000);
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    const settings = (): string => readFileSync(stack.file("Pulumi.dev.yaml"), "utf8");

    it("prints a version that parses and says that it is a stand-in", async () => {
        const { stdout } = await run(stack, ["version"]);
        match(stdout, /^v3\.\d+\.\d+\+stand-in\n$/);
    });

    it("refuses commands, flags and backends that it does not have, by name", async () => {
        const cases: [string[], string][] = [
            [["state", "delete", "urn"], "command 'pulumi state delete urn'"],
            [["stack", "rename", "x"], "command 'pulumi stack rename'"],
            [["up", "--policy-pack", "x"], "--policy-pack of 'pulumi up'"],
            [["login", "https://api.pulumi.com"], "backend https://api.pulumi.com"],
            [
                ["stack", "init", "x", "--secrets-provider", "awskms://k"],
                "secrets provider awskms://k",
            ],
            [["refresh", "--yes", "--run-program"], "--run-program of 'pulumi refresh'"],
        ];
        for (const [argv, what] of cases) {
            const { code, stderr } = await stack.pulumi(...argv);
            strictEqual(code, 2, argv.join(" "));
            strictEqual(
                stderr.split("\n")[0],
                `error: not supported by the stand-in engine: ${what}; install the Pulumi CLI`,
            );
        }
    });

    it("makes, lists, selects and removes stacks with the SDK's error texts", async () => {
        const twice = await stack.pulumi("stack", "init", "dev");
        match(twice.stderr, /stack 'organization\/sample\/dev' already exists/);
        await stack.pulumi("stack", "init", "two", "--no-select");
        const list = JSON.parse((await stack.pulumi("stack", "ls", "--json")).stdout) as {
            name: string;
            current: boolean;
        }[];
        deepStrictEqual(
            list.map(({ name, current }) => [name, current]),
            [
                ["dev", true],
                ["two", false],
            ],
        );
        const missing = await stack.pulumi("stack", "select", "--stack", "three");
        match(missing.stderr, /no stack named 'three' found/);
        strictEqual(missing.code, 6);
        await stack.pulumi("stack", "rm", "--yes", "two");
        match((await stack.pulumi("stack", "select", "two")).stderr, /no stack named 'two' found/);
    });

    it("does not remove a stack that has resources unless forced", async () => {
        await stack.up(() => void new Thing("a"));
        const refused = await stack.pulumi("stack", "rm", "--yes", "dev");
        match(refused.stderr, /'dev' still has resources; removal rejected/);
        strictEqual((await stack.pulumi("stack", "rm", "--yes", "--force", "dev")).code, 0);
    });

    it("sets config by key and path, and keeps comments, order and what it does not touch", async () => {
        const salt = settings();
        writeFileSync(
            stack.file("Pulumi.dev.yaml"),
            `${salt}config:\n  # who we are\n  sample:name: "flask" # quoted\n  zebra: 1\n  sample:tree:\n    leaf: old # inner\n`,
        );
        await stack.pulumi("config", "set", "name", "django");
        await stack.pulumi("config", "set", "--path", "tree.leaf", "true");
        await stack.pulumi("config", "set", "--path", 'tree["1.0.0"].image[0]', "x:1");
        await stack.pulumi("config", "set", "kubernetes:context", "c");
        strictEqual(
            settings(),
            `${salt}config:\n  # who we are\n  sample:name: "django" # quoted\n  zebra: 1\n  sample:tree:\n` +
                "    leaf: true # inner\n    1.0.0:\n      image:\n        - x:1\n  kubernetes:context: c\n",
        );
        strictEqual((await stack.pulumi("config", "get", "zebra")).stdout, "1\n");
        strictEqual((await stack.pulumi("config", "get", "--path", "tree.leaf")).stdout, "true\n");
        await stack.pulumi("config", "rm", "--path", 'tree["1.0.0"]');
        await stack.pulumi("config", "rm", "name");
        ok(!/1\.0\.0|django/.test(settings()));
        match(
            (await stack.pulumi("config", "get", "name")).stderr,
            /key 'name' not found for stack 'dev'/,
        );
    });

    it("seals secret config, shows it only when asked, and opens it for the program", async () => {
        await stack.pulumi("config", "set", "--secret", "password", "hunter2");
        ok(!settings().includes("hunter2"));
        match(settings(), /sample:password:\n {4}secure: v1:/);
        const masked = await stack.pulumi("config", "--json");
        deepStrictEqual(JSON.parse(masked.stdout), { "sample:password": { secret: true } });
        const shown = await stack.pulumi("config", "get", "password", "--json");
        deepStrictEqual(JSON.parse(shown.stdout), { value: "hunter2", secret: true });
        writeProgram(
            stack,
            `const c = new pulumi.Config();
             export const same = c.requireSecret("password");
             export const known = c.require("password") === "hunter2";`,
        );
        const up = await run(stack, ["up", "--yes", "--skip-preview"]);
        strictEqual(up.code, 0, up.stderr);
        match(up.stdout, /known: true/);
        ok(!`${up.stdout}${up.stderr}`.includes("hunter2"), "the secret was printed");
    });

    it("opens what the real CLI sealed", async () => {
        // From the test vectors of the CLI's own passphrase provider; the phrase is "password".
        const salt = "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ==";
        const before = process.env["PULUMI_CONFIG_PASSPHRASE"];
        process.env["PULUMI_CONFIG_PASSPHRASE"] = "password";
        try {
            const crypter = await openCrypter(salt);
            strictEqual(crypter.decrypt(salt.split(":").slice(2).join(":")), "pulumi");
        } finally {
            if (before === undefined) delete process.env["PULUMI_CONFIG_PASSPHRASE"];
            else process.env["PULUMI_CONFIG_PASSPHRASE"] = before;
        }
    });

    it("refuses a wrong or a missing passphrase before it does anything", async () => {
        writeProgram(stack, 'new Thing("a");');
        const up = ["up", "--yes", "--skip-preview"];
        const wrong = await run(stack, up, { PULUMI_CONFIG_PASSPHRASE: "wrong" });
        strictEqual(wrong.code, 1);
        match(wrong.stderr, /error: incorrect passphrase/);
        deepStrictEqual(stack.log(), []);
    });

    it("fills defaults of the project's config block, and refuses what is missing or mistyped", async () => {
        writeFileSync(
            stack.file("Pulumi.yaml"),
            "name: sample\nruntime: nodejs\nconfig:\n  size: { type: integer, default: 3 }\n  color: { type: string }\n  list: { type: array, items: { type: string }, default: [a] }\n",
        );
        writeProgram(
            stack,
            `const c = new pulumi.Config();
             export const size = c.requireNumber("size");
             export const list = c.requireObject("list");`,
        );
        const preview = ["preview"];
        const missing = await run(stack, preview);
        match(missing.stderr, /Stack 'dev' is missing configuration value 'color'/);
        await stack.pulumi("config", "set", "color", "red");
        const filled = await run(stack, preview);
        match(filled.stdout, /size: 3/);
        match(filled.stdout, /list: \[\n\s+"a"\n\s*\]/);
        await stack.pulumi("config", "set", "size", "many");
        const mistyped = await run(stack, preview);
        match(mistyped.stderr, /configuration key 'size' must be of type 'integer'/);
    });

    it("shows a program's error without the engine's stack, and what it prints", async () => {
        writeProgram(
            stack,
            `console.log("starting up");
             pulumi.log.warn("careful");
             throw new Error("unknown color 'purple'");`,
        );
        const { code, stdout, stderr } = await run(stack, ["preview"]);
        strictEqual(code, 1);
        match(stdout, /starting up/);
        match(stdout, /warning: careful/);
        match(stdout, /Error: unknown color 'purple'\n\s+at .*index\.ts:\d+/);
        ok(!/sandbox\/engine/.test(stdout + stderr), "the engine's own stack was shown");
    });

    it("says by name that transforms are not supported", async () => {
        writeProgram(stack, 'new Thing("a", {}, { transforms: [() => undefined] });');
        const { code, stdout } = await run(stack, ["preview"]);
        strictEqual(code, 1);
        match(stdout, /does not support transforms/);
    });

    it("shows old and new values of an update in the preview, secrets hidden", async () => {
        const program = (value: string) =>
            `new Thing("a", { value: { open: "${value}", hidden: pulumi.secret("${value}!") } });`;
        writeProgram(stack, program("before"));
        await run(stack, ["up", "--yes", "--skip-preview"]);
        writeProgram(stack, program("after"));
        const { stdout } = await run(stack, ["preview"]);
        match(stdout, /~ {2}test:index:Thing a update/);
        match(stdout, /~ value\.open: "before" => "after"/);
        match(stdout, /~ value\.hidden: \[secret\] => \[secret\]/);
        match(stdout, /~ 1 to update\n {4}1 unchanged/);
        const digest = await run(stack, ["preview", "--json"]);
        const { steps, changeSummary } = JSON.parse(digest.stdout) as {
            steps: { op: string }[];
            changeSummary: object;
        };
        deepStrictEqual(changeSummary, { same: 1, update: 1 });
        deepStrictEqual(
            steps.map(({ op }) => op),
            ["same", "update"],
        );
        ok(!digest.stdout.includes("after!"), "the secret is in the digest");
    });

    it("needs a yes for what changes something", async () => {
        writeProgram(stack, 'new Thing("a");');
        const { code, stderr } = await run(stack, ["up"]);
        strictEqual(code, 2);
        match(stderr, /--yes or --skip-preview must be passed/);
    });

    it("exports and imports a state, with secrets in clear only when asked", async () => {
        await stack.up(() => void new Thing("a", { value: pulumi.secret("hunter2") }));
        const sealed = await stack.pulumi("stack", "export");
        ok(!sealed.stdout.includes("hunter2"));
        const open = await stack.pulumi("stack", "export", "--show-secrets");
        match(open.stdout, /"plaintext": "\\"hunter2\\""/);
        writeFileSync(stack.file("state.json"), open.stdout);
        const imported = await stack.pulumi("stack", "import", "--file", "state.json");
        strictEqual(imported.code, 0, imported.stderr);
        ok(!JSON.stringify(stack.checkpoint()).includes("hunter2"));
        const again = await stack.up(
            () => void new Thing("a", { value: pulumi.secret("hunter2") }),
        );
        deepStrictEqual(again.steps, []);
        writeFileSync(stack.file("state.json"), '{"version": 99, "deployment": {}}');
        const newer = await stack.pulumi("stack", "import", "--file", "state.json");
        match(newer.stderr, /expected version 3, got 99/);
    });

    it("keeps a history without secrets in clear", async () => {
        await stack.pulumi("config", "set", "--secret", "password", "hunter2");
        await stack.up(() => undefined, "--message", "first");
        await stack.destroy();
        const masked = await stack.pulumi("stack", "history", "--json");
        const entries = JSON.parse(masked.stdout) as {
            kind: string;
            message: string;
            config: object;
        }[];
        deepStrictEqual(
            entries.map(({ kind, message }) => [kind, message]),
            [
                ["destroy", ""],
                ["update", "first"],
            ],
        );
        deepStrictEqual(entries[0]?.config, { "sample:password": { secret: true } });
        const shown = await stack.pulumi("stack", "history", "--json", "--show-secrets");
        ok(shown.stdout.includes("hunter2"));
    });
});
