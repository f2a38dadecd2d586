import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Thing } from "./support/resources";
import { TestStack } from "./support/stack";

describe("engine: replacement", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    const chain =
        (name: string, options: { deleteFirst?: boolean; through?: "name" | "value" } = {}) =>
        () => {
            const deleteBeforeReplace = options.deleteFirst;
            const a = new Thing(
                "a",
                { name },
                deleteBeforeReplace === undefined ? {} : { deleteBeforeReplace },
            );
            new Thing("b", { [options.through ?? "value"]: a.token });
            new Thing("aside", {}, { dependsOn: a });
        };

    it("creates the new one, updates what depends on it, then deletes the old one", async () => {
        await stack.up(chain("x"));
        stack.forgetLog();
        const result = await stack.up(chain("y"));
        deepStrictEqual(result.changes, { same: 2, replace: 1, update: 1 });
        deepStrictEqual(stack.log(), [
            "create a",
            "created a",
            "update b",
            "updated b",
            "delete a",
        ]);
        strictEqual((await stack.resources()).filter(({ urn }) => urn.endsWith("::a")).length, 1);
    });

    it("replaces dependents too when the changed value forces it", async () => {
        await stack.up(chain("x", { through: "name" }));
        stack.forgetLog();
        await stack.up(chain("y", { through: "name" }));
        deepStrictEqual(stack.log(), [
            "create a",
            "created a",
            "create b",
            "created b",
            "delete b",
            "delete a",
        ]);
    });

    it("with deleteBeforeReplace deletes first, and leaves what only depends on it", async () => {
        await stack.up(chain("x", { deleteFirst: true }));
        stack.forgetLog();
        const result = await stack.up(chain("y", { deleteFirst: true }));
        deepStrictEqual(stack.log(), [
            "delete a",
            "create a",
            "created a",
            "update b",
            "updated b",
        ]);
        deepStrictEqual(result.changes, { same: 2, replace: 1, update: 1 });
    });

    it("with deleteBeforeReplace deletes the dependents it forces to be replaced before it", async () => {
        await stack.up(chain("x", { deleteFirst: true, through: "name" }));
        stack.forgetLog();
        const result = await stack.up(chain("y", { deleteFirst: true, through: "name" }));
        ok(result.ok, result.errors.join());
        deepStrictEqual(stack.log(), [
            "delete b",
            "delete a",
            "create a",
            "created a",
            "create b",
            "created b",
        ]);
        deepStrictEqual(result.changes, { same: 2, replace: 2 });
    });

    it("does what the provider asks for, unless the program says otherwise", async () => {
        const program = (name: string, force?: boolean) => () => {
            const opts = force === undefined ? {} : { deleteBeforeReplace: force };
            new Thing("a", { name, deleteFirst: true }, opts);
        };
        await stack.up(program("x"));
        stack.forgetLog();
        await stack.up(program("y"));
        deepStrictEqual(stack.log(), ["delete a", "create a", "created a"]);
        stack.forgetLog();
        await stack.up(program("z", false));
        deepStrictEqual(stack.log(), ["create a", "created a", "delete a"]);
    });

    it("goes on with a replacement whose creation failed after the deletion", async () => {
        const program =
            (name: string, more: Record<string, unknown> = {}) =>
            () =>
                void new Thing("a", { name, ...more }, { deleteBeforeReplace: true });
        await stack.up(program("x"));
        const failed = await stack.up(program("y", { failCreate: "no room" }));
        match(failed.errors.join(), /no room/);
        strictEqual((await stack.resource("a")).pendingReplacement, true);
        stack.forgetLog();
        const result = await stack.up(program("y"));
        ok(result.ok, result.errors.join());
        deepStrictEqual(stack.log(), ["create a", "created a"]);
        strictEqual((await stack.resource("a")).pendingReplacement, undefined);
    });

    it("deletes what an earlier failure left to delete", async () => {
        const program = (name: string, failDelete?: string) => () =>
            void new Thing("a", { name, ...(failDelete === undefined ? {} : { failDelete }) });
        await stack.up(program("x", "busy"));
        const failed = await stack.up(program("y"));
        match(failed.errors.join(), /busy/);
        const states = (await stack.resources()).filter(({ urn }) => urn.endsWith("::a"));
        deepStrictEqual(
            states.map((state) => state.delete),
            [undefined, true],
        );
        const again = await stack.up(program("y"));
        match(again.errors.join(), /busy/);
    });
});
