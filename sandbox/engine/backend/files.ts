import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import * as path from "node:path";

/** The file's text, or undefined when there is no such file. */
export async function readIfExists(file: string): Promise<string | undefined> {
    try {
        return await readFile(file, "utf8");
    } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
    }
}

/** The folder's entries, sorted; none when there is no such folder. */
export async function listIfExists(folder: string): Promise<string[]> {
    try {
        return (await readdir(folder)).sort();
    } catch (error) {
        if (isMissing(error)) return [];
        throw error;
    }
}

/**
 * Replaces a file so that a crash at any moment leaves either the old or the new text, whole: a
 * temporary file is written and synced, then renamed over the old one.
 */
export async function writeAtomically(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
    try {
        const handle = await open(temporary, "w", 0o600);
        try {
            await handle.writeFile(text);
            await handle.sync();
        } finally {
            await handle.close();
        }
        await rename(temporary, file);
    } catch (error) {
        await rm(temporary, { force: true });
        throw error;
    }
}

function isMissing(error: unknown): boolean {
    const code = (error as NodeJS.ErrnoException).code;
    return code === "ENOENT" || code === "ENOTDIR";
}
