import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { CliError } from "../scripts/errors";

/** Name of the sandbox's context, cluster and node. */
export const CONTEXT = "cutover-sandbox";

/** Inside of the node's own network, so these clash with nothing of the machine's. */
export const NODE_NETWORK = {
    podCidr: "10.244.0.0/24",
    serviceCidr: "10.96.0.0/16",
    /** First address of the service range: the Service `kubernetes`. */
    apiService: "10.96.0.1",
    dnsService: "10.96.0.10",
    domain: "cluster.local",
    bridge: "cni0",
    apiPort: 6443,
} as const;

/**
 * Where the API server answers on 127.0.0.1 of the machine: the first free one of these ports, or
 * the one that `$CUTOVER_SANDBOX_PORT` names.
 */
export const API_PORTS = Array.from({ length: 20 }, (_, index) => 26443 + index);

/**
 * One sandbox: everything that names what it puts on the machine. It is written before the machine is
 * changed, so that whatever happens then, `down` knows what to take back.
 */
export interface Instance {
    /** From the state folder, so two sandboxes in two folders share no name. */
    id: string;
    stateDir: string;
    apiPort: number;
    /** The link between machine and node: an interface on either side, a network of four addresses. */
    link: string;
    hostIp: string;
    nodeIp: string;
    /** iptables chain with the node ports that answer on 127.0.0.1. */
    chain: string;
    cgroup: string;
    /** Kernel settings that the kubelet changes for the whole machine, with their values before. */
    sysctlsBefore: Record<string, string>;
    /** Tables of iptables that were there before; absent where nobody has looked. */
    tablesBefore?: string[];
    /** Controllers of control groups that were off for the machine's groups, and are on for ours. */
    controllersEnabled: string[];
}

/** RFC 2544's range for benchmarks: not routed on the internet and hardly ever in a company. */
const LINK_NETWORK = "198.18";
/** Networks of four addresses in it that ids are spread over. */
const LINK_SLOTS = 256 * 64;

/** Names and addresses are made of the state folder alone, so that they can be made again. */
export function newInstance(
    stateDir: string,
    apiPort: number,
    sysctlsBefore: Record<string, string>,
): Instance {
    const hash = createHash("sha256").update(stateDir).digest();
    const id = hash.toString("hex").slice(0, 8);
    const slot = hash.readUInt32BE(4) % LINK_SLOTS;
    const network = `${LINK_NETWORK}.${Math.floor(slot / 64)}`;
    const first = (slot % 64) * 4;
    return {
        id,
        stateDir,
        apiPort,
        link: `cutover-${id.slice(0, 7)}`,
        hostIp: `${network}.${first + 1}`,
        nodeIp: `${network}.${first + 2}`,
        chain: `CUTOVER-${id}`,
        cgroup: `cutover-${id}`,
        sysctlsBefore,
        controllersEnabled: [],
    };
}

/** The port that `$CUTOVER_SANDBOX_PORT` names. */
export function namedApiPort(env: NodeJS.ProcessEnv = process.env): number | undefined {
    const named = env.CUTOVER_SANDBOX_PORT;
    if (!named) return undefined;
    const port = Number(named);
    if (Number.isInteger(port) && port >= 1 && port <= 65535) return port;
    throw new CliError(`CUTOVER_SANDBOX_PORT must be a port from 1 to 65535, got "${named}"`);
}

/** The record's name in the state folder. */
export const RECORD = "instance.json";
const UNFINISHED = `${RECORD}.new`;

/** The sandbox that was made in a state folder, running or not. */
export function readInstance(stateDir: string): Instance | undefined {
    try {
        return JSON.parse(fs.readFileSync(path.join(stateDir, RECORD), "utf8")) as Instance;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new CliError(
            `${path.join(stateDir, RECORD)} cannot be read (${(error as Error).message}); ` +
                "remove the folder if no sandbox runs there",
        );
    }
}

/** Writes the record at once or not at all. */
export function writeInstance(instance: Instance): void {
    fs.mkdirSync(instance.stateDir, { recursive: true, mode: 0o700 });
    const file = path.join(instance.stateDir, RECORD);
    const unfinished = path.join(instance.stateDir, UNFINISHED);
    fs.writeFileSync(unfinished, JSON.stringify(instance, undefined, 2), { mode: 0o600 });
    fs.renameSync(unfinished, file);
}

/**
 * Something in a folder without a record that no sandbox has put there. `down` removes the whole
 * folder, so it must be a sandbox's own from the start.
 */
export function foreignEntry(stateDir: string): string | undefined {
    if (!fs.existsSync(stateDir)) return undefined;
    // The record is written first, so one that is killed before leaves nothing else.
    return fs.readdirSync(stateDir).find((name) => name !== UNFINISHED);
}

/** The kubeconfig of a sandbox's administrator. */
export function kubeconfigOf(stateDir: string): string {
    return path.join(stateDir, "kubeconfig");
}

/** containerd's socket, for importing images. */
export function containerdSocketOf(stateDir: string): string {
    return path.join(stateDir, "run", "containerd.sock");
}

/** The socket on which the process that holds the node is asked to start programs. */
export function nodeSocketOf(stateDir: string): string {
    return path.join(stateDir, "run", "node.sock");
}

/** Held by whoever brings the sandbox up or down; beside its folder, which `down` removes. */
export function lockOf(stateDir: string): string {
    return `${stateDir}.lock`;
}
