import type { Condition } from "../gate/reader";
import { GATEWAY_GROUP, ROUTE_API_VERSION } from "./defaults";
import type { GatewayParent } from "./settings";

/** An HTTPRoute as the API has it, as far as it is looked at. */
export interface LiveRoute {
    metadata: { name: string; namespace?: string; generation?: number };
    status?: { parents?: ParentStatus[] };
}

/** What one controller says about the route on one Gateway. */
export interface ParentStatus {
    parentRef: { group?: string; kind?: string } & GatewayParent;
    controllerName: string;
    conditions?: (Condition & { observedGeneration?: number })[];
}

/** A Gateway as the API has it, as far as it is looked at. */
export interface LiveGateway {
    spec?: { gatewayClassName?: string };
    status?: { conditions?: Condition[] };
}

/** The Gateway of a route, with the namespace that it is in. */
export type NamedParent = GatewayParent & { namespace: string };

export type RouteVerdict =
    | { accepted: true; controller: string }
    /** `unclaimed`: no controller has said anything about the route. */
    | { accepted: false; because: string; unclaimed: boolean };

/** The conditions that must be true before traffic may rely on the route. */
const WANTED = ["Accepted", "ResolvedRefs"];

/**
 * Whether a controller of `parent` carries out the route as it is now: Accepted and ResolvedRefs are
 * true, both for the route's present generation, and none of its rules was dropped (PartiallyInvalid).
 * Conditions without a generation, which the API allows, are taken for present ones.
 */
export function judgeRoute(route: LiveRoute, parent: NamedParent): RouteVerdict {
    const { namespace, generation = 0 } = route.metadata;
    const claims = (route.status?.parents ?? []).filter(({ parentRef }) =>
        isSame(parentRef, parent, namespace),
    );
    const problems = claims.map((claim) => ({ claim, because: problemOf(claim, generation) }));
    const good = problems.find(({ because }) => because === undefined);
    if (good !== undefined) return { accepted: true, controller: good.claim.controllerName };
    const [first] = problems;
    return first?.because === undefined
        ? { accepted: false, because: "no controller accepted the route", unclaimed: true }
        : { accepted: false, because: first.because, unclaimed: false };
}

function isSame(
    ref: ParentStatus["parentRef"],
    parent: NamedParent,
    routeNamespace: string | undefined,
): boolean {
    return (
        (ref.group ?? GATEWAY_GROUP) === GATEWAY_GROUP &&
        (ref.kind ?? "Gateway") === "Gateway" &&
        ref.name === parent.name &&
        (ref.namespace ?? routeNamespace) === parent.namespace &&
        ref.sectionName === parent.sectionName
    );
}

function problemOf(
    { controllerName, conditions = [] }: ParentStatus,
    generation: number,
): string | undefined {
    const stale = ({ observedGeneration }: { observedGeneration?: number }) =>
        observedGeneration !== undefined && observedGeneration < generation;
    for (const type of WANTED) {
        const condition = conditions.find((candidate) => candidate.type === type);
        if (condition === undefined) return `${controllerName} has not said ${type} yet`;
        if (stale(condition)) {
            return `${controllerName} has not looked at the changed route yet (${type} is of generation ${condition.observedGeneration}, the route is at ${generation})`;
        }
        if (condition.status !== "True") return `${controllerName} says ${said(condition)}`;
    }
    const partial = conditions.find(({ type }) => type === "PartiallyInvalid");
    return partial?.status === "True" ? `${controllerName} says ${said(partial)}` : undefined;
}

function said({ type, status, reason, message }: Condition): string {
    const why = [reason, message].filter((part) => part !== undefined && part !== "").join(": ");
    return `${type}=${status}${why === "" ? "" : ` (${why})`}`;
}

/** Why no controller may have said anything: what is wrong with the Gateway, as far as it can be seen. */
export function explainGateway(label: string, gateway: LiveGateway | undefined): string {
    if (gateway === undefined) return `Gateway ${label} does not exist`;
    const accepted = gateway.status?.conditions?.find(({ type }) => type === "Accepted");
    const className = gateway.spec?.gatewayClassName ?? "none";
    if (accepted?.status === "True") {
        return `Gateway ${label} is accepted, but its controller says nothing about the route`;
    }
    return accepted === undefined || accepted.status === "Unknown"
        ? `no controller runs Gateway ${label} of class ${className}`
        : `of Gateway ${label} of class ${className} its controller says ${said(accepted)}`;
}

export function routePath(namespace: string, name: string): string {
    return objectPath(namespace, "httproutes", name);
}

export function gatewayPath(namespace: string, name: string): string {
    return objectPath(namespace, "gateways", name);
}

/** Where the API server says that it knows the Gateway API's kinds. */
export const GROUP_PATH = `/apis/${ROUTE_API_VERSION}`;

function objectPath(namespace: string, plural: string, name: string): string {
    return `${GROUP_PATH}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}
