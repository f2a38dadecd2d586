import * as assert from "node:assert/strict";
import * as fs from "node:fs";

/** The process on this machine that is number 1 in a container of the pod, by the pod's cgroup. */
export function firstProcessOf(podUid: string, command: string): number {
    const found = fs.readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        try {
            const groups = fs.readFileSync(`/proc/${pid}/cgroup`, "utf8");
            const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
            const ours = groups.includes(podUid) || groups.includes(podUid.replaceAll("-", "_"));
            const isCommand = status.startsWith(`Name:\t${command}\n`);
            return ours && isCommand && /^NSpid:.*\t1$/m.test(status);
        } catch {
            return false; // It ended while it was looked at.
        }
    });
    assert.equal(found.length, 1, `processes of pod ${podUid}: ${found.join(", ")}`);
    return Number(found[0]);
}
