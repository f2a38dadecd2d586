import * as path from "node:path";
import { run } from "./run";

/**
 * Writes the sample API as one file, by the same script that its Dockerfile runs; the packages come
 * from this checkout's own node_modules, where npm and Node look after the API's folder.
 */
export async function bundleApi(folder: string, signal?: AbortSignal): Promise<void> {
    const output = `--outfile=${path.join(folder, "server.js")}`;
    await run("npm", ["run", "--silent", "build", "--", output], {
        cwd: path.join(__dirname, "..", "api"),
        signal,
    });
}
