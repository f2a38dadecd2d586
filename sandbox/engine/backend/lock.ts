import { randomUUID } from "node:crypto";
import { rm, mkdir, writeFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { listIfExists, readIfExists } from "./files";

/**
 * One file per holder in the stack's lock folder, as Pulumi's file backend does it: write one's own,
 * then look for others; whoever sees another one gives up.
 */
export class StackLock {
    readonly #file: string;

    constructor(
        private readonly folder: string,
        private readonly url: string,
    ) {
        this.#file = path.join(folder, `${randomUUID()}.json`);
    }

    async acquire(): Promise<void> {
        await this.#refuseOthers();
        const content = {
            pid: process.pid,
            username: userInfo().username,
            hostname: hostname(),
            timestamp: new Date().toISOString(),
        };
        await mkdir(this.folder, { recursive: true });
        await writeFile(this.#file, JSON.stringify(content), { flag: "wx" });
        try {
            await this.#refuseOthers();
        } catch (error) {
            await this.release();
            throw error;
        }
    }

    async release(): Promise<void> {
        await rm(this.#file, { force: true });
    }

    async #refuseOthers(): Promise<void> {
        const names = await listIfExists(this.folder);
        const others = names
            .map((name) => path.join(this.folder, name))
            .filter((file) => file !== this.#file);
        if (others.length === 0) return;
        const lines = await Promise.all(others.map((file) => this.#describe(file)));
        throw new UserError(
            `the stack is currently locked by ${others.length} lock(s). Either wait for the other ` +
                "process(es) to end or delete the lock file with `pulumi cancel`." +
                lines.join(""),
        );
    }

    async #describe(file: string): Promise<string> {
        const text = await readIfExists(file);
        const url = `${this.url}/${path.basename(file)}`;
        try {
            const lock = JSON.parse(text ?? "") as Record<string, string | number>;
            return (
                `\n  ${url}: created by ${lock["username"] ?? "?"}@${lock["hostname"] ?? "?"} ` +
                `(pid ${lock["pid"] ?? "?"}) at ${lock["timestamp"] ?? "?"}`
            );
        } catch {
            return `\n  ${url}`;
        }
    }
}

/** Deletes every lock of a stack, whoever holds it. */
export async function breakLocks(folder: string): Promise<void> {
    for (const name of await listIfExists(folder)) {
        await rm(path.join(folder, name), { force: true });
    }
}
