import { BlockList, isIP } from "node:net";
import type { EgressPeerArgs, NetworkArgs, NetworkPeerArgs, NetworkPortArgs } from "../network";
import { wrongLabels } from "./names";
import { wholeNumberBetween } from "./numbers";
import { oneOf, show, type Violation } from "./violation";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

/** Every violation in who may reach the API and whom it may reach. */
export function networkRules(network: NetworkArgs = {}): Violation[] {
    const { ingress, metrics, egress } = network;
    const lists: Record<string, EgressPeerArgs[] | undefined> = { ingress, metrics, egress };
    const peers = Object.entries(lists).flatMap(([list, found = []]) =>
        found.flatMap((peer, index) => {
            const path = `network.${list}[${index}]`;
            return [...peerRules(path, peer), ...portRules(`${path}.ports`, peer.ports)];
        }),
    );
    if (metrics === undefined || ingress !== undefined) return peers;
    const expected = "none without network.ingress: everyone may reach the metrics then";
    return [{ path: "network.metrics", got: show(metrics), expected }, ...peers];
}

function peerRules(path: string, peer: NetworkPeerArgs): Violation[] {
    const { namespaceSelector, podSelector, cidr, except } = peer;
    const byLabels = namespaceSelector !== undefined || podSelector !== undefined;
    if (byLabels === (cidr !== undefined)) {
        const expected = `either labels (namespaceSelector, podSelector) or addresses (cidr)`;
        return [{ path, got: show(peer), expected }];
    }
    return [
        ...wrongLabels(`${path}.namespaceSelector`, namespaceSelector),
        ...wrongLabels(`${path}.podSelector`, podSelector),
        ...(cidr === undefined ? noExcept(path, except) : blockRules(path, cidr, except)),
    ];
}

function noExcept(path: string, except: string[] | undefined): Violation[] {
    if (except === undefined) return [];
    return [{ path: `${path}.except`, got: show(except), expected: "none without cidr" }];
}

function blockRules(path: string, cidr: string, except: string[] = []): Violation[] {
    const outer = blockOf(cidr);
    const expected = `a network like "10.0.0.0/8"`;
    if (outer === undefined) return [{ path: `${path}.cidr`, got: show(cidr), expected }];
    return except.flatMap((text, index): Violation[] => {
        const inner = blockOf(text);
        if (inner !== undefined && isInside(inner, outer)) return [];
        const found = { path: `${path}.except[${index}]`, got: show(text) };
        return [{ ...found, expected: `a smaller network inside ${cidr}` }];
    });
}

interface Block {
    address: string;
    prefix: number;
    family: "ipv4" | "ipv6";
}

function blockOf(cidr: string): Block | undefined {
    const [, address = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
    const family = ({ 4: "ipv4", 6: "ipv6" } as const)[isIP(address)];
    const prefix = Number(digits);
    if (family === undefined || prefix > (family === "ipv4" ? 32 : 128)) return undefined;
    return { address, prefix, family };
}

function isInside(inner: Block, outer: Block): boolean {
    const list = new BlockList();
    list.addSubnet(outer.address, outer.prefix, outer.family);
    return inner.prefix > outer.prefix && list.check(inner.address, inner.family);
}

function portRules(path: string, ports: NetworkPortArgs[] = []): Violation[] {
    return ports.flatMap(({ port, endPort, protocol }, index) => {
        const at = `${path}[${index}]`;
        const known = protocol === undefined || PROTOCOLS.includes(protocol);
        const wrong = { path: `${at}.protocol`, got: show(protocol), expected: oneOf(PROTOCOLS) };
        return [
            ...wholeNumberBetween(`${at}.port`, port, 1, 65535),
            ...wholeNumberBetween(`${at}.endPort`, endPort, port, 65535),
            ...(known ? [] : [wrong]),
        ];
    });
}
