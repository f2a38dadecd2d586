import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../scripts/errors";
import type { Say } from "../../scripts/progress";

/** Longer than the slowest cold build of all images on two busy cores. */
const LOCK_DEADLINE_MS = 20 * 60_000;
const POLL_MS = 200;

/**
 * Runs `work` while no other process does work under the same lock file. The lock of a process that
 * no longer runs is taken over; waiting ends with an error after 20 minutes.
 */
export async function withLock<T>(
    file: string,
    work: () => Promise<T>,
    options: { say?: Say; signal?: AbortSignal; deadlineMs?: number } = {},
): Promise<T> {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    const deadline = Date.now() + (options.deadlineMs ?? LOCK_DEADLINE_MS);
    while (!acquire(file)) {
        const holder = readHolder(file);
        if (Date.now() > deadline) {
            throw new CliError(`${file} is still held by process ${holder ?? "(unknown)"}`);
        }
        options.say?.(`waiting for process ${holder ?? "(unknown)"}, which builds images`);
        await sleep(POLL_MS, undefined, { signal: options.signal });
    }
    try {
        return await work();
    } finally {
        fs.rmSync(file, { force: true });
    }
}

/**
 * The lock is made by a link to a file that is already written, so nobody ever reads a lock without
 * its holder, and of two processes exactly one makes it.
 */
function acquire(file: string): boolean {
    const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    fs.writeFileSync(mine, JSON.stringify({ pid: process.pid, started: startTime(process.pid) }));
    try {
        fs.linkSync(mine, file);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        removeIfStale(file);
        return false;
    } finally {
        fs.rmSync(mine, { force: true });
    }
}

/** Moves a dead process's lock away before it is removed, so that only that lock can be hit. */
function removeIfStale(file: string): void {
    const before = read(file);
    if (before === undefined || isAlive(before)) return;
    const aside = `${file}.${process.pid}.stale`;
    try {
        fs.renameSync(file, aside);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
        throw error;
    }
    const moved = read(aside);
    // Someone else took the lock over between the look and the move: it goes back where it was.
    if (moved !== undefined && isAlive(moved)) fs.linkSync(aside, file);
    fs.rmSync(aside, { force: true });
}

interface Holder {
    pid: number;
    started: string | undefined;
}

function read(file: string): Holder | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        return { pid: 0, started: undefined };
    }
}

function readHolder(file: string): number | undefined {
    return read(file)?.pid;
}

/** The process and not merely its number: numbers are used again. */
function isAlive(holder: Holder): boolean {
    const started = startTime(holder.pid);
    return started !== undefined && started === holder.started;
}

/** When a process started, in clock ticks since boot; undefined when there is no such process. */
function startTime(pid: number): string | undefined {
    try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        // The second field is the program's name in brackets, which may hold blanks and brackets.
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
        return undefined;
    }
}
