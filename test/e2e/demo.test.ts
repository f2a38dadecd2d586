import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
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
import type { DemoResult } from "../../scripts/demo/recording";
import { silentProgress } from "../../scripts/progress";
import { requireCluster } from "../support/cluster";
import { ROOT } from "../support/e2e";

const MINUTE = 60_000;

/** The demo in a process of its own, as a user starts it. */
class Demo {
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

describe("demo on a sandbox that runs already", function () {
    this.timeout(6 * MINUTE);

    let cluster: NamedCluster;
    let folder: string;
    let env: NodeJS.ProcessEnv;

    before(async function () {
        const shared = await requireCluster.call(this);
        if (!shared.sandbox) return this.skip();
        await loadImages(shared.sandbox, silentProgress);
        cluster = await connect(shared.context, shared.kubeconfig);
        await deleteNamespace(cluster, "endpoint-stats");
        folder = await mkdtemp(path.join(tmpdir(), "demo-test-"));
        // A folder of its own for temporary files shows what is left in it.
        env = { ...process.env, TMPDIR: folder, CUTOVER_SANDBOX_STATE: shared.sandbox.stateDir };
    });

    after(async () => {
        if (folder) await rm(folder, { recursive: true });
    });

    async function assertNothingLeft(): Promise<void> {
        const left = readdirSync(folder).filter((name) => name.startsWith("cutover-"));
        assert.deepEqual(left, []);
        assert.equal(await hasNamespace(cluster, "endpoint-stats"), false);
        assert.equal((await sandbox.status()).running, true, "the sandbox was not the demo's");
    }

    it("plays every phase without losing a request, and cleans up", async () => {
        const out = path.join(folder, "out");
        const { code, stdout, stderr } = await new Demo(out, env).output;
        assert.equal(code, 0, stderr);
        const result = JSON.parse(stdout) as DemoResult;
        assert.deepEqual(result, JSON.parse(readFileSync(path.join(out, "demo.json"), "utf8")));
        assert.equal(result.passed, true);
        assert.equal(result.failed, 0);
        assert.ok(result.requests >= 5_000, `${result.requests} requests`);
        assert.match(result.engine, /^(cli|stand-in)$/);
        assert.match(result.engineVersion, /^\d+\.\d+\.\d+/);
        assert.match(result.kubernetes, /^v1\.\d+\.\d+/);
        assert.deepEqual(
            result.phases.map(({ name }) => name),
            ["deploy", "green", "no-op", "preview", "switch", "back"],
        );
        for (const phase of result.phases.slice(-2)) {
            assert.ok(phase.trafficMovedSeconds! <= 1, `${phase.name} moved`);
        }
        const { keptAlive, new: fresh } = result.connections;
        assert.equal(keptAlive.requests + fresh.requests, result.requests);
        assert.ok(Math.abs(keptAlive.requests - fresh.requests) <= 1, "half each");
        assert.deepEqual(Object.keys(result.requestsPerRelease).sort(), ["1.0.0", "2.0.0"]);
        for (const name of ["demo.html", "demo.svg"]) {
            assert.match(readFileSync(path.join(out, name), "utf8"), /requests failed/, name);
        }
        await assertNothingLeft();
    });

    it("refuses a namespace in use, and cleans up after Ctrl-C in the middle of an update", async () => {
        const out = path.join(folder, "interrupted");
        const demo = new Demo(out, env);
        await demo.reached("- no-op");
        const second = await new Demo(path.join(folder, "second"), env).output;
        assert.equal(second.code, 1);
        assert.match(second.stderr, /namespace endpoint-stats exists already/);

        demo.interrupt();
        const { code, stdout, stderr } = await demo.output;
        assert.equal(code, 130, stderr);
        assert.match(stderr, /interrupted by SIGINT/);
        assert.equal(stdout, "");
        assert.ok(!existsSync(out), "half a run has no result");
        await assertNothingLeft();
    });
});
