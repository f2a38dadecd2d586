import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Thing } from "./support/resources";
import { TestStack } from "./support/stack";

describe("engine: stack references", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    /** Reads `color` of the stack itself, then exports another one. */
    const program =
        (seen: unknown[], color: string, more: Record<string, unknown> = {}) =>
        async (): Promise<Record<string, unknown>> => {
            const self = new pulumi.StackReference("organization/sample/dev");
            seen.push((await self.getOutputDetails("color")).value);
            const thing = new Thing("thing", { value: color, ...more });
            return { color: thing.value };
        };

    it("to the stack itself gives nothing at first, then the last outputs, in preview and up", async () => {
        const seen: unknown[] = [];
        await stack.up(program(seen, "blue"));
        await stack.preview(program(seen, "green"));
        await stack.up(program(seen, "green"));
        await stack.up(program(seen, "green"));
        deepStrictEqual(seen, [undefined, "blue", "blue", "green"]);
    });

    it("to the stack itself still gives the old outputs after a failed up", async () => {
        const seen: unknown[] = [];
        await stack.up(program(seen, "blue"));
        const failed = await stack.up(program(seen, "green", { failUpdate: "no luck" }));
        ok(!failed.ok);
        await stack.up(program(seen, "blue"));
        deepStrictEqual(seen, [undefined, "blue", "blue"]);
    });

    it("to another stack gives its outputs, secrets as secrets", async () => {
        await stack.up(() => ({ plain: 1, hidden: pulumi.secret("x") }));
        const other = await TestStack.create("dev", "other");
        try {
            const url = `file://${stack.file("backend")}`;
            const result = await other.withBackend(url, async () => {
                await other.pulumi("stack", "init", "dev");
                return other.up(async () => {
                    const reference = new pulumi.StackReference("organization/sample/dev");
                    return {
                        all: await reference.getOutputDetails("plain"),
                        hidden: reference.getOutput("hidden"),
                    };
                });
            });
            ok(result.ok, result.errors.join());
            deepStrictEqual(result.outputs["all"], { value: 1 });
            match(JSON.stringify(result.outputs["hidden"]), /4dabf18193072939515e22adb298388d/);
        } finally {
            other.dispose();
        }
    });

    it("to a stack that does not exist is an error that names it", async () => {
        const result = await stack.up(() => {
            new pulumi.StackReference("organization/sample/nowhere");
        });
        ok(!result.ok);
        match(result.errors.join(), /unknown stack "organization\/sample\/nowhere"/);
        strictEqual(result.errors.length, 1);
    });
});
