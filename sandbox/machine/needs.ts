import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { CliError } from "../../scripts/errors";
import type { Say } from "../../scripts/progress";
import { run } from "../images/run";
import { ensurePackages, findProgram, type Needs } from "../images/packages";

/** Programs of the sandbox by the Debian package that brings them. */
export const PACKAGES: Needs = {
    containerd: "containerd",
    ctr: "containerd",
    runc: "runc",
    "iptables-restore": "iptables",
    nft: "nftables",
    ip: "iproute2",
    nsenter: "util-linux",
    unshare: "util-linux",
};

/** Debian's place for CNI plugins; not on any PATH. */
export const CNI_PLUGINS = "/usr/lib/cni";
const CNI_PACKAGE = "containernetworking-plugins";

/** The build needs about 6 GB of module and build cache, images and the cluster about 2 GB. */
export const MINIMUM_FREE_BYTES = { build: 8e9, run: 2e9 } as const;

/** Unix sockets lie below the state folder, and their paths may have 107 bytes. */
const LONGEST_STATE_DIR = 70;

/** Where root's programs are; missing from the PATH that `su` and some `sudo` set-ups keep. */
const ROOT_PATHS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** A PATH on which root's programs are found too. */
export function withRootPaths(current = ""): string {
    const folders = current.split(path.delimiter).filter((folder) => folder !== "");
    return [...folders, ...ROOT_PATHS.filter((folder) => !folders.includes(folder))].join(
        path.delimiter,
    );
}

/** @throws CliError unless this is Linux and the user is root */
export function requireLinuxRoot(
    platform: string = process.platform,
    uid: number | undefined = process.getuid?.(),
): void {
    if (platform !== "linux") {
        throw new CliError(
            `the sandbox needs Linux, got ${platform}; use a cluster of your own with --context`,
        );
    }
    if (uid !== 0) {
        throw new CliError(
            `the sandbox needs root (network, containers), got user ${uid}; run it with sudo or use a ` +
                "cluster of your own with --context",
        );
    }
}

/** The first Go that fetches by itself the newer one that a module asks for. */
const MINIMUM_GO = [1, 21] as const;

/**
 * @param version finds what `go env GOVERSION` prints, or nothing when there is no Go
 * @throws CliError when there is no Go to build Kubernetes with
 */
export async function requireGo(
    version: () => Promise<string | undefined> = goVersion,
): Promise<void> {
    const found = await version();
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(found ?? "") ?? [];
    const [needMajor, needMinor] = MINIMUM_GO;
    const enough =
        Number(major) > needMajor || (Number(major) === needMajor && Number(minor) >= needMinor);
    // A build of Go's own source has no number; whoever has one knows.
    if (enough || found?.startsWith("devel")) return;
    throw new CliError(
        `the sandbox builds Kubernetes from source and needs Go ${MINIMUM_GO.join(".")} or newer on the ` +
            `PATH, got ${found ?? "none"}: https://go.dev/dl`,
    );
}

async function goVersion(): Promise<string | undefined> {
    if (findProgram("go") === undefined) return undefined;
    return (await run("go", ["env", "GOVERSION"])).trim();
}

/** @throws CliError when the file system of `dir` (or of its nearest parent) has less than `bytes` free */
export function requireDisk(dir: string, bytes: number, statfs: Statfs = fs.statfsSync): void {
    const existing = nearestExisting(dir);
    const { bavail, bsize } = statfs(existing);
    const free = bavail * bsize;
    if (free >= bytes) return;
    throw new CliError(
        `the sandbox needs ${gigabytes(bytes)} free at ${dir}, got ${gigabytes(free)}; free some, or name ` +
            "other folders with CUTOVER_CACHE and CUTOVER_SANDBOX_STATE",
    );
}
type Statfs = (path: string) => { bavail: number; bsize: number };

/** @throws CliError when the state folder cannot hold sockets or would be hidden from the node */
export function requireUsableStateDir(dir: string): void {
    if (Buffer.byteLength(dir) > LONGEST_STATE_DIR) {
        throw new CliError(
            `CUTOVER_SANDBOX_STATE must have at most ${LONGEST_STATE_DIR} bytes (sockets lie below it), ` +
                `got ${Buffer.byteLength(dir)}: ${dir}`,
        );
    }
    if (/^(\/var)?\/run(\/|$)/.test(dir)) {
        throw new CliError(
            `CUTOVER_SANDBOX_STATE must not be below /run, which the node has of its own, got ${dir}`,
        );
    }
}

/**
 * The first of the ports that nobody listens on and no rule of iptables leads away from.
 *
 * @throws CliError when there is none
 */
export async function freePort(
    ports: readonly number[],
    forwarded: ReadonlySet<number>,
): Promise<number> {
    for (const port of ports) {
        if (!forwarded.has(port) && (await canListen(port))) return port;
    }
    const named = ports.length === 1 ? `port ${ports[0]}` : `ports ${ports[0]} to ${ports.at(-1)}`;
    throw new CliError(
        `the sandbox's API server needs a port of 127.0.0.1, and ${named} is taken; free it or name ` +
            "another with CUTOVER_SANDBOX_PORT",
    );
}

function canListen(port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const server = net.createServer();
        server.once("error", () => resolve(false));
        server.listen({ port, host: "127.0.0.1", exclusive: true }, () =>
            server.close(() => resolve(true)),
        );
    });
}

/** Installs the Debian packages that are missing and leaves none of their services running. */
export async function ensureSandboxPackages(say: Say, signal?: AbortSignal): Promise<void> {
    const needs = { ...PACKAGES };
    if (!fs.existsSync(path.join(CNI_PLUGINS, "host-local"))) needs["host-local"] = CNI_PACKAGE;
    const hadContainerd = findProgram("containerd") !== undefined;
    await withoutServices(() => ensurePackages(needs, { say, signal }));
    // On a machine with systemd the package also asks for a start at every boot.
    if (!hadContainerd && findProgram("systemctl") !== undefined) {
        await run("systemctl", ["disable", "containerd.service"], { signal });
    }
}

const BRIDGE_SETTINGS = "/proc/sys/net/bridge";

/**
 * Loads what a kernel may have as modules.
 *
 * @throws CliError when bridged packets cannot be translated, without which no Service works
 */
export async function ensureKernelModules(say: Say, signal?: AbortSignal): Promise<void> {
    if (fs.existsSync(BRIDGE_SETTINGS)) return;
    try {
        await ensurePackages({ modprobe: "kmod" }, { say, signal });
        await run("modprobe", ["br_netfilter"]);
    } catch (error) {
        throw new CliError(
            `the sandbox needs the kernel module br_netfilter, and it cannot be loaded: ${(error as Error).message}`,
        );
    }
}

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Debian starts a package's service when it is installed, unless this script says no. The sandbox
 * runs a containerd of its own and leaves none behind that the user did not have.
 */
async function withoutServices(install: () => Promise<void>): Promise<void> {
    if (fs.existsSync(POLICY) || !fs.existsSync(path.dirname(POLICY))) return install();
    fs.writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    try {
        await install();
    } finally {
        fs.rmSync(POLICY, { force: true });
    }
}

function nearestExisting(dir: string): string {
    return fs.existsSync(dir) ? dir : nearestExisting(path.dirname(dir));
}

function gigabytes(bytes: number): string {
    return `${(bytes / 1e9).toFixed(1)} GB`;
}
