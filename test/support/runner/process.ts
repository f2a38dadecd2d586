import { spawn } from "node:child_process";

export interface Ended {
    /** Whether it ended by itself with status 0. */
    ok: boolean;
    /** Whether it had to be ended at its deadline. */
    late: boolean;
    /** For example `status 1`, `SIGKILL` or `its deadline of 15 min`. */
    how: string;
    output: string;
}

export interface ProcessOptions {
    cwd: string;
    env: NodeJS.ProcessEnv;
    deadlineMs: number;
    /** Asks the process to end, as Ctrl-C would. */
    signal?: AbortSignal;
    /** Gets each line at once; the output is then empty. */
    onLine?: (line: string) => void;
    /** From being asked to end until it is killed. Defaults to 60 s: cleaning up takes its time. */
    graceMs?: number;
}

const GRACE_MS = 60_000;

/**
 * Runs a command to its end, with standard output and error as one text. It has a process group of
 * its own: what it started and did not end in time goes with it.
 */
export function runProcess(argv: readonly string[], options: ProcessOptions): Promise<Ended> {
    const { cwd, env, deadlineMs, signal, onLine, graceMs = GRACE_MS } = options;
    const child = spawn(argv[0] ?? "", argv.slice(1), {
        cwd,
        env,
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
    });
    const chunks: string[] = [];
    const take = onLine ? byLine(onLine) : (text: string) => void chunks.push(text);
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);

    const toGroup = (name: NodeJS.Signals) => {
        try {
            if (child.pid !== undefined) process.kill(-child.pid, name);
        } catch (error) {
            // The whole group has ended meanwhile.
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
    };
    let late = false;
    let killing: NodeJS.Timeout | undefined;
    const end = () => {
        toGroup("SIGINT");
        killing ??= setTimeout(() => toGroup("SIGKILL"), graceMs);
    };
    const deadline = setTimeout(() => {
        late = true;
        end();
    }, deadlineMs);
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end, { once: true });

    return new Promise((resolve) => {
        const settle = (how: string, ok: boolean) => {
            clearTimeout(deadline);
            clearTimeout(killing);
            signal?.removeEventListener("abort", end);
            resolve({
                ok: ok && !late,
                late,
                how: late ? `its deadline of ${deadlineMs / 60_000} min` : how,
                output: chunks.join(""),
            });
        };
        child.once("error", (error) => settle(error.message, false));
        // What it left running in its group holds its output open, which nobody would ever read.
        child.once("exit", () => toGroup("SIGKILL"));
        child.once("close", (status, by) => settle(by ?? `status ${status}`, status === 0));
    });
}

function byLine(onLine: (line: string) => void): (text: string) => void {
    let rest = "";
    return (text) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        lines.forEach(onLine);
    };
}
