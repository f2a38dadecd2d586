import * as fs from "node:fs";
import { CliError } from "../../scripts/errors";
import { run } from "../images/run";
import { NODE_NETWORK, type Instance } from "../instance";
import { removeEmptyTables } from "./tables";

/** Seconds to wait for another program that changes iptables at the same time. */
const WAIT = ["--wait", "10"];

/** Both may hold rules at once; `iptables` is one of them, by the machine's choice. */
const BACKENDS = ["nft", "legacy"];

type Rule = { table: "nat" | "filter"; chain: string; rule: string[] };

/**
 * Joins the node's network to the machine's by a pair of interfaces, and brings the API server to
 * 127.0.0.1. Everything else of the cluster's network is in the node's, and vanishes with it.
 */
export async function connectNode(instance: Instance, holder: number): Promise<void> {
    const { link, hostIp, nodeIp } = instance;
    const inNode = ["nsenter", "--net", "--target", String(holder), "--"];
    const steps = [
        [
            "ip",
            "link",
            "add",
            link,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            String(holder),
        ],
        ["ip", "address", "add", `${hostIp}/30`, "dev", link],
        ["ip", "link", "set", link, "up"],
        [...inNode, "ip", "link", "set", "lo", "up"],
        [...inNode, "ip", "address", "add", `${nodeIp}/30`, "dev", "eth0"],
        [...inNode, "ip", "link", "set", "eth0", "up"],
        // No default route: what is not there is unreachable at once, where a dropped packet would let
        // every pull of a missing image wait. Service addresses need some route to be translated.
        [...inNode, "ip", "route", "add", NODE_NETWORK.serviceCidr, "via", hostIp],
        // Pods' packets to Services and to each other are routed and translated.
        [...inNode, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"],
        [...inNode, "sh", "-c", "echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables"],
    ];
    for (const [program, ...args] of steps) await run(program ?? "", args);
    // A packet from 127.0.0.1 may leave by this interface only; the setting goes with it.
    fs.writeFileSync(`/proc/sys/net/ipv4/conf/${link}/route_localnet`, "1");
    await addRules(instance);
}

/** Takes back all of {@link connectNode}, whatever of it is there. */
export async function disconnectNode(instance: Instance): Promise<void> {
    await removeRules(instance);
    if (instance.tablesBefore !== undefined) await removeEmptyTables(instance.tablesBefore);
    if (fs.existsSync(`/sys/class/net/${instance.link}`)) {
        await run("ip", ["link", "delete", instance.link]);
    }
}

/** @throws CliError when the machine already uses the addresses of the link */
export async function requireFreeNetwork(instance: Instance): Promise<void> {
    const route = await run("ip", ["-4", "route", "show", "to", "match", instance.nodeIp]);
    const specific = route.split("\n").filter((line) => line !== "" && !line.startsWith("default"));
    if (specific.length > 0 && !specific.every((line) => line.includes(instance.link))) {
        throw new CliError(
            `the sandbox's network ${instance.hostIp}/30 is in use (${specific[0]?.trim()}); choose ` +
                "another state folder with CUTOVER_SANDBOX_STATE, which chooses another network",
        );
    }
}

/** Ports of 127.0.0.1 that rules lead elsewhere: to another sandbox, for example. */
export async function forwardedPorts(): Promise<Set<number>> {
    const saved = await Promise.all(BACKENDS.map((backend) => savedTable(backend, "nat")));
    return portsLedAway(saved.join("\n"));
}

/** The same, from an `iptables-save`. */
export function portsLedAway(saved: string): Set<number> {
    const ports = new Set<number>();
    for (const line of saved.split("\n")) {
        const port = /^-A (?:OUTPUT|CUTOVER-\w+) .*--dport (\d+) .*-j (?:DNAT|REDIRECT)/.exec(
            line,
        )?.[1];
        if (port !== undefined) ports.add(Number(port));
    }
    return ports;
}

/** The machine's rules, in the order in which they are added. */
export function rulesOf({ link, chain, apiPort, nodeIp }: Instance): Rule[] {
    const toLoopback = ["-d", "127.0.0.1/32"];
    const api = ["-p", "tcp", "--dport", String(apiPort)];
    const target = `${nodeIp}:${NODE_NETWORK.apiPort}`;
    return [
        // The agent fills the chain with the node ports of the cluster's Services.
        { table: "nat", chain: "OUTPUT", rule: [...toLoopback, "-j", chain] },
        {
            table: "nat",
            chain: "OUTPUT",
            rule: [...toLoopback, ...api, "-j", "DNAT", "--to-destination", target],
        },
        {
            table: "nat",
            chain: "POSTROUTING",
            rule: ["-s", "127.0.0.0/8", "-o", link, "-j", "MASQUERADE"],
        },
        // Nothing of the cluster reaches the machine or its networks, except as an answer, and nobody
        // in those networks reaches the cluster.
        {
            table: "filter",
            chain: "INPUT",
            rule: [
                "-i",
                link,
                "-m",
                "conntrack",
                "!",
                "--ctstate",
                "RELATED,ESTABLISHED",
                "-j",
                "DROP",
            ],
        },
        { table: "filter", chain: "FORWARD", rule: ["-i", link, "-j", "DROP"] },
        { table: "filter", chain: "FORWARD", rule: ["-o", link, "-j", "DROP"] },
    ];
}

async function addRules(instance: Instance): Promise<void> {
    await run("iptables", [...WAIT, "-t", "nat", "-N", instance.chain]);
    // First, because the machine may have rules that accept or drop everything.
    for (const { table, chain, rule } of rulesOf(instance).toReversed()) {
        await run("iptables", [
            ...WAIT,
            "-t",
            table,
            "-I",
            chain,
            "1",
            ...commented(instance, rule),
        ]);
    }
}

function commented({ chain }: Instance, rule: string[]): string[] {
    return ["-m", "comment", "--comment", chain, ...rule];
}

/**
 * Removes by what is there and not by what was added: rules are known by their comment, which also
 * finds those of an `up` that was killed half-way. In both of iptables' backends, since the machine's
 * choice may have changed since.
 */
async function removeRules({ chain }: Instance): Promise<void> {
    for (const backend of BACKENDS) {
        const program = `iptables-${backend}`;
        for (const table of ["nat", "filter"] as const) {
            const saved = await savedTable(backend, table);
            for (const deletion of deletionsOf(saved, chain)) {
                await run(program, [...WAIT, "-t", table, ...deletion]);
            }
        }
    }
}

async function savedTable(backend: string, table: string): Promise<string> {
    // Merely asking the old backend for a table makes it, for good.
    if (backend === "legacy" && !legacyTables().includes(table)) return "";
    try {
        return await run(`iptables-${backend}-save`, ["-t", table]);
    } catch (error) {
        // A kernel without the new backend has no rules of it, and then `iptables` is the old one.
        const version = await run("iptables", ["--version"]);
        if (version.includes(backend === "nft" ? "nf_tables" : "legacy")) throw error;
        return "";
    }
}

/** Tables that the old backend has; the file is there once its module is loaded. */
function legacyTables(): string[] {
    const file = "/proc/net/ip_tables_names";
    return fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n") : [];
}

/** The arguments that delete, from an `iptables-save`, every rule of a chain's and the chain. */
export function deletionsOf(saved: string, chain: string): string[][] {
    const lines = saved.split("\n");
    const rules = lines
        .filter((line) => line.startsWith("-A ") && line.includes(`--comment ${quoted(chain)}`))
        .map((line) => words(`-D ${line.slice("-A ".length)}`));
    const exists = lines.some((line) => line.startsWith(`:${chain} `));
    return exists ? [...rules, ["-F", chain], ["-X", chain]] : rules;
}

/** iptables-save quotes a comment only when it has to. */
function quoted(comment: string): string {
    return /^[A-Za-z0-9_-]+$/.test(comment) ? comment : `"${comment}"`;
}

function words(line: string): string[] {
    return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
}
