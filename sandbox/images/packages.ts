import * as fs from "node:fs";
import * as path from "node:path";
import { CliError } from "../../scripts/errors";
import type { Say } from "../../scripts/progress";
import { run } from "./run";

/** A Debian package by the program that is looked for, so a machine that has it otherwise is left alone. */
export type Needs = Record<string, string>;

/** Where programs of Debian packages are, whatever the caller's PATH says. */
const SYSTEM_PATHS = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/**
 * Installs with apt the packages whose program is missing.
 *
 * @throws CliError when something is missing and the machine has no apt or the user is not root
 */
export async function ensurePackages(
    needs: Needs,
    options: { say?: Say; signal?: AbortSignal } = {},
): Promise<void> {
    const missing = Object.entries(needs).filter(([program]) => findProgram(program) === undefined);
    if (missing.length === 0) return;
    const packages = [...new Set(missing.map(([, name]) => name))];
    const install = `apt-get install --no-install-recommends ${packages.join(" ")}`;
    if (findProgram("apt-get") === undefined) {
        throw new CliError(
            `this needs ${packages.join(", ")}, and the machine has no apt-get to install ` +
                "them; install them by its own means",
        );
    }
    if (process.getuid?.() !== 0) {
        throw new CliError(`this needs ${packages.join(", ")}: run \`sudo ${install}\``);
    }
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    options.say?.("apt-get update");
    await run("apt-get", ["update", "-q"], { ...options, env });
    options.say?.(install);
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], {
        ...options,
        env,
    });
}

/** The program's full path, or undefined. */
export function findProgram(name: string): string | undefined {
    const folders = [...(process.env.PATH ?? "").split(path.delimiter), ...SYSTEM_PATHS];
    return folders
        .filter((folder) => folder !== "")
        .map((folder) => path.join(folder, name))
        .find((file) => fs.existsSync(file));
}
