import { ChildProcess, spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { environment, REPOSITORY, TestStack } from "./stack";

export const PULUMI = path.join(REPOSITORY, "sandbox/engine/bin/pulumi");

/** The start of every local program in these tests: a resource of the test provider. */
const PRELUDE = `import * as pulumi from "@pulumi/pulumi";
class Thing extends pulumi.CustomResource {
    declare value: pulumi.Output<unknown>;
    constructor(name: string, args: object = {}, opts: pulumi.CustomResourceOptions = {}) {
        super("test:index:Thing", name, { ...args }, { version: "1.0.0", ...opts });
    }
}
`;

/** Makes the stack's folder a project with a TypeScript program. */
export function writeProgram(stack: TestStack, body: string): void {
    writeFileSync(stack.file("package.json"), JSON.stringify({ main: "index.ts" }));
    writeFileSync(stack.file("index.ts"), `${PRELUDE}${body}\n`);
}

export interface Finished {
    code: number | null;
    signal: NodeJS.Signals | null;
    stdout: string;
    stderr: string;
}

/** Starts the engine as a process of its own, as a user or the Automation API does. */
export function start(
    stack: TestStack,
    argv: string[],
    env: Record<string, string> = {},
): { child: ChildProcess; finished: Promise<Finished> } {
    const child = spawn(PULUMI, argv, {
        cwd: stack.folder,
        env: { ...process.env, ...environment(stack.folder), ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += String(chunk)));
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const finished = new Promise<Finished>((resolve) =>
        child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })),
    );
    return { child, finished };
}

export function run(
    stack: TestStack,
    argv: string[],
    env: Record<string, string> = {},
): Promise<Finished> {
    return start(stack, argv, env).finished;
}

/** Waits until a condition holds. @throws with what was waited for, after a minute */
export async function until(what: string, condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!condition()) {
        if (Date.now() > deadline) throw new Error(`waited 60 s in vain until ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
}

export function exists(file: string): boolean {
    return existsSync(file);
}
