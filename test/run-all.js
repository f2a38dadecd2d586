// `npm test`: every suite and every e2e file, each in a mocha process of its own. With arguments, the
// suites (`unit`, `e2e`) or e2e files (`e2e/gate`) that they name.
"use strict";
const path = require("node:path");
process.chdir(path.join(__dirname, ".."));
require("ts-node/register/transpile-only");

const { runAll } = require("./support/runner/index.ts");
runAll(process.argv.slice(2)).then(
    (code) => (process.exitCode = code),
    (error) => {
        console.error(error instanceof RangeError ? error.message : error);
        process.exitCode = 1;
    },
);
