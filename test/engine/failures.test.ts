import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SecretThing, Thing } from "./support/resources";
import { TestStack } from "./support/stack";

class Bucket extends pulumi.CustomResource {}

describe("engine: failures", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    it("a failing create stops what comes after it and keeps what was done", async () => {
        const result = await stack.up(() => {
            const good = new Thing("good");
            const bad = new Thing("bad", { failCreate: "no luck" }, { dependsOn: good });
            new Thing("never", {}, { dependsOn: bad });
        });
        ok(!result.ok);
        deepStrictEqual(result.errors, ["no luck"]);
        deepStrictEqual(stack.log(), ["create good", "created good"]);
        ok((await stack.resource("good")).id);
    });

    it("deletes nothing when something failed", async () => {
        await stack.up(() => void new Thing("old"));
        const result = await stack.up(() => void new Thing("bad", { failCreate: "no luck" }));
        ok(!result.ok);
        ok((await stack.resource("old")).id);
    });

    it("lets what already runs end before it stops", async () => {
        const result = await stack.up(() => {
            new Thing("slow", { delayMs: 150 });
            new Thing("bad", { failCreate: "no luck" });
        });
        ok(!result.ok);
        ok(stack.log().includes("created slow"));
        ok((await stack.resource("slow")).id);
        deepStrictEqual(stack.checkpoint().checkpoint.latest?.pending_operations, undefined);
    });

    it("an object that never gets ready is in the state, and the next up waits for it again", async () => {
        const program = (unready?: string) => () => void new Thing("a", { unready });
        const failed = await stack.up(program("0 of 3 pods are ready"));
        ok(!failed.ok);
        match(failed.errors.join(), /failed to become ready:\n {2}\* 0 of 3 pods are ready/);
        deepStrictEqual((await stack.resource("a")).initErrors, ["0 of 3 pods are ready"]);
        const again = await stack.up(program("0 of 3 pods are ready"));
        ok(!again.ok);
        const cured = await stack.up(program());
        deepStrictEqual(cured.steps, ["update a"]);
        strictEqual((await stack.resource("a")).initErrors, undefined);
    });

    it("a failed update keeps the old inputs, so that the next up tries again", async () => {
        const program = (value: number, failUpdate?: string) => () =>
            void new Thing("a", { value, failUpdate });
        await stack.up(program(1));
        const failed = await stack.up(program(2, "conflict"));
        deepStrictEqual(failed.errors, ["conflict"]);
        strictEqual((await stack.resource("a")).inputs["value"], 1);
        deepStrictEqual((await stack.up(program(2))).steps, ["update a"]);
    });

    it("a check failure names the property and creates nothing", async () => {
        const result = await stack.up(() => void new Thing("a", { invalid: "is not a color" }));
        match(result.errors.join(), /resource 'a' has a problem: is not a color.*'a\.invalid'/);
        deepStrictEqual(stack.log(), []);
    });

    it("constant outputs change although the up failed; one that derives from the failure does not", async () => {
        const constant = (version: number, failUpdate?: string) => () => {
            new Thing("a", { value: version, failUpdate });
            return { version };
        };
        const derived = (version: number, failUpdate?: string) => () => {
            const a = new Thing("a", { value: version, failUpdate });
            return { version, state: a.value };
        };
        const outputs = async (): Promise<unknown> => (await stack.resource("sample-dev")).outputs;
        await stack.up(derived(1));
        await stack.up(derived(2, "no luck"));
        deepStrictEqual(await outputs(), { version: 1, state: 1 });
        await stack.up(constant(2, "no luck"));
        deepStrictEqual(await outputs(), { version: 2, state: 1 });
    });

    it("--expect-no-changes fails when there was one", async () => {
        const result = await stack.up(() => void new Thing("a"), "--expect-no-changes");
        strictEqual(result.code, 7);
        match(result.errors.join(), /no changes were expected but changes occurred/);
    });

    it("--continue-on-error does what does not depend on the failure, and deletes nothing", async () => {
        await stack.up(() => void new Thing("old"));
        const result = await stack.up(async () => {
            const bad = new Thing("bad", { failCreate: "no luck" });
            new Thing("never", {}, { dependsOn: bad });
            await new Promise((resolve) => bad.urn.apply(resolve));
            new Thing("good");
        }, "--continue-on-error");
        ok(!result.ok);
        deepStrictEqual(result.steps, ["create good"]);
        ok((await stack.resource("old")).id);
    });

    it("refuses what it has no provider for, by name", async () => {
        const result = await stack.up(() => {
            new Bucket("aws:s3/bucket:Bucket", "bucket", {});
        });
        ok(!result.ok);
        match(result.errors.join(), /not supported by the stand-in engine: provider 'aws'/);
    });

    it("secrets are sealed in the state, masked outside, and stay secret in what derives from them", async () => {
        const SECRET = "hunter2-hunter2";
        const program = () => {
            const a = new Thing("a", { value: pulumi.secret(SECRET) });
            new Thing("b", { value: a.value });
            new SecretThing("c", { value: SECRET.split("").reverse().join("") });
            return { password: pulumi.secret(SECRET), open: 1 };
        };
        const result = await stack.up(program);
        ok(result.ok, result.errors.join());
        const text = JSON.stringify(stack.checkpoint());
        ok(!text.includes(SECRET), "the secret is in the state in clear");
        const outputs = await stack.pulumi("stack", "output", "--json");
        deepStrictEqual(JSON.parse(outputs.stdout), { open: 1, password: "[secret]" });
        const shown = await stack.pulumi("stack", "output", "--json", "--show-secrets");
        deepStrictEqual(JSON.parse(shown.stdout), { open: 1, password: SECRET });
        for (const name of ["a", "b"]) {
            const { outputs } = await stack.resource(name);
            match(JSON.stringify(outputs["value"]), /"4dabf18193072939515e22adb298388d"/);
        }
        const sealed = (await stack.resource("c")).outputs["value"];
        match(JSON.stringify(sealed), /"4dabf18193072939515e22adb298388d"/);
    });

    it("a no-op up leaves every ciphertext as it was", async () => {
        const program = (): void => void new Thing("a", { value: pulumi.secret("s") });
        const resources = (): unknown => stack.checkpoint().checkpoint.latest?.resources;
        await stack.up(program);
        const before = resources();
        await stack.up(program);
        deepStrictEqual(resources(), before);
    });
});
