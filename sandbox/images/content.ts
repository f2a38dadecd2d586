import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/** Enough of SHA-256 to tell contents apart in a cache of dozens. */
const HASH_LENGTH = 16;

/** A short hash of plain values: the same values, the same hash, whatever the order of keys. */
export function contentHash(values: unknown): string {
    return createHash("sha256").update(canonical(values)).digest("hex").slice(0, HASH_LENGTH);
}

/**
 * Hashes a build context: its files by their names within it, so that the folder itself may move.
 * What its `.dockerignore` names (plain names, no patterns) is in no image and does not count.
 */
export function folderHash(folder: string): string {
    const hash = createHash("sha256");
    for (const file of filesIn(folder, ignoredNames(folder))) {
        const full = path.join(folder, file);
        // Only whether it may be run: a checkout's umask decides the rest.
        const executable = (fs.statSync(full).mode & 0o111) !== 0;
        hash.update(`${file}\0${executable}\0`).update(fs.readFileSync(full)).update("\0");
    }
    return hash.digest("hex").slice(0, HASH_LENGTH);
}

function ignoredNames(folder: string): Set<string> {
    const file = path.join(folder, ".dockerignore");
    const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
    return new Set(text.split("\n").filter((name) => name !== ""));
}

function filesIn(folder: string, ignored: ReadonlySet<string>, below = ""): string[] {
    return fs
        .readdirSync(path.join(folder, below), { withFileTypes: true })
        .filter(({ name }) => !ignored.has(path.join(below, name)))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .flatMap((entry) => {
            const name = path.join(below, entry.name);
            return entry.isDirectory() ? filesIn(folder, ignored, name) : [name];
        });
}

function canonical(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
            ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
            : inner,
    );
}
