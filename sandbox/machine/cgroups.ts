import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../../scripts/errors";
import { identify, type ProcessId } from "./process";

/** The mounted cgroup hierarchies: one of version 2, or one per controller of version 1, or both. */
export interface Hierarchies {
    roots: string[];
    /** The one in which every process of a container is found. */
    tracking: string;
}

/** Controllers of version 1 that every container gets a group in; the first that is there is used. */
const TRACKING_CONTROLLERS = ["pids", "memory", "cpu"];
/** Sixteen times the usual, in version 1 and in version 2. */
const CPU_WEIGHTS = [
    ["cpu.shares", 16 * 1_024],
    ["cpu.weight", 16 * 100],
] as const;
const REMOVE_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/**
 * Finds the hierarchies in the lines of `/proc/self/mounts`.
 *
 * @throws CliError when none can tell which processes a container has
 */
export function findHierarchies(
    mounts = fs.readFileSync("/proc/self/mounts", "utf8"),
): Hierarchies {
    const roots: string[] = [];
    let tracking: string | undefined;
    let rank: number = TRACKING_CONTROLLERS.length;
    for (const line of mounts.split("\n")) {
        const [, root, type, options] = line.split(" ");
        if (!root || (type !== "cgroup" && type !== "cgroup2") || roots.includes(root)) continue;
        roots.push(root);
        const names = options?.split(",") ?? [];
        const controller = TRACKING_CONTROLLERS.findIndex((name) => names.includes(name));
        if (type === "cgroup" && controller !== -1 && controller < rank) {
            [rank, tracking] = [controller, root];
        }
        // Beside version 1 hierarchies the second version's is there for systemd only.
        if (type === "cgroup2") tracking ??= root;
    }
    if (tracking === undefined) {
        throw new CliError(
            "the sandbox needs control groups, and none is mounted at /sys/fs/cgroup",
        );
    }
    return { roots, tracking };
}

/**
 * Makes the sandbox's group in every hierarchy, which the kubelet takes as its root, and a group in
 * it for the sandbox's own programs.
 */
export function createCgroups(name: string, hierarchies: Hierarchies): void {
    for (const root of hierarchies.roots) {
        const group = path.join(root, name);
        fs.mkdirSync(group, { recursive: true });
        // A node has its processors to itself. Here all of its pods together would get no more of them
        // than one program of the machine's, and starve beside a build or a test run.
        for (const [file, weight] of CPU_WEIGHTS) {
            const own = path.join(group, file);
            if (fs.existsSync(own)) fs.writeFileSync(own, String(weight));
        }
        // A new cpuset is empty and would refuse every process.
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
            const own = path.join(group, file);
            const parents = path.join(root, file);
            if (fs.existsSync(own) && fs.existsSync(parents)) {
                fs.writeFileSync(own, fs.readFileSync(parents, "utf8"));
            }
        }
    }
    fs.mkdirSync(path.dirname(programsGroup(name, hierarchies)), { recursive: true });
}

/**
 * Controllers that the machine's groups do not have. The kubelet wants every one the kernel knows.
 * Nothing with version 1, where a hierarchy has its controllers always.
 */
export function missingControllers({ tracking }: Hierarchies): string[] {
    const available = readWords(path.join(tracking, "cgroup.controllers"));
    const enabled = readWords(path.join(tracking, "cgroup.subtree_control"));
    return available.filter((name) => !enabled.includes(name));
}

/** @throws CliError when the kernel refuses, as it does in a container's control group */
export function enableControllers(names: readonly string[], { tracking }: Hierarchies): void {
    for (const name of names) {
        try {
            fs.writeFileSync(path.join(tracking, "cgroup.subtree_control"), `+${name}`);
        } catch (error) {
            throw new CliError(
                `the sandbox needs the control group controller ${name}, and it cannot be enabled ` +
                    `in ${tracking}: ${(error as Error).message}`,
            );
        }
    }
}

/** Takes back {@link enableControllers}, except what someone else has come to use since. */
export function disableControllers(names: readonly string[], { tracking }: Hierarchies): void {
    for (const name of names) {
        try {
            fs.writeFileSync(path.join(tracking, "cgroup.subtree_control"), `-${name}`);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
        }
    }
}

function readWords(file: string): string[] {
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split(/\s+/).filter(Boolean) : [];
}

/** The file by which a program enters the group of the sandbox's own programs. */
export function programsGroup(name: string, { tracking }: Hierarchies): string {
    return path.join(tracking, name, "system", "cgroup.procs");
}

/** Every process of the sandbox, however it was started and whoever is its parent now. */
export function processesIn(name: string, { roots }: Hierarchies): ProcessId[] {
    const pids = new Set<number>();
    for (const root of roots) {
        for (const group of groupsBelow(path.join(root, name))) {
            for (const pid of readPids(group)) pids.add(pid);
        }
    }
    return [...pids].map(identify).filter((id) => id !== undefined);
}

/** Removes the sandbox's groups, which must have no processes. */
export async function removeCgroups(name: string, { roots }: Hierarchies): Promise<void> {
    const deadline = Date.now() + REMOVE_TIMEOUT_MS;
    for (const root of roots) {
        for (const group of groupsBelow(path.join(root, name)).toReversed()) {
            // The kernel holds a group for a moment after its last process has gone.
            while (!tryRemove(group)) {
                if (Date.now() > deadline)
                    throw new CliError(`control group ${group} is still in use`);
                await sleep(POLL_MS);
            }
        }
    }
}

function tryRemove(group: string): boolean {
    try {
        fs.rmdirSync(group);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
        if ((error as NodeJS.ErrnoException).code === "EBUSY") return false;
        throw error;
    }
}

/** A group and all below it, parents first. */
function groupsBelow(group: string): string[] {
    let entries: fs.Dirent[];
    try {
        entries = fs.readdirSync(group, { withFileTypes: true });
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
        throw error;
    }
    const below = entries.filter((entry) => entry.isDirectory());
    return [group, ...below.flatMap((entry) => groupsBelow(path.join(group, entry.name)))];
}

function readPids(group: string): number[] {
    try {
        const procs = fs.readFileSync(path.join(group, "cgroup.procs"), "utf8");
        return procs.split("\n").filter(Boolean).map(Number);
    } catch (error) {
        // The group went away, or is threaded, and then its processes are listed above it.
        if (
            ["ENOENT", "ENODEV", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")
        ) {
            return [];
        }
        throw error;
    }
}
