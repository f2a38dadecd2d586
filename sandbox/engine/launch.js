// Loads the engine; bin/pulumi starts this in a Node that is new enough.
"use strict";
const MINIMUM_NODE = 22;
if (Number(process.versions.node.split(".")[0]) < MINIMUM_NODE) {
    console.error(`error: Node ${MINIMUM_NODE} or newer is needed, got ${process.versions.node}`);
    process.exit(1);
}
const { cacheRoot } = require("./typescript-hook.js");
require("node:module").enableCompileCache(require("node:path").join(cacheRoot, "compiled"));
require("./main.ts")
    .main(process.argv.slice(2))
    .then((code) => {
        process.exitCode = code;
    });
