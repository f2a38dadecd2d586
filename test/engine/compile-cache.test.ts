import { deepStrictEqual, notDeepStrictEqual, strictEqual } from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { run, writeProgram } from "./support/process";
import { TestStack } from "./support/stack";

/** Every file below a folder with the time of its last change. */
function filesOf(folder: string): Record<string, number> {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name));
    return Object.fromEntries(files.map((file) => [file, statSync(file).mtimeMs]));
}

describe("engine: cache of compiled code", function () {
    this.timeout(120_000);
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    it("is not spoilt by a program that loads what the engine also loads", async () => {
        // The SDK has set its flag by then, and V8 compiles for it.
        const late = `import { createRequire } from "node:module";
createRequire(__filename)("yaml");
`;
        const cache = stack.file("cache");
        const up = async (): Promise<void> => {
            const args = ["up", "--yes", "--skip-preview", "--stack", "dev"];
            const { code, stderr } = await run(stack, args, { CUTOVER_CACHE: cache });
            strictEqual(code, 0, stderr);
        };
        writeProgram(stack, "");
        await up();
        const engineOnly = filesOf(cache);
        writeProgram(stack, late);
        await up();
        const both = filesOf(cache);
        notDeepStrictEqual(both, engineOnly);
        await up();
        const after = filesOf(cache);
        const rewritten = Object.keys(after).filter((file) => after[file] !== both[file]);
        deepStrictEqual(rewritten, []);
    });
});
