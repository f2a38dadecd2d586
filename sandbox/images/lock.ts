import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../scripts/errors";
import type { Say } from "../../scripts/progress";
import { identify, isAlive, readPidFile } from "../machine/process";

/** Longer than the slowest cold build on two busy cores. */
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
        const holder = readPidFile(file)?.pid ?? "(unknown)";
        if (Date.now() > deadline) {
            throw new CliError(`process ${holder} still holds ${file}; end it, or try again later`);
        }
        options.say?.(`waiting for process ${holder}`);
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
    fs.writeFileSync(mine, JSON.stringify(identify(process.pid)));
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
    if (isAlive(readPidFile(file))) return;
    const aside = `${file}.${process.pid}.stale`;
    try {
        fs.renameSync(file, aside);
        // Someone else took the lock over between the look and the move: it goes back where it was.
        if (isAlive(readPidFile(aside))) fs.linkSync(aside, file);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    } finally {
        fs.rmSync(aside, { force: true });
    }
}
