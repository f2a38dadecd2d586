import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A process that is named so that no other can be taken for it: numbers are used again. */
export interface ProcessId {
    pid: number;
    /** Clock ticks between the machine's boot and the process's start. */
    started: string;
    /** The boot the ticks count from: after a reboot a number and its ticks may both come again. */
    boot: string;
}

export interface Command {
    name: string;
    argv: readonly string[];
    env?: Record<string, string>;
}

const POLL_MS = 50;
const ASK_TIMEOUT_MS = 15_000;
let bootId: string | undefined;

/** Names a running process, or nothing when it does not run (a zombie does not run). */
export function identify(pid: number): ProcessId | undefined {
    let stat: string;
    try {
        stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    } catch {
        return undefined;
    }
    const fields = parseStat(stat);
    if (fields === undefined || fields.state === "Z" || fields.state === "X") return undefined;
    bootId ??= fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return { pid, started: fields.started, boot: bootId };
}

/** State and start time of a line of `/proc/<pid>/stat`. */
export function parseStat(stat: string): { state: string; started: string } | undefined {
    // The second field is the program's name in brackets, which may hold blanks and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, started] = [fields[0], fields[19]];
    return state && started ? { state, started } : undefined;
}

export function isAlive(id: ProcessId | undefined): boolean {
    if (id === undefined) return false;
    const now = identify(id.pid);
    return now !== undefined && now.started === id.started && now.boot === id.boot;
}

/** Reads a pid file; one that is torn or of another format counts as none. */
export function readPidFile(file: string): ProcessId | undefined {
    try {
        const id = JSON.parse(fs.readFileSync(file, "utf8")) as Partial<ProcessId>;
        const complete =
            Number.isInteger(id.pid) &&
            typeof id.started === "string" &&
            typeof id.boot === "string";
        return complete ? (id as ProcessId) : undefined;
    } catch {
        return undefined;
    }
}

/** The process of a pid file while it runs. */
export function running(pidFile: string): ProcessId | undefined {
    const id = readPidFile(pidFile);
    return isAlive(id) ? id : undefined;
}

/** Where a program's output goes, and what names it while it runs. */
export interface ProcessFiles {
    pidFile: string;
    logFile: string;
}

/**
 * Starts a program that outlives this one, in a session of its own (so that Ctrl-C here does not
 * reach it), with its output appended to `logFile`, and writes its pid file.
 *
 * @param joinCgroup `cgroup.procs` to enter before the program starts, so that whatever it starts
 *     is found there too
 * @throws when the program ends at once or cannot be started
 */
export function start(command: Command, files: ProcessFiles & { joinCgroup?: string }): ProcessId {
    const log = fs.openSync(files.logFile, "a", 0o600);
    try {
        const argv =
            files.joinCgroup === undefined
                ? command.argv
                : [
                      "/bin/sh",
                      "-c",
                      'echo $$ >"$0" && exec "$@"',
                      files.joinCgroup,
                      ...command.argv,
                  ];
        const child = spawn(argv[0] ?? "", argv.slice(1), {
            detached: true,
            stdio: ["ignore", log, log],
            cwd: "/",
            env: environmentOf(command),
        });
        // What went wrong is in the log and shows as a process that is not there.
        child.on("error", (error) => fs.appendFileSync(files.logFile, `${error.message}\n`));
        child.unref();
        return noteStarted(command, files, child.pid);
    } finally {
        fs.closeSync(log);
    }
}

/**
 * As {@link start}, by the process that holds the node: in its namespaces and control group, and as
 * its child.
 */
export async function startInNode(
    socket: string,
    command: Command,
    files: ProcessFiles,
): Promise<ProcessId> {
    const env = Object.entries(environmentOf(command)).map(([name, value]) => `${name}=${value}`);
    const answer = await ask(socket, { argv: command.argv, env, log: files.logFile });
    if (answer.error) throw new Error(`${command.name} did not start: ${answer.error}`);
    return noteStarted(command, files, answer.pid);
}

function environmentOf(command: Command): Record<string, string> {
    return { PATH: process.env.PATH ?? "", ...command.env };
}

function noteStarted(
    { name }: Command,
    { pidFile, logFile }: ProcessFiles,
    pid: number | undefined,
): ProcessId {
    const id = pid === undefined ? undefined : identify(pid);
    if (id === undefined) throw new Error(`${name} did not start, see ${logFile}`);
    fs.mkdirSync(path.dirname(pidFile), { recursive: true });
    fs.writeFileSync(pidFile, JSON.stringify(id), { mode: 0o600 });
    return id;
}

function ask(socket: string, request: object): Promise<{ pid?: number; error?: string }> {
    return new Promise((resolve, reject) => {
        let said = "";
        const connection = net.connect(socket);
        connection.setTimeout(ASK_TIMEOUT_MS, () =>
            connection.destroy(new Error(`${socket} does not answer`)),
        );
        connection.setEncoding("utf8").on("data", (text: string) => (said += text));
        connection.once("error", reject);
        connection.once("end", () => {
            try {
                resolve(JSON.parse(said) as { pid?: number; error?: string });
            } catch {
                reject(new Error(`${socket} said "${said}"`));
            }
        });
        connection.write(JSON.stringify(request));
    });
}

/** Ends processes: politely, and after `graceMs` by force. Returns when all are gone. */
export async function stop(ids: readonly ProcessId[], graceMs: number): Promise<void> {
    signalAll(ids, "SIGTERM");
    const deadline = Date.now() + graceMs;
    while (ids.some(isAlive)) {
        if (Date.now() > deadline) signalAll(ids, "SIGKILL");
        await sleep(POLL_MS);
    }
}

function signalAll(ids: readonly ProcessId[], signal: NodeJS.Signals): void {
    for (const id of ids) {
        if (!isAlive(id)) continue;
        try {
            process.kill(id.pid, signal);
        } catch (error) {
            // It ended between the look and the signal.
            if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
    }
}
