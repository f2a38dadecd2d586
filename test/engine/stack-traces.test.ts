import { match, notStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { run, writeProgram } from "./support/process";
import { TestStack } from "./support/stack";

describe("engine: stack traces of a program", function () {
    this.timeout(120_000);
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    it("show the lines of the TypeScript", async () => {
        // Types are gone from what runs, so its lines are others.
        writeProgram(
            stack,
            `interface Gone {
    one: string;
    two: string;
}
function fail(gone: Gone): never {
    throw new Error("on purpose: " + gone.one);
}
fail({ one: "1", two: "2" });`,
        );
        const lines = readFileSync(stack.file("index.ts"), "utf8").split("\n");
        const line = (text: string): number => lines.findIndex((one) => one.includes(text)) + 1;
        const { code, stdout, stderr } = await run(stack, ["preview", "--stack", "dev"]);
        notStrictEqual(code, 0);
        const output = stdout + stderr;
        match(output, /Error: on purpose: 1\n/);
        match(output, new RegExp(`at fail \\(.*/index\\.ts:${line("throw new")}:11\\)`));
        match(
            output,
            new RegExp(`at Object\\.<anonymous> \\(.*/index\\.ts:${line("fail({")}:1\\)`),
        );
    });
});
