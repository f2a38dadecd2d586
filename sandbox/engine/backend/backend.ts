import { copyFile, mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import { UserError } from "../cli/errors";
import { Json } from "../providers/types";
import { listIfExists, readIfExists, writeAtomically } from "./files";
import { breakLocks, StackLock } from "./lock";
import { Checkpoint, Deployment, DEPLOYMENT_VERSION, parseCheckpoint } from "./state";

/** A stack in the file backend; its organization is always `organization`. */
export interface StackReference {
    project: string;
    stack: string;
}

export interface HistoryEntry {
    kind: string;
    startTime: number;
    endTime: number;
    message: string;
    environment: Record<string, string>;
    config: Json;
    result: "succeeded" | "failed";
    resourceChanges: Record<string, number>;
    version: number;
}

/** Pulumi's `file://` backend, in the layout with projects (version 1 of its meta file). */
export class FileBackend {
    readonly #root: string;

    constructor(readonly url: string) {
        this.#root = path.join(folderOf(url), ".pulumi");
    }

    async #ensureLayout(): Promise<void> {
        const file = path.join(this.#root, "meta.yaml");
        const text = await readIfExists(file);
        if (text === undefined) {
            await writeAtomically(file, "version: 1\n");
        } else if (!/^version:\s*1\s*$/m.test(text)) {
            throw new UserError(
                `${file} says '${text.trim()}': only layout version 1 is supported`,
            );
        }
    }

    checkpointFile(ref: StackReference): string {
        return path.join(this.#root, "stacks", ref.project, `${ref.stack}.json`);
    }

    #lockFolder(ref: StackReference): string {
        return path.join(this.#root, "locks", "organization", ref.project, ref.stack);
    }

    #historyFolder(ref: StackReference): string {
        return path.join(this.#root, "history", ref.project, ref.stack);
    }

    lock(ref: StackReference): StackLock {
        const folder = this.#lockFolder(ref);
        const inside = path.relative(path.dirname(this.#root), folder);
        return new StackLock(folder, `${this.url}/${inside}`);
    }

    async cancel(ref: StackReference): Promise<void> {
        await breakLocks(this.#lockFolder(ref));
    }

    async list(): Promise<(StackReference & { file: string })[]> {
        const stacks = path.join(this.#root, "stacks");
        const found: (StackReference & { file: string })[] = [];
        for (const project of await listIfExists(stacks)) {
            for (const name of await listIfExists(path.join(stacks, project))) {
                if (!name.endsWith(".json") || name.endsWith(".pulumi-tags")) continue;
                const file = path.join(stacks, project, name);
                found.push({ project, stack: name.slice(0, -".json".length), file });
            }
        }
        return found;
    }

    /** The raw text, so that a caller can look for ciphertexts before anything is parsed. */
    async readText(ref: StackReference): Promise<string | undefined> {
        return readIfExists(this.checkpointFile(ref));
    }

    async read(ref: StackReference): Promise<Checkpoint | undefined> {
        const text = await this.readText(ref);
        return text === undefined ? undefined : parseCheckpoint(text, this.checkpointFile(ref));
    }

    async create(ref: StackReference, deployment: Deployment): Promise<void> {
        await this.#ensureLayout();
        if ((await this.readText(ref)) !== undefined) {
            throw new UserError(`stack '${qualifiedName(ref)}' already exists`);
        }
        await this.write(ref, deployment);
    }

    /** Replaces the state. */
    async write(ref: StackReference, deployment: Deployment): Promise<void> {
        const file = this.checkpointFile(ref);
        const checkpoint: Checkpoint = {
            version: DEPLOYMENT_VERSION,
            checkpoint: { stack: qualifiedName(ref), latest: deployment },
        };
        await writeAtomically(file, JSON.stringify(checkpoint));
    }

    /** Keeps the state as `.bak`, and clears away what a killed write left; needs the lock. */
    async backUp(ref: StackReference): Promise<void> {
        const file = this.checkpointFile(ref);
        for (const name of await listIfExists(path.dirname(file))) {
            const left = name.startsWith(`${ref.stack}.json.`) && name.endsWith(".tmp");
            if (left) await rm(path.join(path.dirname(file), name), { force: true });
        }
        if ((await readIfExists(file)) !== undefined) await copyFile(file, `${file}.bak`);
    }

    async remove(ref: StackReference): Promise<void> {
        const file = this.checkpointFile(ref);
        for (const name of [file, `${file}.bak`, this.#tagsFile(ref)]) {
            await rm(name, { force: true });
        }
        await rm(this.#historyFolder(ref), { recursive: true, force: true });
    }

    #tagsFile(ref: StackReference): string {
        return path.join(this.#root, "stacks", ref.project, `${ref.stack}.pulumi-tags`);
    }

    async readTags(ref: StackReference): Promise<Record<string, string>> {
        const text = await readIfExists(this.#tagsFile(ref));
        return text === undefined ? {} : (JSON.parse(text) as Record<string, string>);
    }

    async writeTags(ref: StackReference, tags: Record<string, string>): Promise<void> {
        await writeAtomically(this.#tagsFile(ref), JSON.stringify(tags));
    }

    /** Records a finished operation with a copy of the state it left. */
    async addHistory(ref: StackReference, entry: HistoryEntry): Promise<void> {
        const folder = this.#historyFolder(ref);
        const nanoseconds =
            BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
        const prefix = path.join(folder, `${ref.stack}-${nanoseconds}`);
        await mkdir(folder, { recursive: true });
        await copyFile(this.checkpointFile(ref), `${prefix}.checkpoint.json`);
        await writeAtomically(`${prefix}.history.json`, JSON.stringify(entry));
    }

    /** Finished operations, latest first. */
    async history(ref: StackReference, pageSize = 0, page = 1): Promise<HistoryEntry[]> {
        const folder = this.#historyFolder(ref);
        const names = (await listIfExists(folder))
            .filter((name) => name.endsWith(".history.json"))
            .reverse();
        const start = pageSize > 0 ? (Math.max(page, 1) - 1) * pageSize : 0;
        const shown = pageSize > 0 ? names.slice(start, start + pageSize) : names;
        return Promise.all(
            shown.map(async (name) => {
                const text = await readIfExists(path.join(folder, name));
                return JSON.parse(text ?? "{}") as HistoryEntry;
            }),
        );
    }
}

export function qualifiedName(ref: StackReference): string {
    return `organization/${ref.project}/${ref.stack}`;
}

/** Reads `stack`, `organization/stack` or `organization/project/stack`. */
export function parseStackReference(text: string, project: string | undefined): StackReference {
    const parts = text.split("/");
    const stack = parts[parts.length - 1] ?? "";
    if (parts.length > 3 || !/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
        throw new UserError(
            `invalid stack name '${text}': expected letters, digits, '-', '_' and '.', optionally ` +
                "after 'organization/' or 'organization/<project>/'",
        );
    }
    if (parts.length > 1 && parts[0] !== "organization") {
        throw new UserError("organization name must be 'organization'");
    }
    const named = parts.length === 3 ? parts[1] : project;
    if (named === undefined || named === "") {
        throw new UserError(
            "no Pulumi.yaml project file found; either run this command from a directory " +
                "containing a Pulumi project, or pass the fully qualified stack name " +
                "(organization/project/stack)",
        );
    }
    return { project: named, stack };
}

function folderOf(url: string): string {
    if (!url.startsWith("file://")) throw new UserError(`not a file:// backend: ${url}`);
    const place = url.slice("file://".length);
    if (place === "~" || place.startsWith("~/")) return path.join(homedir(), place.slice(1));
    return path.resolve(place);
}
