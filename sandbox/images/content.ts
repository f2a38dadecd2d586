import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Enough of SHA-256 to tell contents apart in a cache of dozens. */
const HASH_LENGTH = 16;

/** The files that say nothing about what an image holds. */
const IGNORED = new Set(["node_modules", "dist"]);

/** A short hash of plain values and of files: same values, same hash, whatever the key order. */
export function contentHash(values: unknown, files: readonly string[] = []): string {
    const hash = createHash("sha256").update(canonical(values));
    for (const file of files) {
        hash.update(`\0${file}\0${fs.statSync(file).mode & 0o777}\0`);
        hash.update(fs.readFileSync(file));
    }
    return hash.digest("hex").slice(0, HASH_LENGTH);
}

/** Hashes a folder's files by their names within it, so that the folder itself may move. */
export function folderHash(folder: string): string {
    const hash = createHash("sha256");
    for (const file of filesIn(folder)) {
        const full = path.join(folder, file);
        // Only whether it may be run: a checkout's umask decides the rest.
        const executable = (fs.statSync(full).mode & 0o111) !== 0;
        hash.update(`${file}\0${executable}\0`).update(fs.readFileSync(full)).update("\0");
    }
    return hash.digest("hex").slice(0, HASH_LENGTH);
}

function filesIn(folder: string, below = ""): string[] {
    return fs
        .readdirSync(path.join(folder, below), { withFileTypes: true })
        .filter((entry) => !IGNORED.has(entry.name))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((entry) => {
            const name = path.join(below, entry.name);
            return entry.isDirectory() ? filesIn(folder, name) : [name];
        });
}

function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
            : inner,
    );
}
