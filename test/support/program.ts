import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseDocument } from "yaml";
import { resolveEngine } from "../../scripts/engine";
import {
    ConnectionKind,
    dueBetween,
    explainFailures,
    now,
    ofKind,
    startProber,
    type Prober,
} from "../../scripts/prober";
import type { Cluster } from "./cluster";
import { openTestStack, type TestStack, type TestStackOptions } from "./e2e";
import { until } from "./kube";

/** How one engine command ended. */
export interface Outcome {
    code: number | null;
    output: string;
    /** The first line of every error in its diagnostics, each once. */
    errors: string[];
    seconds: number;
}

/** A command that is still running. */
export interface Running {
    process: ChildProcess;
    ended: Promise<Outcome>;
    /** Everything it has printed so far. */
    output(): string;
}

/** An engine command that neither ends nor fails is a failure of its own. */
const COMMAND_TIMEOUT_MS = 240_000;

/** Enough to see every second of a case, few enough to leave the machine to the cluster. */
const REQUESTS_PER_SECOND = 20;

/**
 * The project's program on a cluster, driven as a user drives it: by editing the stack's config file
 * and running engine commands, with their exit codes and output.
 */
export class Program {
    private prober: Prober | undefined;

    private constructor(
        readonly target: TestStack,
        private readonly binDir: string,
    ) {}

    static async open(cluster: Cluster, options: TestStackOptions): Promise<Program> {
        const { binDir } = await resolveEngine();
        return new Program(await openTestStack(cluster, options), binDir);
    }

    get namespace(): string {
        return this.target.namespace;
    }

    /** Removes the stack with all that it has; what a case left behind is healed first. */
    async close(): Promise<void> {
        await this.prober?.stop();
        await this.target.destroy();
    }

    /** Sets keys of the stack's config file, by path; `undefined` removes one. */
    configure(changes: Record<string, unknown>): void {
        const document = parseDocument(readFileSync(this.configFile, "utf8"));
        for (const [key, value] of Object.entries(changes)) {
            const steps = ["config", ...key.split("/")];
            if (value === undefined) document.deleteIn(steps);
            else document.setIn(steps, document.createNode(value));
        }
        writeFileSync(this.configFile, document.toString());
    }

    /** Does `work` with some config changed, and then changes the file back, whatever happened. */
    async with<T>(changes: Record<string, unknown>, work: () => Promise<T>): Promise<T> {
        const before = readFileSync(this.configFile, "utf8");
        this.configure(changes);
        try {
            return await work();
        } finally {
            writeFileSync(this.configFile, before);
        }
    }

    private get configFile(): string {
        return path.join(this.target.scratch.folder, "Pulumi.dev.yaml");
    }

    /** Starts an engine command on the stack. */
    start(args: string[], env: Record<string, string> = {}): Running {
        const started = performance.now();
        const child = spawn(path.join(this.binDir, "pulumi"), [...args, "--stack", "dev"], {
            cwd: this.target.scratch.folder,
            env: { ...process.env, ...this.target.scratch.env, ...env },
            stdio: ["ignore", "pipe", "pipe"],
            // A group of its own, so that all of it can be killed.
            detached: true,
        });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) {
            stream.setEncoding("utf8").on("data", (text: string) => (output += text));
        }
        const ended = new Promise<Outcome>((resolve, reject) => {
            const timer = setTimeout(() => {
                killGroup(child);
                reject(new Error(`pulumi ${args[0]} did not end; it said:\n${output}`));
            }, COMMAND_TIMEOUT_MS);
            child.on("error", reject);
            child.on("close", (code) => {
                clearTimeout(timer);
                const seconds = (performance.now() - started) / 1000;
                resolve({ code, output, errors: errorsIn(output), seconds });
            });
        });
        return { process: child, ended, output: () => output };
    }

    run(args: string[], env?: Record<string, string>): Promise<Outcome> {
        return this.start(args, env).ended;
    }

    startUp(env?: Record<string, string>): Running {
        return this.start(["up", "--yes", "--skip-preview", "--non-interactive"], env);
    }

    up(env?: Record<string, string>): Promise<Outcome> {
        return this.startUp(env).ended;
    }

    preview(env?: Record<string, string>): Promise<Outcome> {
        return this.run(["preview", "--non-interactive"], env);
    }

    /** An `up` that has to succeed. */
    async mustUp(): Promise<Outcome> {
        const outcome = await this.up();
        assert.equal(outcome.code, 0, outcome.output);
        return outcome;
    }

    /** Fails unless nothing would change: the stack is healed, or was never hurt. */
    async mustBeUpToDate(): Promise<void> {
        const outcome = await this.run(["preview", "--non-interactive", "--expect-no-changes"]);
        assert.equal(outcome.code, 0, outcome.output);
    }

    async activeColor(): Promise<string> {
        const { output } = await this.run(["stack", "output", "activeColor"]);
        return output.trim().split("\n").at(-1) ?? "";
    }

    /** Starts requests to the public Service, which go on until the program is closed. */
    async startLoad(): Promise<void> {
        const { url } = this.target;
        const allowAnyHost = process.env.CUTOVER_E2E_HOST !== undefined;
        const prober = await startProber({ url, rate: REQUESTS_PER_SECOND, allowAnyHost });
        this.prober = prober;
        await prober.until(`an answer from ${url}`, 30_000, (all) => all.find(({ ok }) => ok));
    }

    /**
     * Does `work` under load: every request that is due meanwhile, and for a second after, must be
     * answered, and on new connections by one of `releases`. Kept-alive ones may be on their way from
     * a color that has lost the traffic before.
     */
    async serving<T>(releases: string[], work: () => Promise<T>): Promise<T> {
        const { prober } = this;
        assert.ok(prober, "the load has not been started");
        const from = now();
        const result = await work();
        const to = now() + 1_000;
        const samples = await prober.until("requests after the case", 30_000, (all) =>
            dueBetween(all, to, Infinity).length > 0 ? dueBetween(all, from, to) : undefined,
        );
        assert.ok(samples.length >= REQUESTS_PER_SECOND / 2, `${samples.length} requests`);
        const failed = samples.filter(({ ok }) => !ok);
        assert.equal(failed.length, 0, explainFailures(samples).join("\n"));
        const answered = ofKind(samples, ConnectionKind.new).map(
            ({ release }) => release ?? "none",
        );
        const others = new Set(answered.filter((release) => !releases.includes(release)));
        assert.deepEqual([...others], [], `only ${releases.join(", ")} may answer`);
        return result;
    }
}

/** Kills a command and its children as a crashed machine would: none of them can clean up. */
export function killGroup(child: ChildProcess): void {
    assert.ok(child.pid !== undefined);
    process.kill(-child.pid, "SIGKILL");
}

/** Waits until a running command has printed `text`. */
export async function printed(running: Running, text: RegExp, seconds = 60): Promise<void> {
    let over = false;
    void running.ended.then(() => (over = true));
    await until(`the output ${text.source}`, seconds, () => {
        assert.ok(!over || text.test(running.output()), `ended before:\n${running.output()}`);
        return text.test(running.output());
    });
}

/** The engine prints an error below its resource, and may repeat it at the end. */
function errorsIn(output: string): string[] {
    const lines = output.split("\n").map((line) => line.trim());
    const errors = lines.filter((line) => line.startsWith("error: "));
    const general = /^error: (update|preview|refresh) failed$/;
    return [...new Set(errors)].filter((line) => !general.test(line));
}
