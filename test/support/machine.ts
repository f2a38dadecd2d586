import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { findHierarchies } from "../../sandbox/machine/cgroups";
import { COVERED_FOLDERS } from "../../sandbox/machine/namespace";

/** What a sandbox could leave behind on a machine, as sorted lines that can be compared. */
export interface MachineState {
    mounts: string[];
    links: string[];
    namespaces: string[];
    iptables: string[];
    cgroups: string[];
    sysctls: Record<string, string>;
    folders: string[];
    /** Whether another sandbox runs, which shares some folders with the one under test. */
    others: boolean;
}

/** Folders that container software writes to unless it is told otherwise. */
const WATCHED_FOLDERS = [
    "/etc/cni",
    "/opt/cni",
    "/run",
    "/run/containerd",
    "/run/netns",
    "/var/lib",
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/var/log",
    "/var/log/containers",
    "/var/log/pods",
];

/** Both backends, with the file that lists the old one's tables: asking for one that is not there makes it. */
const SAVE_COMMANDS = [
    { program: "iptables-nft" },
    { program: "ip6tables-nft" },
    { program: "iptables-legacy", tables: "/proc/net/ip_tables_names" },
    { program: "ip6tables-legacy", tables: "/proc/net/ip6_tables_names" },
];

/** Mounts of buildah, which may be building images for other tests meanwhile. */
const IMAGE_BUILD = /\/(store|storage)\/overlay\b/;

/** Everything at this moment. What belongs to other sandboxes on the machine is left out. */
export function machineState(): MachineState {
    return {
        mounts: lines(fs.readFileSync("/proc/self/mounts", "utf8")).filter(
            (line) => !IMAGE_BUILD.test(line),
        ),
        links: fs
            .readdirSync("/sys/class/net")
            .filter((name) => !ofAnother(name))
            .sort(),
        namespaces: lines(execFileSync("ip", ["netns", "list"], { encoding: "utf8" })),
        iptables: SAVE_COMMANDS.flatMap(savedRules),
        cgroups: topGroups().filter((name) => !ofAnother(name)),
        others: topGroups().some(ofAnother),
        sysctls: sysctls(),
        folders: WATCHED_FOLDERS.flatMap((folder) =>
            fs.existsSync(folder)
                ? fs.readdirSync(folder).map((name) => path.join(folder, name))
                : [],
        ).sort(),
    };
}

let ours = "";

/** Names the sandbox under test by its id; any other is not this test's business. */
export function watchSandbox(id: string): void {
    ours = id;
}

function ofAnother(text: string): boolean {
    const found = /cutover-([0-9a-f]{7})/i.exec(text);
    return found !== null && !ours.startsWith(found[1] ?? "");
}

/** Rules and chains; a table that is merely there holds nothing, and cannot be removed again. */
function savedRules({ program, tables }: (typeof SAVE_COMMANDS)[number]): string[] {
    if (tables !== undefined && !fs.existsSync(tables)) return [];
    if (tables !== undefined && fs.readFileSync(tables, "utf8") === "") return [];
    const saved = execFileSync(`${program}-save`, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
    });
    return lines(saved)
        .filter((line) => line.startsWith("-A ") || (line.startsWith(":") && line.includes(" - ")))
        .filter((line) => !ofAnother(line))
        .map((line) => `${program} ${line.replace(/\[\d+:\d+\]/, "")}`)
        .sort();
}

/**
 * The groups right below the roots. Whatever a kubelet or a container runtime makes is one of these or
 * below it; in those of the machine's services, sessions come and go at any time.
 */
function topGroups(): string[] {
    return findHierarchies()
        .roots.flatMap((root) =>
            fs
                .readdirSync(root, { withFileTypes: true })
                .filter((entry) => entry.isDirectory())
                .map((entry) => path.join(root, entry.name)),
        )
        .sort();
}

/** Kernel settings that tell something of the moment, not of how the machine is set up. */
const MOMENTARY =
    /^(fs\/(quota\/|.*(nr|state))|kernel\/(random\/|ns_last_pid|pty\/nr)|net\/netfilter\/nf_conntrack_count)/;

function sysctls(): Record<string, string> {
    const root = "/proc/sys";
    const found: Record<string, string> = {};
    const visit = (dir: string): void => {
        for (const entry of fs.readdirSync(path.join(root, dir), { withFileTypes: true })) {
            const name = path.join(dir, entry.name);
            if (entry.isDirectory()) visit(name);
            else if (!MOMENTARY.test(name) && !ofAnother(name)) {
                const value = readSetting(path.join(root, name));
                if (value !== undefined) found[name] = value;
            }
        }
    };
    visit("");
    return found;
}

function readSetting(file: string): string | undefined {
    try {
        // Settings that can only be written, such as route/flush, have no mode to be read with.
        return (fs.statSync(file).mode & 0o444) === 0
            ? undefined
            : fs.readFileSync(file, "utf8").trim();
    } catch {
        return undefined;
    }
}

/**
 * What of `after` was not so in `before`. A kernel setting that only appeared comes with a module
 * that was loaded, which is not undone; every one that was there must have its value again.
 */
export function leftBehind(before: MachineState, after: MachineState): Record<string, string[]> {
    const left: Record<string, string[]> = {};
    const shared = before.others || after.others ? COVERED_FOLDERS : [];
    const isShared = (line: string): boolean => shared.some((folder) => line.startsWith(folder));
    for (const key of [
        "mounts",
        "links",
        "namespaces",
        "iptables",
        "cgroups",
        "folders",
    ] as const) {
        const extra = after[key].filter((line) => !before[key].includes(line));
        const lost = before[key].filter((line) => !after[key].includes(line));
        const changes = [
            ...extra.filter((line) => !isShared(line)).map((line) => `+ ${line}`),
            ...lost.filter((line) => !isShared(line)).map((line) => `- ${line}`),
        ];
        if (changes.length > 0) left[key] = changes;
    }
    const changed = Object.entries(before.sysctls)
        .filter(([name, value]) => after.sysctls[name] !== value)
        .map(([name, value]) => `${name}: ${value} → ${after.sysctls[name]}`);
    if (changed.length > 0) left.sysctls = changed;
    return left;
}

/** Processes that belong to a sandbox by their control group, files or command line. */
export function processesOf(id: string, stateDir: string): string[] {
    const pids = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.flatMap((pid) => {
        if (Number(pid) === process.pid) return [];
        try {
            const cgroup = fs.readFileSync(`/proc/${pid}/cgroup`, "utf8");
            const command = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
            const mine = cgroup.includes(`cutover-${id}`) || command.includes(stateDir);
            return mine ? [`${pid} ${command.trim()}`] : [];
        } catch {
            return []; // it ended meanwhile
        }
    });
}

/** A process's parent, and its own name as far as the kernel keeps it. */
export function parentOf(pid: number): { parent: number; name: string } {
    const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (key: string): string =>
        new RegExp(`^${key}:\\t(.*)$`, "m").exec(status)?.[1] ?? "";
    return { parent: Number(field("PPid")), name: field("Name") };
}

/**
 * Addresses in the machine's network that one of the processes listens on for TCP, as the kernel
 * writes them. What they listen on in another network is not seen.
 */
export function listeningAddresses(pids: readonly number[]): string[] {
    const theirs = new Set(pids.flatMap(socketsOf));
    return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
        lines(fs.readFileSync(file, "utf8")).flatMap((line) => {
            const fields = line.trim().split(/\s+/);
            const [address = "", state, inode = ""] = [fields[1], fields[3], fields[9]];
            return state === "0A" && theirs.has(inode) ? [address] : [];
        }),
    );
}

/** The inodes of a process's open sockets. */
function socketsOf(pid: number): string[] {
    const folder = `/proc/${pid}/fd`;
    return unlessGone(() => fs.readdirSync(folder), []).flatMap((fd) => {
        const target = unlessGone(() => fs.readlinkSync(path.join(folder, fd)), "");
        const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
        return inode === undefined ? [] : [inode];
    });
}

/** Processes end, and close files, while they are looked at. */
function unlessGone<T>(look: () => T, otherwise: T): T {
    try {
        return look();
    } catch {
        return otherwise;
    }
}

function lines(text: string): string[] {
    return text
        .split("\n")
        .filter((line) => line !== "")
        .sort();
}
