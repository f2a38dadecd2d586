import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jobsOf, readMarker } from "../support/runner/jobs";
import { Lane, lanesOf, runInLanes, type Scheduled } from "../support/runner/lanes";
import { runProcess } from "../support/runner/process";
import { summarize } from "../support/runner/totals";

describe("the test runner's lanes", () => {
    const job = (name: string, seconds: number, rest: Partial<Scheduled> = {}): Scheduled => ({
        name,
        seconds,
        lane: Lane.shared,
        needs: [],
        ...rest,
    });

    /** Runs jobs that last their seconds in turns of the event loop; returns who ran beside whom. */
    async function play(jobs: Scheduled[], lanes: number, signal?: AbortSignal) {
        const started: string[] = [];
        const together: string[][] = [];
        const running = new Set<string>();
        await runInLanes(jobs, {
            lanes,
            signal,
            run: async ({ name, seconds }) => {
                started.push(name);
                running.add(name);
                together.push([...running]);
                for (let turn = 0; turn < seconds; turn++) await new Promise(setImmediate);
                running.delete(name);
            },
        });
        return { started, together };
    }

    it("starts the longest first, and never more than there are lanes", async () => {
        const jobs = [job("short", 1), job("long", 30), job("middle", 10), job("tiny", 0)];
        const { started, together } = await play(jobs, 2);
        assert.deepEqual(started, ["long", "middle", "short", "tiny"]);
        assert.equal(Math.max(...together.map(({ length }) => length)), 2);
        assert.deepEqual(together.at(-1), ["long", "tiny"]);
    });

    it("runs exclusive jobs alone and last", async () => {
        const exclusive = { lane: Lane.exclusive };
        const jobs = [job("a", 9, exclusive), job("b", 99, exclusive), job("c", 5), job("d", 1)];
        const { started, together } = await play(jobs, 3);
        assert.deepEqual(started, ["c", "d", "b", "a"]);
        assert.deepEqual(together.slice(2), [["b"], ["a"]]);
    });

    it("starts what waits for another when that has ended, and something else meanwhile", async () => {
        const jobs = [
            job("cluster", 5),
            job("e2e", 100, { needs: ["cluster"] }),
            job("unit", 20),
            job("measured", 50, { lane: Lane.exclusive, needs: ["cluster"] }),
        ];
        const { started, together } = await play(jobs, 2);
        assert.deepEqual(started, ["unit", "cluster", "e2e", "measured"]);
        assert.deepEqual(together.at(2), ["unit", "e2e"]);
    });

    it("are as many as one asks for", () => {
        assert.deepEqual([lanesOf(undefined), lanesOf(""), lanesOf("1")], [3, 3, 1]);
        for (const asked of ["0", "-1", "1.5", "many"]) {
            assert.throws(() => lanesOf(asked), /CUTOVER_TEST_LANES must be .*, got "/);
        }
    });

    it("refuses a need that nothing meets instead of waiting for ever", async () => {
        const jobs = [job("a", 1), job("b", 1, { needs: ["nobody"] })];
        await assert.rejects(play(jobs, 2), /never started.*b \(nobody\)/);
    });

    it("starts nothing more after an abort, and waits for what runs", async () => {
        const abort = new AbortController();
        const ended: string[] = [];
        await runInLanes([job("a", 2), job("b", 1)], {
            lanes: 1,
            signal: abort.signal,
            run: async ({ name }) => {
                abort.abort();
                await sleep(5);
                ended.push(name);
            },
        });
        assert.deepEqual(ended, ["a"]);
    });
});

describe("the test runner's jobs", () => {
    let root: string;
    const write = (file: string, text = "") => {
        mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
        writeFileSync(path.join(root, file), text);
    };

    beforeEach(() => {
        root = mkdtempSync(path.join(tmpdir(), "runner-test-"));
        write("test/unit/a.test.ts");
        write("test/new-suite/deep/b.test.ts");
        write("test/support/helper.ts");
        write("test/e2e/gate.test.ts", "// lane: shared, about 55 s\n");
        write("test/e2e/load.test.ts", "import x;\n");
        write("test/e2e/postgres/client.ts");
    });
    afterEach(() => rmSync(root, { recursive: true }));

    const names = (wanted: string[]) => jobsOf(root, wanted).map(({ name }) => name);

    it("are one per folder of tests, listed or not, and one per e2e file", () => {
        assert.deepEqual(names([]), ["new-suite", "unit", "e2e/gate", "e2e/load"]);
        const [gate, load] = jobsOf(root, ["e2e"]);
        assert.deepEqual([gate?.lane, gate?.seconds], ["shared", 55]);
        assert.deepEqual([load?.lane, gate?.needs], ["exclusive", ["sandbox"]]);
        assert.equal(load?.spec, "test/e2e/load.test.ts");
    });

    it("can be chosen by name, and an unknown name is refused with the known ones", () => {
        assert.deepEqual(names(["e2e/gate", "unit"]), ["unit", "e2e/gate"]);
        assert.throws(() => names(["e2"]), /no tests called e2, expected .*e2e, new-suite, unit/);
    });

    it("refuse a marker that nobody would understand", () => {
        for (const line of ["// lane: fast", "// lane: shared", "//lane shared, about 5 s"]) {
            assert.throws(() => readMarker(line, "a.test.ts"), /a\.test\.ts: got ".*", expected/);
        }
        assert.equal(readMarker("// Lanes of a motorway.", "a").lane, "exclusive");
    });
});

describe("the test runner's processes", () => {
    const options = { cwd: tmpdir(), env: process.env, deadlineMs: 10_000 };

    it("give output and status", async () => {
        const fine = await runProcess(["sh", "-c", "echo out; echo err >&2"], options);
        assert.deepEqual(fine.output.split("\n").sort(), ["", "err", "out"]);
        assert.equal(fine.ok, true);
        const failed = await runProcess(["sh", "-c", "exit 3"], options);
        assert.deepEqual([failed.ok, failed.how], [false, "status 3"]);
        const missing = await runProcess(["/no/such/program"], options);
        assert.equal(missing.ok, false);
        assert.match(missing.how, /ENOENT/);
    });

    it("hand over whole lines as they come", async () => {
        const lines: string[] = [];
        const onLine = (line: string) => lines.push(line);
        const script = "printf one; sleep 0.05; echo ' line'; echo two";
        const { output } = await runProcess(["sh", "-c", script], { ...options, onLine });
        assert.deepEqual([lines, output], [["one line", "two"], ""]);
    });

    it("are ended at their deadline, with what they started and whatever they ignore", async () => {
        const folder = mkdtempSync(path.join(tmpdir(), "runner-test-"));
        const mark = path.join(folder, "pid");
        // The child would hold the output open for a minute.
        const script = `trap '' INT; sleep 60 & echo $! >${mark}; wait; sleep 60`;
        const limits = { deadlineMs: 300, graceMs: 200 };
        const ended = await runProcess(["sh", "-c", script], { ...options, ...limits });
        assert.deepEqual([ended.ok, ended.late], [false, true]);
        assert.match(ended.how, /its deadline/);
        const child = readFileSync(mark, "utf8").trim();
        const alive = () =>
            existsSync(`/proc/${child}`) &&
            !/^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, "utf8"));
        for (let tries = 0; alive() && tries < 40; tries++) await sleep(25);
        assert.equal(alive(), false, "the child lives on");
        rmSync(folder, { recursive: true });
    });

    it("get an interrupt as from Ctrl-C, and may clean up", async () => {
        const abort = new AbortController();
        const script = "trap 'echo cleaned; exit 7' INT; echo ready; while :; do sleep 0.02; done";
        const onLine = (line: string) => {
            seen.push(line);
            if (line === "ready") abort.abort();
        };
        const seen: string[] = [];
        const asked = { ...options, onLine, signal: abort.signal };
        const ended = await runProcess(["sh", "-c", script], asked);
        assert.deepEqual([seen, ended.how], [["ready", "cleaned"], "status 7"]);
    });
});

describe("the test runner's closing lines", () => {
    const counts = (passes: number, failures = 0, skipped: string[] = []) => ({
        passes,
        failures,
        skipped,
    });

    it("count what passed, failed and broke", () => {
        const { lines, failed } = summarize(
            [
                { name: "unit", counts: counts(5), seconds: 1 },
                { name: "e2e/a", counts: counts(1, 2), seconds: 2 },
                { name: "e2e/b", counts: counts(0), broke: "ran no test", seconds: 3 },
            ],
            false,
        );
        assert.equal(failed, 3);
        assert.equal(lines.at(-1), "6 passed, 3 failed");
        assert.ok(lines.includes("e2e/b: 0 passed, 0 failed (3.0 s), ran no test"));
    });

    it("say what was skipped, which in CI is a failure", () => {
        const results = [{ name: "e2e/a", counts: counts(1, 0, ["a: b"]), seconds: 1 }];
        assert.equal(summarize(results, false).lines.at(-1), "1 passed, 0 failed, 1 skipped");
        assert.equal(summarize(results, false).failed, 0);
        const inCi = summarize(results, true);
        assert.equal(inCi.lines.at(-1), "1 passed, 1 failed");
        assert.deepEqual(inCi.lines.slice(0, 2), ["Skipped (a failure in CI):", "  a: b"]);
    });

    it("are not reached with a name that there is not", () => {
        const runner = path.join(__dirname, "..", "run-all.js");
        const { status, stderr } = spawnSync(process.execPath, [runner, "no-such-suite"], {
            encoding: "utf8",
        });
        assert.equal(status, 1);
        assert.match(stderr, /^no tests called no-such-suite/);
    });
});
