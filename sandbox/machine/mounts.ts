import * as fs from "node:fs";
import { run } from "../images/run";

/** Mount points below a folder, in the order in which they can be unmounted. */
export function mountsBelow(
    folder: string,
    mounts = fs.readFileSync("/proc/self/mounts", "utf8"),
): string[] {
    return mounts
        .split("\n")
        .map((line) => decode(line.split(" ")[1] ?? ""))
        .filter((mount) => mount.startsWith(`${folder}/`))
        .toReversed();
}

/** Unmounts everything below a folder. */
export async function unmountBelow(folder: string): Promise<void> {
    for (const mount of mountsBelow(folder)) await run("umount", [mount]);
}

/** The kernel writes blanks, and whatever else would end a word, as octal numbers. */
function decode(word: string): string {
    return word.replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(parseInt(digits, 8)),
    );
}
