import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { DatabaseConfig } from "./config";
import { parseDatabaseUrl } from "./database-url";

/** How the store logs in: where to is settled at the start, the password is asked for each time. */
export interface Login {
    host: string;
    port: number;
    name: string;
    user: string;
    password: () => Promise<string>;
}

/**
 * The file with the URL counts before the URL, and that before the parts.
 *
 * @throws Error when the file is missing or holds no URL
 */
export function loginOf(config: DatabaseConfig): Login {
    const { urlFile, url, host, port, name, user, passwordFile } = config;
    if (urlFile !== undefined) {
        const { password: _first, ...where } = parseDatabaseUrl(
            readFileSync(urlFile, "utf8").trim(),
        );
        const password = async () =>
            parseDatabaseUrl((await readFile(urlFile, "utf8")).trim()).password;
        return { ...where, password };
    }
    if (url !== undefined) {
        const { password, ...where } = parseDatabaseUrl(url);
        return { ...where, password: () => Promise.resolve(password) };
    }
    const password = async () => (await readFile(passwordFile, "utf8")).trimEnd();
    return { host, port, name, user, password };
}
