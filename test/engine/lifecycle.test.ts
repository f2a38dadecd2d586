import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { existsSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Box, Thing } from "./support/resources";
import { nameOf, TestStack } from "./support/stack";

describe("engine: life cycle", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    it("creates in dependency order, then changes nothing", async () => {
        const program = (): void => {
            const first = new Thing("first", { value: 1 });
            new Thing("second", { value: first.token });
            new Thing("third", {}, { dependsOn: first });
        };
        const created = await stack.up(program);
        ok(created.ok, created.errors.join());
        deepStrictEqual(created.changes, { create: 4 });
        strictEqual(stack.log().indexOf("created first"), 1);
        const first = await stack.resource("first");
        strictEqual((await stack.resource("second")).inputs["value"], `token-${first.id}`);

        stack.forgetLog();
        const again = await stack.up(program, "--expect-no-changes");
        ok(again.ok);
        deepStrictEqual(again.changes, { same: 4 });
        deepStrictEqual(stack.log(), []);
    });

    it("updates what differs and leaves the rest alone", async () => {
        const program = (value: number) => () => {
            new Thing("changing", { value });
            new Thing("still", { value: 1 });
        };
        await stack.up(program(1));
        const result = await stack.up(program(2));
        deepStrictEqual(result.steps, ["update changing"]);
        deepStrictEqual(result.changes, { same: 2, update: 1 });
        strictEqual((await stack.resource("changing")).outputs["value"], 2);
    });

    it("deletes what is no longer declared, dependents first", async () => {
        await stack.up(() => {
            const a = new Thing("a");
            const b = new Thing("b", { value: a.token });
            new Thing("c", { value: b.token });
            new Thing("kept");
        });
        stack.forgetLog();
        const result = await stack.up(() => void new Thing("kept"));
        deepStrictEqual(result.steps, ["delete c", "delete b", "delete a"]);
        deepStrictEqual(stack.log(), ["delete c", "delete b", "delete a"]);
    });

    it("runs what does not depend on each other at the same time, within --parallel", async () => {
        const program = (): void => {
            for (const name of ["a", "b", "c"]) new Thing(name, { delayMs: 100 });
        };
        await stack.up(program, "--parallel", "3");
        deepStrictEqual(stack.log().slice(0, 3).sort(), ["create a", "create b", "create c"]);
        await stack.destroy();
        stack.forgetLog();
        await stack.up(program, "--parallel", "1");
        deepStrictEqual(
            stack.log().map((line) => line.split(" ")[0]),
            ["create", "created", "create", "created", "create", "created"],
        );
    });

    it("previews without touching anything, with unknowns in what depends on new things", async () => {
        let known: boolean | undefined;
        const result = await stack.preview(async () => {
            const a = new Thing("a");
            known = await (a.token as unknown as { isKnown: Promise<boolean> }).isKnown;
            new Thing("b", { value: a.token });
        });
        ok(result.ok, result.errors.join());
        strictEqual(known, false);
        deepStrictEqual(result.changes, { create: 3 });
        deepStrictEqual(stack.log(), []);
        strictEqual(stack.checkpoint().checkpoint.latest?.resources, undefined);
    });

    it("keeps a component's outputs and its children under it", async () => {
        await stack.up(() => {
            new Box("box", (box) => ({ token: new Thing("inner", {}, { parent: box }).token }));
        });
        const box = await stack.resource("box");
        const inner = await stack.resource("inner");
        strictEqual(inner.parent, box.urn);
        match(inner.urn, /::sample:index:Box\$test:index:Thing::inner$/);
        strictEqual(box.outputs["token"], `token-${inner.id}`);
    });

    it("destroys everything, children before their parent", async () => {
        await stack.up(() => {
            const box = new Box("box");
            new Thing("inner", {}, { parent: box });
        });
        const result = await stack.destroy();
        deepStrictEqual(result.steps, ["delete inner", "delete box", "delete sample-dev"]);
        strictEqual(stack.checkpoint().checkpoint.latest?.resources, undefined);
    });

    it("destroys only targets, and refuses to take their dependents along unless asked to", async () => {
        await stack.up(() => {
            const a = new Thing("a");
            new Thing("b", {}, { dependsOn: a });
            new Thing("c");
        });
        const target = (await stack.resource("a")).urn;
        const refused = await stack.destroy("--target", target);
        match(
            refused.errors.join(),
            /::b' will be destroyed but was not specified in --target list/,
        );
        ok((await stack.resource("a")).id);
        const result = await stack.destroy("--target", target, "--target-dependents");
        deepStrictEqual(result.steps, ["delete b", "delete a"]);
        ok((await stack.resource("sample-dev")).urn);
    });

    it("destroys all but what is protected, and what that depends on, with --exclude-protected", async () => {
        await stack.up(() => {
            const a = new Thing("a");
            new Thing("b", {}, { dependsOn: a, protect: true });
            new Thing("c");
        });
        const result = await stack.destroy("--exclude-protected");
        ok(result.ok, result.errors.join());
        deepStrictEqual(result.steps, ["delete c"]);
    });

    it("refuses two resources with one URN", async () => {
        const result = await stack.up(() => {
            new Thing("twin");
            new Thing("twin");
        });
        ok(!result.ok);
        match(result.errors.join(), /Duplicate resource URN '.*::twin'/);
    });

    it("only touches targets, and what depends on them when asked to", async () => {
        const program = (value: number) => () => {
            const a = new Thing("a", { value });
            new Thing("b", { value: a.value });
            new Thing("c", { value });
        };
        await stack.up(program(1));
        const target = (await stack.resource("a")).urn;
        const only = await stack.up(program(2), "--target", target);
        deepStrictEqual(only.steps, ["update a"]);
        const more = await stack.up(program(3), "--target", target, "--target-dependents");
        deepStrictEqual(more.steps, ["update a", "update b"]);
    });

    it("keeps what a resource depends on before it in the state, whatever is targeted", async () => {
        await stack.up(() => {
            const c = new Thing("c");
            new Thing("b", {}, { dependsOn: c });
            new Thing("a", { value: 1 });
        });
        const target = (await stack.resource("a")).urn;
        await stack.up(
            () => {
                new Thing("a", { value: 2 });
                new Thing("b");
            },
            "--target",
            target,
        );
        const names = (await stack.resources()).map(({ urn }) => nameOf(urn));
        ok(names.indexOf("c") < names.indexOf("b"), names.join());
    });

    it("replaces what --replace names", async () => {
        const program = (): void => void new Thing("a");
        await stack.up(program);
        const { urn, id } = await stack.resource("a");
        const result = await stack.up(program, "--replace", urn);
        deepStrictEqual(result.changes, { same: 1, replace: 1 });
        const after = await stack.resource("a");
        ok(after.id !== id);
        ok(!existsSync(`${stack.world}/${id}.json`), "the old object must be gone");
    });

    it("calls functions of a provider", async () => {
        const result = await stack.up(async () => {
            const answer = await pulumi.runtime.invoke("test:index:double", { value: 21 });
            return { answer: answer.result };
        });
        strictEqual(result.outputs["answer"], 42);
    });

    it("reads an object that it does not own, and never deletes it", async () => {
        await stack.up(() => void new Thing("own", { unique: true, name: "shared" }));
        const other = await TestStack.create();
        try {
            // Both stacks' worlds are folders; the second looks into the first one's.
            const read = (): Record<string, unknown> => ({
                token: Thing.read("foreign", "shared").token,
            });
            const missing = await other.up(read);
            match(missing.errors.join(), /resource 'shared' does not exist/);
        } finally {
            other.dispose();
        }
        const result = await stack.up(() => {
            new Thing("own", { unique: true, name: "shared" });
            return { token: Thing.read("foreign", "shared").token };
        });
        strictEqual(result.outputs["token"], "token-shared");
        strictEqual((await stack.resource("foreign")).external, true);
        await stack.up(() => void new Thing("own", { unique: true, name: "shared" }));
        ok(existsSync(`${stack.world}/shared.json`));
        deepStrictEqual(
            (await stack.resources()).map(({ urn }) => nameOf(urn)),
            ["sample-dev", "own"],
        );
    });
});
