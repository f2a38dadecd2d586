import { GATEWAY_GROUP, WEIGHT_PER_PERCENT } from "./defaults";
import type { GatewayBackend, GatewaySettings } from "./settings";

interface BackendRef {
    name: string;
    namespace: string;
    port: number;
    weight: number;
}

interface Rule {
    matches?: { headers: { name: string; value: string }[] }[];
    backendRefs: BackendRef[];
    timeouts?: { request?: string; backendRequest?: string };
}

/** The `spec` of an HTTPRoute. */
export interface RouteSpec {
    parentRefs: { name: string; namespace: string; sectionName?: string }[];
    hostnames?: string[];
    rules: Rule[];
}

/**
 * The `spec` of the route. It is the same whatever the order of `backends`, so that an order that means
 * nothing is no change. One with weight 0 stays in it: its Service and grant are then looked at by the
 * controller before it gets any traffic, and a change of weights is nothing but that.
 */
export function routeSpec(
    namespace: string,
    backends: readonly GatewayBackend[],
    settings: GatewaySettings,
): RouteSpec {
    const { parent, hostnames, previewHeader } = settings;
    const sorted = [...backends].sort(byName);
    const timeouts = timeoutsOf(settings);
    const previewed =
        previewHeader === undefined
            ? []
            : sorted.flatMap((backend): Rule[] => {
                  if (backend.side === undefined) return [];
                  const headers = [{ name: previewHeader, value: backend.side }];
                  const backendRefs = [refOf({ ...backend, weight: 100 })];
                  return [{ matches: [{ headers }], backendRefs, ...timeouts }];
              });
    const { name, sectionName } = parent;
    return {
        parentRefs: [
            {
                name,
                namespace: parent.namespace ?? namespace,
                ...(sectionName !== undefined && { sectionName }),
            },
        ],
        ...(hostnames !== undefined && { hostnames }),
        rules: [...previewed, { backendRefs: sorted.map(refOf), ...timeouts }],
    };
}

/** The `spec` of the ReferenceGrant in each namespace that is not the route's own, by that namespace. */
export function grantSpecs(
    namespace: string,
    backends: readonly GatewayBackend[],
): Map<string, { from: object[]; to: object[] }> {
    const elsewhere = [...backends]
        .sort(byName)
        .filter((backend) => backend.namespace !== namespace);
    const from = [{ group: GATEWAY_GROUP, kind: "HTTPRoute", namespace }];
    return new Map(
        [...new Set(elsewhere.map((backend) => backend.namespace))].map((owner) => {
            const services = elsewhere.filter((backend) => backend.namespace === owner);
            const to = services.map(({ service }) => ({
                group: "",
                kind: "Service",
                name: service,
            }));
            return [owner, { from, to }];
        }),
    );
}

function refOf({ service, namespace, port, weight }: GatewayBackend): BackendRef {
    return { name: service, namespace, port, weight: Math.round(weight * WEIGHT_PER_PERCENT) };
}

function byName(a: GatewayBackend, b: GatewayBackend): number {
    const key = ({ namespace, service }: GatewayBackend) => `${namespace}/${service}`;
    return key(a) < key(b) ? -1 : 1;
}

function timeoutsOf(settings: GatewaySettings): Pick<Rule, "timeouts"> {
    const { requestTimeoutSeconds: request, backendTimeoutSeconds: backend } = settings;
    if (request === undefined && backend === undefined) return {};
    return {
        timeouts: {
            ...(request !== undefined && { request: duration(request) }),
            ...(backend !== undefined && { backendRequest: duration(backend) }),
        },
    };
}

/** As the Gateway API writes durations: `2s`, `500ms`, `1s500ms`. */
function duration(seconds: number): string {
    const milliseconds = Math.round(seconds * 1000);
    const [whole, rest] = [Math.floor(milliseconds / 1000), milliseconds % 1000];
    return `${whole > 0 ? `${whole}s` : ""}${rest > 0 ? `${rest}ms` : ""}`;
}
