import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Lane, type Scheduled } from "./lanes";

/** One mocha process. */
export interface Job extends Scheduled {
    /** What mocha is given. */
    spec: string;
    /** A process that outlives this is ended, and counts as a failure. */
    minutes: number;
}

/** The job that brings the shared sandbox up. It runs no test. */
export const SANDBOX = "sandbox";

const E2E = "e2e";
const TEST_FILE = ".test.ts";

interface Estimate {
    seconds: number;
    minutes: number;
    needs?: readonly string[];
}

/** Measured alone, on two cores. */
const SUITES: Record<string, Estimate> = {
    unit: { seconds: 50, minutes: 10 },
    components: { seconds: 8, minutes: 5 },
    scripts: { seconds: 2, minutes: 5 },
    // It starts API servers of its own, by the programs that the sandbox's start builds.
    engine: { seconds: 130, minutes: 15, needs: [SANDBOX] },
};
const OTHER_SUITE: Estimate = { seconds: 30, minutes: 10 };
const E2E_MINUTES = 15;
/** More requests per transition than by default take longer, 5 ms each, at most so many times in a file. */
const TRANSITIONS = 16;
/** Of an e2e file that does not say. */
const UNMARKED_SECONDS = 60;

/**
 * The jobs of a run: a process per folder of tests, and one per e2e file, so that a file that bails
 * out or dies takes no other with it.
 *
 * @param root the project's
 * @param wanted suites (`unit`, `e2e`) or e2e files (`e2e/gate`); all when empty
 * @throws RangeError for a name that there is not, or an e2e file with a marker that cannot be read
 */
export function jobsOf(root: string, wanted: readonly string[]): Job[] {
    const all = [...suiteJobs(root), ...e2eJobs(root)];
    const belongs = (job: Job, name: string) =>
        job.name === name || job.name.startsWith(`${name}/`);
    for (const name of wanted) {
        if (all.some((job) => belongs(job, name))) continue;
        const known = [E2E, ...all.map((job) => job.name)].join(", ");
        throw new RangeError(`no tests called ${name}, expected some of ${known}`);
    }
    if (wanted.length === 0) return all;
    return all.filter((job) => wanted.some((name) => belongs(job, name)));
}

/** Every folder with tests, whether it is in the table or not: none is forgotten. */
function suiteJobs(root: string): Job[] {
    const folders = new Set(testFiles(root).map((file) => file.split("/")[1] ?? ""));
    return [...folders]
        .filter((name) => name !== E2E)
        .map((name) => ({
            name,
            spec: `test/${name}/**/*${TEST_FILE}`,
            lane: Lane.shared,
            needs: [],
            ...(SUITES[name] ?? OTHER_SUITE),
        }));
}

function e2eJobs(root: string): Job[] {
    const files = testFiles(root).filter((file) => file.startsWith(`test/${E2E}/`));
    return files.map((spec) => {
        const [first = ""] = readFileSync(path.join(root, spec), "utf8").split("\n");
        return {
            name: spec.slice("test/".length, -TEST_FILE.length),
            spec,
            minutes: E2E_MINUTES + moreMinutes(),
            needs: [SANDBOX],
            ...readMarker(first, spec),
        };
    });
}

function testFiles(root: string): string[] {
    return readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(TEST_FILE) && file.includes(path.sep))
        .map((file) => `test/${file.split(path.sep).join("/")}`)
        .sort();
}

/**
 * Reads the first line of an e2e file, which may say `// lane: shared, about 120 s`. One that says
 * nothing runs alone: that is never wrong, only slow.
 */
export function readMarker(line: string, file: string): { lane: Lane; seconds: number } {
    if (!/^\/\/\s*lane\b/i.test(line)) {
        return { lane: Lane.exclusive, seconds: UNMARKED_SECONDS };
    }
    const [, lane, seconds] = /^\/\/ lane: (shared|exclusive), about (\d+) s$/.exec(line) ?? [];
    if (lane === undefined) {
        throw new RangeError(
            `${file}: got "${line}", expected "// lane: shared, about 120 s" or "// lane: exclusive, …"`,
        );
    }
    return { lane: lane as Lane, seconds: Number(seconds) };
}

function moreMinutes(): number {
    const requests = Number(process.env.CUTOVER_E2E_REQUESTS ?? 0);
    return (TRANSITIONS * requests * 5) / 60_000;
}
