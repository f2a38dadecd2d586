import { Isolation, Routing, SIDES, Strategy } from "./types";
import type { Desired, SidePlan, SideState, State } from "./types";

/** What the outputs remember of a plan that was carried out. */
export function stateOf(desired: Desired, sides: readonly SidePlan[]): State {
    const { name, namespace, serviceName, servicePort, port } = desired;
    const { strategy, routing, isolation } = desired;
    return {
        version: 1,
        name,
        namespace,
        serviceName,
        servicePort,
        port,
        strategy,
        routing,
        isolation,
        weights: Object.fromEntries(sides.map(({ side, share }) => [side, share])),
        sides: Object.fromEntries(sides.map((plan) => [plan.side, sideState(plan)])),
    };
}

function sideState({ release, size }: SidePlan): SideState {
    return size.bounds === undefined
        ? { release, replicas: size.replicas }
        : { release, replicas: size.replicas, maxReplicas: size.bounds.maxReplicas };
}

/** In other namespaces the sides of the same names are new ones: nothing of theirs is there yet. */
export function comparable(
    previous: State | undefined,
    { isolation }: Pick<Desired, "isolation">,
): State | undefined {
    return previous?.isolation === isolation ? previous : undefined;
}

/**
 * The state that a stack's last outputs hold, or `undefined` where they hold none, as before the
 * first `up`. Outputs can be written by another version of this code or by hand, so every part is
 * looked at.
 */
export function parseState(value: unknown): State | undefined {
    if (!isRecord(value) || value.version !== 1) return undefined;
    const { name, namespace, serviceName, servicePort, port } = value;
    const { strategy, routing, isolation } = value;
    if (
        typeof name !== "string" ||
        typeof namespace !== "string" ||
        typeof serviceName !== "string" ||
        typeof port !== "number" ||
        (servicePort !== undefined && typeof servicePort !== "number") ||
        !isOneOf(strategy, Strategy) ||
        !isOneOf(routing, Routing) ||
        !isOneOf(isolation, Isolation) ||
        !isRecord(value.weights) ||
        !isRecord(value.sides)
    ) {
        return undefined;
    }
    const weights: State["weights"] = {};
    const sides: State["sides"] = {};
    for (const side of SIDES) {
        const weight = value.weights[side];
        if (typeof weight === "number") weights[side] = weight;
        const state = parseSide(value.sides[side]);
        if (state) sides[side] = state;
    }
    return {
        version: 1,
        name,
        namespace,
        serviceName,
        servicePort: servicePort ?? port,
        port,
        strategy,
        routing,
        isolation,
        weights,
        sides,
    };
}

function parseSide(value: unknown): SideState | undefined {
    if (!isRecord(value)) return undefined;
    const { release, replicas, maxReplicas } = value;
    if (typeof release !== "string" || typeof replicas !== "number") return undefined;
    return typeof maxReplicas === "number"
        ? { release, replicas, maxReplicas }
        : { release, replicas };
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOneOf<T extends Record<string, string>>(value: unknown, of: T): value is T[keyof T] {
    return typeof value === "string" && Object.values(of).includes(value);
}
