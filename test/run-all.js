// `npm test`: every suite, cheapest first, each in a mocha process of its own, and one closing line.
// A suite that dies without reporting, or that reports no test at all, counts as a failure: a run that
// proves nothing must not read as one that passed. A suite that outlives its deadline is ended and
// counts as one too.
"use strict";
const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync, existsSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");

const SUITES = [
    { name: "unit", spec: "test/unit/**/*.test.ts", minutes: 5 },
    { name: "components", spec: "test/components/**/*.test.ts", minutes: 5 },
    { name: "scripts", spec: "test/scripts/**/*.test.ts", minutes: 2 },
    { name: "engine", spec: "test/engine/**/*.test.ts", minutes: 15 },
    { name: "e2e", spec: "test/e2e/**/*.test.ts", minutes: 45 },
];

const root = path.join(__dirname, "..");
const bin = path.join(root, "node_modules", ".bin");
const scratch = mkdtempSync(path.join(tmpdir(), "cutover-test-"));
const totals = { passed: 0, failed: 0, skipped: [] };
const summaries = [];

for (const suite of SUITES) summaries.push(run(suite));
rmSync(scratch, { recursive: true, force: true });

const inCi = process.env.CI === "true";
if (totals.skipped.length > 0) {
    console.log(`\nSkipped (${inCi ? "a failure in CI" : "not a pass"}):`);
    for (const title of totals.skipped) console.log(`  ${title}`);
    if (inCi) totals.failed += totals.skipped.length;
}
console.log(`\n${summaries.join("\n")}\n`);
const skipped = totals.skipped.length > 0 && !inCi ? `, ${totals.skipped.length} skipped` : "";
console.log(`${totals.passed} passed, ${totals.failed} failed${skipped}`);
process.exitCode = totals.failed > 0 ? 1 : 0;

function run({ name, spec, minutes }) {
    console.log(`\n=== ${name}`);
    const stats = path.join(scratch, `${name}.jsonl`);
    const started = Date.now();
    const mocha = spawnSync(
        path.join(bin, "node"),
        [path.join(bin, "mocha"), "--reporter", "test/support/stats-reporter.js", spec],
        {
            cwd: root,
            stdio: ["ignore", "inherit", "inherit"],
            timeout: minutes * 60_000,
            env: {
                ...process.env,
                PATH: bin + path.delimiter + process.env.PATH,
                CUTOVER_TEST_STATS: stats,
            },
        },
    );
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const counts = existsSync(stats)
        ? JSON.parse(readFileSync(stats, "utf8").trim().split("\n").at(-1))
        : { passes: 0, failures: 0, skipped: [] };
    totals.passed += counts.passes;
    totals.failed += counts.failures;
    totals.skipped.push(...counts.skipped);
    const ran = counts.passes + counts.failures + counts.skipped.length;
    const broke = mocha.status !== 0 && counts.failures === 0;
    if (broke || ran === 0) totals.failed += 1;
    const note =
        ran === 0
            ? ", ran no test"
            : broke
              ? `, ended with ${mocha.signal ?? `status ${mocha.status}`}`
              : "";
    return `${name}: ${counts.passes} passed, ${counts.failures} failed (${seconds} s)${note}`;
}
