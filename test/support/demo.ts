import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as sandbox from "../../sandbox";
import { loadImages } from "../../sandbox/images";
import {
    connect,
    deleteNamespace,
    hasNamespace,
    type NamedCluster,
} from "../../scripts/demo/cluster";
import { silentProgress } from "../../scripts/progress";
import { ROOT } from "./e2e";

/** Of the demo; two demos cannot run at once. */
export const DEMO_NAMESPACE = "endpoint-stats";

/** The demo in a process of its own, as a user starts it. */
export class Demo {
    readonly output: Promise<{ code: number | null; stdout: string; stderr: string }>;
    private readonly child: ChildProcess;
    private stdout = "";
    private stderr = "";

    constructor(out: string, env: NodeJS.ProcessEnv) {
        const args = [path.join(ROOT, "bin", "cutover"), "demo", "--json", "--out", out];
        // A group of its own, so that a signal to the group is what Ctrl-C in a terminal is.
        this.child = spawn(process.execPath, args, { cwd: ROOT, env, detached: true });
        this.child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
        this.child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
        this.output = new Promise((resolve) => {
            this.child.once("close", (code) =>
                resolve({ code, stdout: this.stdout, stderr: this.stderr }),
            );
        });
    }

    /** Resolves when standard error has shown `text`. */
    async reached(text: string): Promise<void> {
        const ended = this.output.then(({ stderr }) => {
            throw new Error(`the demo ended before "${text}":\n${stderr}`);
        });
        const seen = new Promise<void>((resolve) => {
            const check = () => this.stderr.includes(text) && resolve();
            this.child.stderr?.on("data", check);
            check();
        });
        await Promise.race([seen, ended]);
    }

    interrupt(): void {
        if (this.child.pid) process.kill(-this.child.pid, "SIGINT");
    }
}

/** Where demos of a test run: the shared sandbox, and a folder for whatever they write. */
export class DemoPlace {
    private constructor(
        readonly cluster: NamedCluster,
        readonly folder: string,
        readonly env: NodeJS.ProcessEnv,
    ) {}

    static async open(info: sandbox.SandboxInfo): Promise<DemoPlace> {
        await loadImages(info, silentProgress);
        const cluster = await connect(info.context, info.kubeconfig);
        await deleteNamespace(cluster, DEMO_NAMESPACE);
        const folder = mkdtempSync(path.join(tmpdir(), "demo-test-"));
        // A folder of its own for temporary files shows what is left in it.
        const env = { TMPDIR: folder, CUTOVER_SANDBOX_STATE: info.stateDir };
        return new DemoPlace(cluster, folder, { ...process.env, ...env });
    }

    /** Starts a demo whose result goes to the folder `name`. */
    start(name: string): Demo {
        return new Demo(this.out(name), this.env);
    }

    out(name: string): string {
        return path.join(this.folder, name);
    }

    async assertNothingLeft(): Promise<void> {
        const left = readdirSync(this.folder).filter((name) => name.startsWith("cutover-"));
        assert.deepEqual(left, []);
        assert.equal(await hasNamespace(this.cluster, DEMO_NAMESPACE), false);
        assert.equal((await sandbox.status()).running, true, "the sandbox was not the demo's");
    }

    close(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }
}
