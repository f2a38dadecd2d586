/* eslint-disable @typescript-eslint/no-require-imports -- Automation API and Kubernetes client are
   not for `--help`, and a native import() in a CommonJS file does not find .ts files */
import type { Command } from "commander";
import type { DemoFlags } from "../demo/options";
import { errorProgress, terminalProgress } from "../progress";

export function register(command: Command): void {
    command
        .option("--keep", "leave cluster and stack running, and print how to play on")
        .option("--json", "print the result as JSON; progress goes to standard error")
        .option("--rate <n>", "requests per second, 10 to 1000 (default: 200)")
        .option("--out <folder>", "where demo.json, demo.html and demo.svg go (default: out)")
        .option("--context <name>", "a cluster of your own instead of the sandbox")
        .option("--image-blue <image>", "with --context: image of the first release")
        .option("--image-green <image>", "with --context: image of the second release")
        .option("--release-blue <name>", "with --context: what blue's x-release header says")
        .option("--release-green <name>", "with --context: what green's x-release header says")
        .option("--url <url>", "with --context: where this machine reaches the public Service")
        .action(async (flags: DemoFlags) => {
            const { parseOptions } = require("../demo/options") as typeof import("../demo/options");
            const options = parseOptions(flags);
            const { runDemo } = require("../demo") as typeof import("../demo");
            process.exitCode = await runDemo(
                options,
                options.json ? errorProgress : terminalProgress(),
            );
        });
}
