import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Box, Thing } from "./support/resources";
import { TestStack } from "./support/stack";

/** A component without resources, whose entry in the state says what has passed its hooks. */
class Passage extends pulumi.ComponentResource {
    readonly passed: pulumi.Output<pulumi.Resource>;

    constructor(generation: number, thing: Thing, hooks: pulumi.ResourceHookBinding) {
        super("test:index:Passage", "passage", { generation }, { hooks, dependsOn: thing });
        this.passed = this.urn.apply(() => thing);
        this.registerOutputs({});
    }
}

describe("engine: resource hooks", () => {
    let stack: TestStack;
    let calls: string[];
    beforeEach(async () => {
        stack = await TestStack.create();
        calls = [];
    });
    afterEach(() => stack.dispose());

    const hook = (
        name: string,
        body: (args: pulumi.ResourceHookArgs) => void = () => undefined,
        opts: pulumi.ResourceHookOptions = {},
    ): pulumi.ResourceHook =>
        new pulumi.ResourceHook(
            name,
            (args) => {
                calls.push(name);
                body(args);
            },
            opts,
        );

    it("runs before and after create and update, in that order, and not when nothing changes", async () => {
        const program = (value: number) => () => {
            const hooks = {
                beforeCreate: [hook("before create")],
                afterCreate: [hook("after create")],
                beforeUpdate: [hook("before update")],
                afterUpdate: [hook("after update")],
            };
            new Thing("a", { value }, { hooks });
        };
        await stack.up(program(1));
        deepStrictEqual(calls, ["before create", "after create"]);
        await stack.up(program(1));
        strictEqual(calls.length, 2);
        await stack.up(program(2));
        deepStrictEqual(calls.slice(2), ["before update", "after update"]);
    });

    it("tells a hook the old and the new inputs, and the outputs afterwards", async () => {
        const seen: Record<string, unknown>[] = [];
        const program = (value: number) => () => {
            const look = ({
                oldInputs,
                newInputs,
                newOutputs,
                id,
            }: pulumi.ResourceHookArgs): void =>
                void seen.push({ oldInputs, newInputs, newOutputs, id });
            const hooks = { beforeUpdate: [hook("b", look)], afterUpdate: [hook("a", look)] };
            new Thing("thing", { value }, { hooks });
        };
        await stack.up(program(1));
        await stack.up(program(2));
        const [before, after] = seen;
        const { id } = await stack.resource("thing");
        deepStrictEqual(before, {
            oldInputs: { value: 1, color: "red" },
            newInputs: { value: 2, color: "red" },
            newOutputs: undefined,
            id,
        });
        strictEqual((after?.["newOutputs"] as { token: string }).token, `token-${id}`);
    });

    it("a throwing before-hook fails preview (with onDryRun) and up, and nothing is touched", async () => {
        const refuse = (onDryRun: boolean) => () => {
            const gate = hook(
                "gate",
                () => {
                    throw new Error("green has no ready pods");
                },
                { onDryRun },
            );
            new Thing("route", { value: 2 }, { hooks: { beforeUpdate: [gate] } });
        };
        await stack.up(() => void new Thing("route", { value: 1 }));
        stack.forgetLog();
        const silent = await stack.preview(refuse(false));
        ok(silent.ok);
        deepStrictEqual(calls, []);
        const message = 'before hook "gate" failed: green has no ready pods';
        const preview = await stack.preview(refuse(true));
        ok(!preview.ok);
        deepStrictEqual(preview.errors, [message]);
        const result = await stack.up(refuse(true));
        ok(!result.ok);
        deepStrictEqual(result.errors, [message]);
        deepStrictEqual(stack.log(), []);
        strictEqual((await stack.resource("route")).inputs["value"], 1);
    });

    it("a throwing after-hook fails the up, but what was done is in the state", async () => {
        const program = (): void => {
            const check = hook("check", () => {
                throw new Error("not seen");
            });
            new Thing("a", {}, { hooks: { afterCreate: [check] } });
        };
        const result = await stack.up(program);
        ok(!result.ok);
        deepStrictEqual(result.errors, ['after hook "check" failed: not seen']);
        ok((await stack.resource("a")).id);
    });

    it("delete hooks of a program run for what it no longer declares", async () => {
        const bye = (): pulumi.ResourceHook => hook("bye");
        await stack.up(() => void new Thing("a", {}, { hooks: { beforeDelete: [bye()] } }));
        const unknown = await stack.destroy();
        match(unknown.errors.join(), /hook "bye" was not registered/);
        const result = await stack.up(() => {
            new Thing("b", {}, { hooks: { beforeDelete: [bye()] } });
        });
        ok(result.ok, result.errors.join());
        deepStrictEqual(calls, ["bye"]);
    });

    it("a component's after-hook runs when its outputs are registered", async () => {
        await stack.up(() => {
            const done = hook("done", ({ newOutputs }) => {
                deepStrictEqual(newOutputs, { answer: 42 });
            });
            new Box("box", () => ({ answer: 42 }), { hooks: { afterCreate: [done] } });
        });
        deepStrictEqual(calls, ["done"]);
    });

    it("a component's before-hook that fails holds back what waits for it, and runs again in the next up", async () => {
        const program = (generation: number, accept: boolean) => () => {
            const wait = hook("wait", () => {
                if (!accept) throw new Error("not accepted");
            });
            const thing = new Thing("thing", { value: generation });
            const passage = new Passage(generation, thing, {
                beforeCreate: [wait],
                beforeUpdate: [wait],
            });
            new Thing("later", { value: generation }, { dependsOn: passage.passed });
            return { state: passage.passed.apply(() => generation) };
        };
        const failed = ['before hook "wait" failed: not accepted'];
        ok((await stack.up(program(1, true))).ok);
        for (const generation of [2, 2, 3]) {
            deepStrictEqual((await stack.up(program(generation, false))).errors, failed);
            strictEqual((await stack.resource("thing")).inputs["value"], generation);
            strictEqual((await stack.resource("later")).inputs["value"], 1);
        }
        strictEqual(calls.length, 4);
        ok((await stack.up(program(3, true))).ok);
        strictEqual((await stack.resource("later")).inputs["value"], 3);
        ok((await stack.up(program(3, true))).ok);
        strictEqual(calls.length, 5, "nothing has changed: no hook");
    });

    it("secrets reach a hook as secrets", async () => {
        let secret: boolean | undefined;
        await stack.up(() => {
            const look = new pulumi.ResourceHook("look", async ({ newInputs }) => {
                const value = (newInputs as { value: { isSecret: Promise<boolean> } }).value;
                secret = await value.isSecret;
            });
            new Thing("a", { value: pulumi.secret("x") }, { hooks: { beforeCreate: [look] } });
        });
        strictEqual(secret, true);
    });
});
