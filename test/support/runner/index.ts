import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { cannotRun } from "./can-run";
import { type Job, jobsOf, SANDBOX } from "./jobs";
import { Lane, lanesOf, runInLanes } from "./lanes";
import { type Ended, runProcess } from "./process";
import { type Counts, describe, type JobResult, summarize } from "./totals";

const ROOT = path.join(__dirname, "..", "..", "..");
const BIN = path.join(ROOT, "node_modules", ".bin");
const NODE = path.join(BIN, "node");
const ROWS = path.join(ROOT, "out", "e2e.json");
const MINUTE = 60_000;
/** The first run on a machine builds Kubernetes. */
const SANDBOX_MINUTES = 20;
const INTERRUPTED = 130;

/**
 * Runs the tests, each job in a mocha process of its own, and prints one closing line. Returns the
 * exit code.
 *
 * @param wanted suites or e2e files; all when empty
 */
export async function runAll(wanted: readonly string[]): Promise<number> {
    const jobs = jobsOf(ROOT, wanted);
    const lanes = lanesOf(process.env.CUTOVER_TEST_LANES);
    const run = new Run();
    // Rows of an earlier run must not be taken for this one's.
    if (jobs.some(({ name }) => name.startsWith("e2e/"))) rmSync(ROWS, { force: true });
    const interrupt = new AbortController();
    const abort = () => interrupt.abort();
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, abort);
    const { signal } = interrupt;
    try {
        await runInLanes(withSandbox(jobs), {
            lanes,
            signal,
            run: (job) => (job.name === SANDBOX ? run.startSandbox(signal) : run.job(job, signal)),
        });
        for (const job of jobs) run.missing(job.name);
    } finally {
        await run.end();
    }
    const { lines, failed } = summarize(run.results, process.env.CI === "true");
    console.log(`\n${lines.join("\n")}`);
    if (signal.aborted) return INTERRUPTED;
    return failed > 0 ? 1 : 0;
}

/** With the job that brings the sandbox up, where jobs use it and it can run. */
function withSandbox(jobs: readonly Job[]): Job[] {
    const used = jobs.some(({ needs }) => needs.includes(SANDBOX));
    if (!used || process.env.CUTOVER_E2E_CONTEXT || cannotRun() !== undefined) {
        return jobs.map((job) => ({ ...job, needs: [] }));
    }
    const first = { name: SANDBOX, lane: Lane.shared, seconds: Infinity, needs: [] };
    return [{ ...first, spec: "", minutes: SANDBOX_MINUTES }, ...jobs];
}

/** One run: what ended how, and the files that its processes leave their figures in. */
class Run {
    readonly results: JobResult[] = [];
    private readonly scratch = mkdtempSync(path.join(tmpdir(), "cutover-test-"));
    private readonly rows = path.join(this.scratch, "rows.jsonl");
    private readonly sandboxMark = path.join(this.scratch, "sandbox-started");
    private sandboxFailed = false;

    async startSandbox(signal: AbortSignal): Promise<void> {
        say("started: sandbox");
        // Its lines come as they are: where Kubernetes has to be built, minutes pass.
        const ended = await this.sandbox(["up", this.sandboxMark], {
            signal,
            onLine: (line) => console.log(`sandbox: ${line}`),
        });
        say(`ended: sandbox${ended.ok ? "" : `, ${ended.how}`}`);
        if (ended.ok) return;
        this.sandboxFailed = true;
        this.note({ name: SANDBOX, broke: `did not come up: ${ended.how}` });
    }

    async job(job: Job, signal: AbortSignal): Promise<void> {
        if (this.sandboxFailed && job.needs.includes(SANDBOX)) return this.missing(job.name);
        const stats = path.join(this.scratch, `${job.name.replaceAll("/", "-")}.jsonl`);
        const started = Date.now();
        say(`started: ${job.name}`);
        const mocha = [NODE, path.join(BIN, "mocha")];
        const ended = await runProcess(
            [...mocha, "--reporter", "test/support/stats-reporter.js", job.spec],
            {
                cwd: ROOT,
                env: {
                    ...process.env,
                    PATH: BIN + path.delimiter + process.env.PATH,
                    CUTOVER_TEST_STATS: stats,
                    CUTOVER_E2E_ROWS: this.rows,
                    // Only alone on the machine does latency say something.
                    ...(job.lane === Lane.exclusive && { CUTOVER_E2E_QUIET: "true" }),
                },
                deadlineMs: job.minutes * MINUTE,
                signal,
            },
        );
        const counts = readCounts(stats);
        const seconds = (Date.now() - started) / 1_000;
        const result = { name: job.name, counts, broke: brokenBy(ended, counts), seconds };
        this.results.push(result);
        // One piece, so that no other job's lines come between.
        console.log(`\n=== ${job.name}\n${ended.output.trimEnd()}\n`);
        say(`ended: ${describe(result)}`);
        this.writeRows();
    }

    /** Notes a job that was not run as a failure. */
    missing(name: string): void {
        if (this.results.some((result) => result.name === name)) return;
        this.note({ name, broke: "was not run" });
    }

    /** Takes the sandbox down if this run started it. */
    async end(): Promise<void> {
        if (existsSync(this.sandboxMark)) {
            say("taking the sandbox down");
            const ended = await this.sandbox(["down"], {});
            if (!ended.ok) this.note({ name: SANDBOX, broke: `did not go down: ${ended.output}` });
        }
        rmSync(this.scratch, { recursive: true, force: true });
    }

    private note({ name, broke }: { name: string; broke: string }): void {
        const counts = { passes: 0, failures: 0, skipped: [] };
        this.results.push({ name, counts, broke, seconds: 0 });
    }

    private sandbox(
        args: readonly string[],
        options: { signal?: AbortSignal; onLine?: (line: string) => void },
    ): Promise<Ended> {
        const script = path.join(__dirname, "sandbox.ts");
        const argv = [NODE, "-r", "ts-node/register/transpile-only", script, ...args];
        const env = { ...process.env, PATH: BIN + path.delimiter + process.env.PATH };
        return runProcess(argv, {
            cwd: ROOT,
            env,
            deadlineMs: SANDBOX_MINUTES * MINUTE,
            ...options,
        });
    }

    /** `out/e2e.json`: the rows of all files of this run so far. */
    private writeRows(): void {
        if (!existsSync(this.rows)) return;
        const rows = readFileSync(this.rows, "utf8").trim().split("\n");
        mkdirSync(path.dirname(ROWS), { recursive: true });
        const text = JSON.stringify(
            rows.map((row) => JSON.parse(row) as object),
            undefined,
            2,
        );
        writeFileSync(ROWS, text + "\n");
    }
}

function brokenBy(ended: Ended, counts: Counts): string | undefined {
    if (counts.passes + counts.failures + counts.skipped.length === 0) {
        return `ran no test (${ended.how})`;
    }
    return ended.ok || (counts.failures > 0 && !ended.late) ? undefined : `ended by ${ended.how}`;
}

function readCounts(file: string): Counts {
    if (!existsSync(file)) return { passes: 0, failures: 0, skipped: [] };
    const last = readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "";
    return JSON.parse(last) as Counts;
}

/** A line of progress, with the time of day. */
function say(text: string): void {
    console.log(`[${new Date().toISOString().slice(11, 19)}] ${text}`);
}
