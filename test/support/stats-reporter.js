// Mocha's spec reporter that also appends its counts to the file named by CUTOVER_TEST_STATS, so that
// test/run-all.js can add up several mocha runs without reading their text.
"use strict";
const { appendFileSync } = require("node:fs");
const Mocha = require("mocha");

module.exports = class StatsReporter extends Mocha.reporters.Spec {
    constructor(runner, options) {
        super(runner, options);
        const file = process.env.CUTOVER_TEST_STATS;
        if (!file) return;
        const skipped = [];
        runner.on("pending", (test) => skipped.push(test.fullTitle()));
        runner.once("end", () => {
            const { passes, failures } = runner.stats;
            appendFileSync(file, JSON.stringify({ passes, failures, skipped }) + "\n");
        });
    }
};
