import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../scripts/errors";
import type { Progress } from "../scripts/progress";
import { filesOf } from "./control-plane";
import { withLock } from "./images/lock";
import { foreignEntry, lockOf, RECORD, newInstance, readInstance, type Instance } from "./instance";
import { disableControllers, findHierarchies, processesIn, removeCgroups } from "./machine/cgroups";
import { unmountBelow } from "./machine/mounts";
import { removeCoveredFolders } from "./machine/namespace";
import { requireLinuxRoot, withRootPaths } from "./machine/needs";
import { disconnectNode } from "./machine/network";
import { running, stop, type ProcessId } from "./machine/process";
import { restoreSysctls } from "./machine/sysctls";
import { stateDir as defaultStateDir } from "./paths";
import { PROCESSES, type SandboxOptions } from "./status";

/** How long new processes may keep appearing while all are being ended. */
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
/** For the holder to take note of its children's end, which takes it milliseconds. */
const HOLDER_GRACE_MS = 5_000;
const HOLDER = "node";

/**
 * Ends the sandbox and removes it with its data. Nothing of it stays on the machine: no process,
 * mount, interface, iptables rule, kernel setting, control group or file. Works on whatever is left
 * of one that was interrupted, killed or rebooted, and does nothing where there is none.
 */
export async function down(progress: Progress, options: SandboxOptions = {}): Promise<void> {
    requireLinuxRoot();
    process.env.PATH = withRootPaths(process.env.PATH);
    const stateDir = path.resolve(options.stateDir ?? defaultStateDir());
    const lock = lockOf(stateDir);
    await withLock(lock, () => takeDown(progress, stateDir), { signal: options.signal });
}

async function takeDown(progress: Progress, stateDir: string): Promise<void> {
    const recorded = readInstance(stateDir);
    if (recorded === undefined && foreignEntry(stateDir) !== undefined) {
        throw new CliError(`${stateDir} holds something, but no sandbox: it is left alone`);
    }
    // Without a record its names are still known, since they are made of the folder's name.
    const instance = recorded ?? newInstance(stateDir, 0, {});
    await progress.step("Stop the sandbox", () => stopEverything(instance));
    await progress.step("Remove the sandbox's data", async () => {
        restoreSysctls(instance.sysctlsBefore);
        if (!othersRun(instance)) {
            removeCoveredFolders();
            disableControllers(instance.controllersEnabled, findHierarchies());
        }
        await removeFolder(stateDir);
    });
}

/** Ends every process and takes back links, rules and control groups; data and record stay. */
export async function stopEverything(instance: Instance): Promise<void> {
    const hierarchies = findHierarchies();
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    const holder = running(filesOf(instance.stateDir, HOLDER).pidFile);
    // All at once: a kubelet or a containerd that lives on would start pods again. The holder last: it
    // is the parent of all others, and takes note of their end.
    for (;;) {
        const found = [
            ...recordedProcesses(instance),
            ...processesIn(instance.cgroup, hierarchies),
        ].filter(({ pid }) => pid !== holder?.pid);
        if (found.length === 0) break;
        if (Date.now() > deadline) {
            const pids = found.map(({ pid }) => pid).join(", ");
            throw new CliError(`processes ${pids} of the sandbox do not end`);
        }
        await stop(found, 0);
    }
    if (holder !== undefined) await stop([holder], HOLDER_GRACE_MS);
    await disconnectNode(instance);
    await waitForLinkToGo(instance);
    await removeCgroups(instance.cgroup, hierarchies);
    for (const name of PROCESSES)
        fs.rmSync(filesOf(instance.stateDir, name).pidFile, { force: true });
}

function recordedProcesses({ stateDir }: Instance): ProcessId[] {
    return PROCESSES.map((name) => running(filesOf(stateDir, name).pidFile)).filter(
        (id) => id !== undefined,
    );
}

/** The kernel takes a namespace apart in the background, after its last process. */
async function waitForLinkToGo({ link }: Instance): Promise<void> {
    const deadline = Date.now() + STOP_TIMEOUT_MS;
    while (fs.existsSync(`/sys/class/net/${link}`)) {
        if (Date.now() > deadline) throw new CliError(`network interface ${link} does not go away`);
        await sleep(POLL_MS);
    }
}

/** Whether another sandbox, in another state folder, needs what all of them share. */
function othersRun({ cgroup }: Instance): boolean {
    return findHierarchies().roots.some((root) =>
        fs.readdirSync(root).some((name) => name.startsWith("cutover-") && name !== cgroup),
    );
}

/** Removes the data, first making sure that nothing is mounted below it. */
async function removeFolder(stateDir: string): Promise<void> {
    await unmountBelow(stateDir);
    // The record last: without it the rest would be taken for someone else's.
    const entries = fs.existsSync(stateDir) ? fs.readdirSync(stateDir) : [];
    for (const entry of entries.filter((name) => name !== RECORD)) {
        await fs.promises.rm(path.join(stateDir, entry), { recursive: true, force: true });
    }
    await fs.promises.rm(stateDir, { recursive: true, force: true });
}
