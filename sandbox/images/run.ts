import { spawn } from "node:child_process";
import { CliError } from "../../scripts/errors";
import type { Say } from "../../scripts/progress";

/** How many of a failed command's last lines are shown. */
const EVIDENCE_LINES = 15;

export interface RunOptions {
    /** What the command reads on standard input; nothing by default. */
    input?: string;
    env?: NodeJS.ProcessEnv;
    cwd?: string;
    signal?: AbortSignal;
    /** What an abort sends the command. Defaults to SIGTERM. */
    killSignal?: NodeJS.Signals;
    /** Gets every line the command prints on standard error, as it comes. */
    say?: Say;
}

/**
 * Runs one program to its end and returns its standard output.
 *
 * @throws CliError with the command's last lines when it cannot start or does not exit with 0
 */
export async function run(
    command: string,
    args: readonly string[],
    options: RunOptions = {},
): Promise<string> {
    const child = spawn(command, args, {
        cwd: options.cwd,
        env: options.env ?? process.env,
        signal: options.signal,
        killSignal: options.killSignal,
        stdio: ["pipe", "pipe", "pipe"],
    });
    // A command may exit without reading its input; its exit code says all there is to say.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const output: string[] = [];
    const evidence: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => output.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        for (const line of chunk.split(/[\r\n]+/)) {
            if (line.trim() === "") continue;
            evidence.push(line);
            if (evidence.length > EVIDENCE_LINES) evidence.shift();
            options.say?.(line.trim());
        }
    });
    const problem = await new Promise<string | undefined>((resolve) => {
        child.on("error", (error) => resolve(error.message));
        child.on("close", (code, signal) =>
            resolve(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`),
        );
    });
    if (problem === undefined) return output.join("");
    options.signal?.throwIfAborted();
    const printed =
        evidence.length > 0 ? evidence : output.join("").split("\n").slice(-EVIDENCE_LINES);
    const shown = printed.map((line) => `  ${line}`).join("\n");
    throw new CliError(`${command} ${args[0] ?? ""}: ${problem}\n${shown}`.trimEnd());
}
