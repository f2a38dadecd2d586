import * as os from "node:os";
import * as path from "node:path";

/** What is built once and kept, by content hash: `$CUTOVER_CACHE`, default `~/.cache/cutover`. */
export function cacheDir(): string {
    return path.resolve(process.env.CUTOVER_CACHE || path.join(os.homedir(), ".cache", "cutover"));
}

/** One sandbox's state: `$CUTOVER_SANDBOX_STATE`, default `~/.local/state/cutover/sandbox`. */
export function stateDir(): string {
    return path.resolve(
        process.env.CUTOVER_SANDBOX_STATE ||
            path.join(os.homedir(), ".local", "state", "cutover", "sandbox"),
    );
}
