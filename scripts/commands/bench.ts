/* eslint-disable @typescript-eslint/no-require-imports -- Automation API and Kubernetes client are
   not for `--help`, and a native import() in a CommonJS file does not find .ts files */
import type { Command } from "commander";
import type { BenchFlags } from "../bench/options";
import { errorProgress, terminalProgress } from "../progress";

export function register(command: Command): void {
    command
        .option("--rounds <n>", "counted runs of each thing, 1 to 100 (default: 7)")
        .option("--only <name...>", "of blue-green, many-apis, canary (default: all)")
        .option("--out <folder>", "where bench.json goes (default: out)")
        .option("--json", "print the rows as JSON; progress goes to standard error")
        .action(async (flags: BenchFlags) => {
            const { parseOptions } =
                require("../bench/options") as typeof import("../bench/options");
            const options = parseOptions(flags);
            const { runBench } = require("../bench") as typeof import("../bench");
            process.exitCode = await runBench(
                options,
                options.json ? errorProgress : terminalProgress(),
            );
        });
}
