import * as fs from "node:fs";
import * as path from "node:path";
import type { Command } from "./process";

/**
 * Folders that programs of the node insist on. The node sees its own in their place, so that nothing
 * is ever written to the machine's; they must exist to be covered.
 */
export const COVERED_FOLDERS = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/containers"];

/**
 * The process that holds the node's network and mounts, and starts the programs in them when it is
 * asked on its socket. Everything a node leaves on a machine, links, routes, iptables, most sysctls,
 * mounts, is in there, and the kernel removes it with the last process.
 *
 * @param program ends up as the process, and makes the socket when everything is set up
 */
export function holder(program: string, kubeletDir: string, socket: string): Command {
    const script = [
        "set -e",
        // What the machine mounts is seen here; what is mounted here is not seen there.
        "mount --make-rshared /",
        "mount -t tmpfs -o mode=755 sandbox-run /run",
        "mount -t tmpfs sandbox-cni /var/lib/cni",
        "mount -t tmpfs sandbox-logs /var/log/containers",
        `mount --bind "$1" /var/lib/kubelet`,
        `exec "$0" "$2"`,
    ].join("\n");
    return {
        name: "node",
        argv: [
            ...["unshare", "--net", "--mount", "--propagation", "slave", "--"],
            ...["/bin/sh", "-c", script, program, kubeletDir, socket],
        ],
    };
}

/** Says that the folder was made here: the last sandbox that goes removes it. */
const MARK = ".made-by-cutover-sandbox";

/** Makes the folders that must exist to be covered. */
export function makeCoveredFolders(folders: readonly string[] = COVERED_FOLDERS): void {
    for (const folder of folders) {
        if (fs.existsSync(folder)) continue;
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(path.join(folder, MARK), "");
    }
}

/** Removes the folders that were made to be covered, unless someone has put something into them. */
export function removeCoveredFolders(folders: readonly string[] = COVERED_FOLDERS): void {
    for (const folder of folders) {
        const mark = path.join(folder, MARK);
        if (!fs.existsSync(mark)) continue;
        fs.rmSync(mark);
        if (fs.readdirSync(folder).length === 0) fs.rmdirSync(folder);
    }
}
