import { deepStrictEqual, match, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Box, TestProvider, Thing } from "./support/resources";
import { TestStack } from "./support/stack";

describe("engine: resource options", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    const one = (args: Record<string, unknown>, opts: pulumi.CustomResourceOptions = {}) => {
        return () => void new Thing("one", args, opts);
    };

    it("ignoreChanges keeps the old value, also inside an object and for all keys", async () => {
        const value = (n: number) => ({ value: { a: n, b: [{ c: n }, { c: n }] }, other: n });
        await stack.up(one(value(1)));
        const ignored = { ignoreChanges: ["value.a", "value.b[*].c"] };
        const result = await stack.up(one(value(2), ignored));
        deepStrictEqual(result.steps, ["update one"]);
        deepStrictEqual((await stack.resource("one")).inputs["value"], {
            a: 1,
            b: [{ c: 1 }, { c: 1 }],
        });
        const all = await stack.up(one(value(3), { ignoreChanges: ["value", "other"] }));
        deepStrictEqual(all.steps, []);
    });

    it("protect refuses deletion and replacement until it is taken away", async () => {
        await stack.up(one({ name: "x" }, { protect: true }));
        const gone = await stack.up(() => undefined);
        ok(!gone.ok);
        match(gone.errors.join(), /cannot be deleted\nbecause it is protected/);
        const destroyed = await stack.destroy();
        ok(!destroyed.ok);
        const replaced = await stack.up(one({ name: "y" }, { protect: true }));
        match(replaced.errors.join(), /unable to replace resource .*\nas it is currently marked/);
        ok(existsSync(`${stack.world}/${(await stack.resource("one")).id}.json`));
        await stack.up(one({ name: "x" }));
        ok((await stack.destroy()).ok);
    });

    it("retainOnDelete forgets the object and leaves it in the world", async () => {
        await stack.up(one({}, { retainOnDelete: true }));
        const { id } = await stack.resource("one");
        const result = await stack.destroy();
        ok(result.steps.includes("delete one"));
        ok(existsSync(`${stack.world}/${id}.json`));
    });

    it("replaceOnChanges makes an update a replacement", async () => {
        await stack.up(one({ value: { size: 1 } }));
        const before = (await stack.resource("one")).id;
        const result = await stack.up(
            one({ value: { size: 2 } }, { replaceOnChanges: ["value.size"] }),
        );
        deepStrictEqual(result.changes, { same: 1, replace: 1 });
        notStrictEqual((await stack.resource("one")).id, before);
    });

    it("additionalSecretOutputs makes an output secret for the program and the state", async () => {
        let secret: boolean | undefined;
        await stack.up(async () => {
            const thing = new Thing("one", {}, { additionalSecretOutputs: ["token"] });
            await new Promise((resolve) => thing.token.apply(resolve));
            secret = await (thing.token as unknown as { isSecret: Promise<boolean> }).isSecret;
        });
        strictEqual(secret, true);
        const text = JSON.stringify(stack.checkpoint());
        const token = `token-${(await stack.resource("one")).id}`;
        ok(!text.includes(token), "the token is in the state in clear");
    });

    it("aliases rename a resource without touching it", async () => {
        await stack.up(() => void new Thing("old"));
        const { id } = await stack.resource("old");
        const result = await stack.up(
            () => void new Thing("new", {}, { aliases: [{ name: "old" }] }),
        );
        deepStrictEqual(result.changes, { same: 2 });
        strictEqual((await stack.resource("new")).id, id);
        deepStrictEqual((await stack.up(() => void new Thing("new"))).changes, { same: 2 });
    });

    it("aliases of a parent rename its children too, and what depends on them", async () => {
        const program =
            (name: string, opts: pulumi.ComponentResourceOptions = {}) =>
            () => {
                let inner: Thing | undefined;
                new Box(
                    name,
                    (box) => void (inner = new Thing(`${name}-inner`, {}, { parent: box })),
                    opts,
                );
                new Thing("after", {}, inner === undefined ? {} : { dependsOn: inner });
            };
        await stack.up(program("left"));
        const result = await stack.up(program("right", { aliases: [{ name: "left" }] }));
        deepStrictEqual(result.steps, []);
        const inner = await stack.resource("right-inner");
        deepStrictEqual((await stack.resource("after")).dependencies, [inner.urn]);
    });

    it("an alias without a parent moves a resource into a component", async () => {
        await stack.up(() => void new Thing("thing"));
        const result = await stack.up(() => {
            new Box("box", (box) => {
                const aliases = [{ parent: pulumi.rootStackResource }];
                new Thing("thing", {}, { parent: box, aliases });
            });
        });
        deepStrictEqual(result.steps, ["create box"]);
    });

    it("customTimeouts reach the provider in seconds", async () => {
        await stack.up(one({}, { customTimeouts: { create: "1m30s" } }));
        strictEqual((await stack.resource("one")).outputs["timeoutSeconds"], 90);
    });

    it("import takes an existing object over when the inputs agree, and refuses when not", async () => {
        await stack.up(one({ value: 7, unique: true, name: "there" }, { retainOnDelete: true }));
        await stack.destroy();
        const args = (value: number) => ({ value, unique: true, name: "there" });
        const differs = await stack.up(one(args(8), { import: "there" }));
        ok(!differs.ok);
        match(differs.errors.join(), /inputs to import do not match the existing resource: value/);
        const imported = await stack.up(one(args(7), { import: "there" }));
        deepStrictEqual(
            imported.steps,
            ["create sample-dev", "import one"].slice(differs.ok ? 0 : 1),
        );
        strictEqual((await stack.resource("one")).id, "there");
        deepStrictEqual((await stack.up(one(args(7), { import: "there" }))).steps, []);
        deepStrictEqual((await stack.up(one(args(9)))).steps, ["update one"]);
    });

    it("deletedWith leaves the deletion to the other resource's", async () => {
        await stack.up(() => {
            const whole = new Thing("whole");
            new Thing("part", { failDelete: "must not be called" }, { deletedWith: whole });
        });
        const result = await stack.destroy();
        ok(result.ok, result.errors.join());
        deepStrictEqual(
            stack.log().filter((line) => line.startsWith("delete")),
            ["delete whole"],
        );
    });

    it("an explicit provider is a resource of its own, and children inherit it", async () => {
        await stack.up(() => {
            const provider = new TestProvider("mine", { place: "here" });
            new Box("box", (box) => void new Thing("inner", {}, { parent: box }), {
                providers: [provider],
            });
        });
        const { provider } = await stack.resource("inner");
        match(provider ?? "", /::pulumi:providers:test::mine::/);
    });

    it("a provider that points elsewhere replaces its resources; any other change does not", async () => {
        const program = (args: Record<string, string>) => () => {
            const provider = new TestProvider("mine", args);
            new Thing("one", {}, { provider });
        };
        await stack.up(program({ place: "here", flavour: "a" }));
        const before = await stack.resource("one");
        await stack.up(program({ place: "here", flavour: "b" }));
        strictEqual((await stack.resource("one")).id, before.id);
        const moved = await stack.up(program({ place: "there", flavour: "b" }));
        ok(moved.steps.includes("replace one"), moved.steps.join());
        notStrictEqual((await stack.resource("one")).id, before.id);
    });
});
