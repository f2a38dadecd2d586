import { isIP } from "node:net";
import type { types } from "@pulumi/kubernetes";
import { COMPONENT } from "../defaults";
import type {
    EgressPeerArgs,
    ExternalServerArgs,
    ListenersArgs,
    NetworkPeerArgs,
    NetworkPoliciesArgs,
    NetworkPortArgs,
} from "../network";
import { DNS, NAMESPACE_NAME_LABEL } from "./defaults";

type Spec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;
type Port = types.input.networking.v1.NetworkPolicyPort;
type Ingress = types.input.networking.v1.NetworkPolicyIngressRule;
type Egress = types.input.networking.v1.NetworkPolicyEgressRule;

/** One policy: its role is part of its name, and there is one of each in a namespace. */
export interface Policy {
    role: "default-deny" | "api" | "router" | "database";
    namespace: string;
    spec: Spec;
}

/** Every policy that an API needs, by what each opens. */
export function policies(args: NetworkPoliciesArgs): Policy[] {
    const { router, database } = args;
    const closed = new Set(args.namespaces);
    for (const other of [router, database]) if (other !== undefined) closed.add(other.namespace);
    return [
        ...[...closed].map((namespace): Policy => {
            const spec = { podSelector: {}, policyTypes: policyTypes(args) };
            return { role: "default-deny", namespace, spec };
        }),
        ...args.namespaces.map((namespace): Policy => {
            return { role: "api", namespace, spec: apiPolicy(args) };
        }),
        ...(router === undefined ? [] : [routerPolicy(args, router)]),
        ...(database === undefined ? [] : [databasePolicy(args, database)]),
    ];
}

/** What goes out is limited where `egress` says so, and then for all pods of the namespaces. */
function policyTypes({ network }: NetworkPoliciesArgs): string[] {
    return network?.egress === undefined ? ["Ingress"] : ["Ingress", "Egress"];
}

function apiPolicy(args: NetworkPoliciesArgs): Spec {
    const { router, database, externalDatabase, network = {} } = args;
    const { ingress, metrics = [] } = network;
    const limited = ingress && [
        ...[...ingress, ...metrics].map(peer),
        ...(router === undefined ? [] : [podsIn([router.namespace], router.selector)]),
    ];
    return {
        podSelector: { matchLabels: apiPods(args) },
        policyTypes: policyTypes(args),
        ingress: from(limited, args.port),
        egress: network.egress && [
            dns(),
            ...(database === undefined ? [] : [to(database)]),
            ...(externalDatabase === undefined ? [] : [toServer(externalDatabase)]),
            ...network.egress.map(toPeer),
        ],
    };
}

function routerPolicy(args: NetworkPoliciesArgs, router: ListenersArgs): Policy {
    const { ingress, egress } = args.network ?? {};
    const spec = {
        podSelector: { matchLabels: router.selector },
        policyTypes: policyTypes(args),
        ingress: from(ingress?.map(peer), router.port),
        egress: egress && [dns(), { to: [allApiPods(args)], ports: [tcp(args.port)] }],
    };
    return { role: "router", namespace: router.namespace, spec };
}

/** It answers the API and calls nobody. */
function databasePolicy(args: NetworkPoliciesArgs, database: ListenersArgs): Policy {
    const spec = {
        podSelector: { matchLabels: database.selector },
        policyTypes: policyTypes(args),
        ingress: from([allApiPods(args)], database.port),
    };
    return { role: "database", namespace: database.namespace, spec };
}

/** To Kubernetes an empty list of peers is everyone; here it is nobody, and no list is everyone. */
function from(peers: Peer[] | undefined, port: number): Ingress[] | undefined {
    return peers?.length === 0 ? undefined : [{ from: peers, ports: [tcp(port)] }];
}

/** By the role among the application's pods, since others may have its `app` label too. */
function apiPods({ app }: NetworkPoliciesArgs): Record<string, string> {
    return { app, component: COMPONENT };
}

function allApiPods(args: NetworkPoliciesArgs): Peer {
    return podsIn([...args.namespaces, ...(args.otherNamespaces ?? [])], apiPods(args));
}

function podsIn(namespaces: string[], matchLabels: Record<string, string>): Peer {
    const values = [...new Set(namespaces)].sort();
    const named = { key: NAMESPACE_NAME_LABEL, operator: "In", values };
    return { namespaceSelector: { matchExpressions: [named] }, podSelector: { matchLabels } };
}

function to({ namespace, selector, port }: ListenersArgs): Egress {
    return { to: [podsIn([namespace], selector)], ports: [tcp(port)] };
}

/** A policy knows no names: for one of those only the port can be limited. */
function toServer({ host, port }: ExternalServerArgs): Egress {
    const bits = { 0: undefined, 4: 32, 6: 128 }[isIP(host)];
    const address = bits === undefined ? undefined : [{ ipBlock: { cidr: `${host}/${bits}` } }];
    return { to: address, ports: [tcp(port)] };
}

function toPeer({ ports, ...target }: EgressPeerArgs): Egress {
    return {
        to: [peer(target)],
        ports: filled(ports)?.map(({ port, endPort, protocol = "TCP" }: NetworkPortArgs) => {
            return { port, endPort, protocol };
        }),
    };
}

function dns(): Egress {
    const { namespace, selector, port } = DNS;
    const ports = ["UDP", "TCP"].map((protocol) => ({ port, protocol }));
    return { to: [podsIn([namespace], selector)], ports };
}

function peer({ namespaceSelector, podSelector, cidr, except }: NetworkPeerArgs): Peer {
    if (cidr !== undefined) return { ipBlock: { cidr, except: filled(except) } };
    return {
        namespaceSelector: namespaceSelector && selecting(namespaceSelector),
        podSelector: podSelector && selecting(podSelector),
    };
}

/** No labels are left out, as the API server does: there would be a difference at every refresh. */
function selecting(matchLabels: Record<string, string>) {
    return Object.keys(matchLabels).length === 0 ? {} : { matchLabels };
}

/** An empty list counts as none. */
function filled<T>(list: T[] | undefined): T[] | undefined {
    return list?.length === 0 ? undefined : list;
}

function tcp(port: number): Port {
    return { port, protocol: "TCP" };
}
