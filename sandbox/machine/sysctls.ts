import * as fs from "node:fs";

/**
 * What the kubelet sets for the whole machine (it says so only in its source: `setupKernelTunables`).
 * Settings of the network are the node's own and vanish with it.
 */
export const KUBELET_SYSCTLS: Readonly<Record<string, string>> = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
};

const ROOT = "/proc/sys";

/** The machine's values of what the kubelet will set. */
export function readSysctls(root = ROOT): Record<string, string> {
    const found: Record<string, string> = {};
    for (const name of Object.keys(KUBELET_SYSCTLS)) {
        try {
            found[name] = fs.readFileSync(`${root}/${name}`, "utf8").trim();
        } catch (error) {
            // A kernel without the setting has nothing to put back.
            if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        }
    }
    return found;
}

/** Puts values back that still are what the kubelet set; what someone else set since stays. */
export function restoreSysctls(before: Readonly<Record<string, string>>, root = ROOT): void {
    const now = readSysctls(root);
    for (const [name, value] of Object.entries(before)) {
        const changedByKubelet = now[name] === KUBELET_SYSCTLS[name] && now[name] !== value;
        if (changedByKubelet) fs.writeFileSync(`${root}/${name}`, value);
    }
}
