import { writeFileSync } from "node:fs";
import * as sandbox from "../../../sandbox";
import { loadImages } from "../../../sandbox/images";
import { silentProgress, terminalProgress } from "../../../scripts/progress";

/**
 * The sandbox of a whole run, brought up before its first job and taken down after the last one:
 *
 *     shared-sandbox up <mark>    with its images; writes the file <mark> if it did not run before
 *     shared-sandbox down
 */
async function main([verb, mark]: readonly string[]): Promise<void> {
    if (verb === "down") return sandbox.down(silentProgress);
    // Before it is started: one that was interrupted half-way is to be taken down as well.
    if (mark && !(await sandbox.status()).running) writeFileSync(mark, "");
    const info = await sandbox.up(terminalProgress());
    await loadImages(info, terminalProgress());
}

main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
});
