import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { exists, run, start, until, writeProgram } from "./support/process";
import { TestStack } from "./support/stack";

const UP = ["up", "--yes", "--skip-preview"];

describe("engine: interruption and locks", function () {
    this.timeout(120_000);
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    /** `first`, then `slow`, which exists in the world at once but is only done when told so. */
    const program = `
const first = new Thing("first");
const slow = new Thing(
    "slow",
    { name: "slow", unique: true, writeFirst: true, hangFile: process.env.HANG },
    { dependsOn: first },
);
new Thing("last", {}, { dependsOn: slow });`;

    const startSlowUp = async () => {
        writeProgram(stack, program);
        const process = start(stack, UP, { HANG: stack.file("go") });
        await until("the slow resource is being created", () =>
            stack.log().includes("create slow"),
        );
        return process;
    };
    const pending = () => stack.checkpoint().checkpoint.latest?.pending_operations ?? [];

    it("a second up is refused while one runs, with the real CLI's words", async () => {
        const first = await startSlowUp();
        const second = await run(stack, UP);
        strictEqual(second.code, 1);
        match(second.stderr, /error: the stack is currently locked by 1 lock\(s\)\. Either wait/);
        match(second.stderr, new RegExp(`\\(pid ${first.child.pid}\\)`));
        writeFileSync(stack.file("go"), "");
        const finished = await first.finished;
        strictEqual(finished.code, 0, finished.stderr);
        deepStrictEqual(
            readdirSync(stack.file("backend/.pulumi/locks/organization/sample/dev")),
            [],
        );
    });

    it("after kill -9 it takes cancel and a refresh, as with the real CLI, and then heals", async () => {
        const killed = await startSlowUp();
        process.kill(killed.child.pid ?? 0, "SIGKILL");
        await killed.finished;
        strictEqual(pending()[0]?.type, "creating");

        // As a kill in the middle of a write leaves it.
        const leftover = stack.file("backend/.pulumi/stacks/sample/dev.json.1a2b3c4d.tmp");
        writeFileSync(leftover, "{");
        const locked = await run(stack, UP);
        match(locked.stderr, /currently locked by 1 lock/);
        const cancelled = await run(stack, ["cancel", "--yes", "--stack", "dev"]);
        strictEqual(cancelled.code, 0);

        const refused = await run(stack, UP);
        strictEqual(refused.code, 1);
        match(refused.stderr, /AlreadyExists: slow/);

        const urn = pending()[0]?.resource.urn ?? "";
        const refreshed = await run(stack, [
            ...["refresh", "--yes", "--skip-preview"],
            ...["--import-pending-creates", urn, "--import-pending-creates", "slow"],
        ]);
        strictEqual(refreshed.code, 0, refreshed.stderr);
        const healed = await run(stack, UP);
        strictEqual(healed.code, 0, healed.stderr);
        match(healed.stdout, /\+ 1 created/);
        deepStrictEqual(pending(), []);
        ok(!exists(leftover), "the leftover of the killed write is still there");
    });

    it("the first interrupt ends the operation in good order", async () => {
        const running = await startSlowUp();
        running.child.kill("SIGINT");
        const finished = await running.finished;
        strictEqual(finished.code, 8);
        match(finished.stderr, /update canceled/);
        deepStrictEqual(pending(), []);
        ok((await run(stack, ["stack", "export"])).stdout.includes("::first"));
        deepStrictEqual(
            readdirSync(stack.file("backend/.pulumi/locks/organization/sample/dev")),
            [],
        );
    });

    it("an interrupt ends a hook that waits, and with it the operation", async () => {
        writeProgram(
            stack,
            `const gate = new pulumi.ResourceHook("gate", async () => {
                pulumi.log.info("waiting for ready pods");
                await new Promise((resolve) => setTimeout(resolve, 600_000));
            });
            new Thing("route", {}, { hooks: { beforeCreate: [gate] } });`,
        );
        const running = start(stack, UP);
        let printed = "";
        running.child.stdout?.on("data", (chunk) => (printed += String(chunk)));
        await until("the hook runs", () => printed.includes("waiting for ready pods"));
        running.child.kill("SIGINT");
        const finished = await running.finished;
        strictEqual(finished.code, 8, finished.stderr);
        deepStrictEqual(pending(), []);
        deepStrictEqual(stack.log(), []);
    });

    it("a state that is no JSON is refused, and says where the last one is", async () => {
        writeProgram(stack, "");
        strictEqual((await run(stack, UP)).code, 0);
        writeFileSync(stack.file("backend/.pulumi/stacks/sample/dev.json"), '{"version":3,');
        const result = await run(stack, UP);
        strictEqual(result.code, 1);
        match(result.stderr, /failed to load checkpoint: .* is not valid JSON .*\.bak/);
    });
});
