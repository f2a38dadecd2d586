import {
    forbiddenTransitions,
    plan,
    type Desired,
    type Plan,
    type Side,
    type SidePlan,
    type State,
} from "../../components/plan";
import type { Violation } from "../../components/validation/violation";
import type { Labels } from "./cluster";

/**
 * What keeps traffic served, each rule by itself, so that a test can take one away and see what it
 * is for.
 */
export interface Rules {
    plan(previous: State | undefined, desired: Desired): Plan;
    /** What a running stack must not become. */
    transitions(previous: State | undefined, desired: Desired): Violation[];
    order(order: Plan["order"]): Plan["order"];
    /** Whether grow, route and shrink depend on each other. */
    edges: boolean;
    /** Whether the route's hooks wait for what it is to select. */
    gate: boolean;
    /** What the route says of the sides behind it; it changes with that, so that its hooks run. */
    serves(plan: Plan, sides: readonly Side[]): string;
    /** The ready pods that the gate asks of a side, and whether those of older templates count. */
    needs(plan: Plan, side: SidePlan): { pods: number; anyTemplate: boolean };
    /** Where outputs come from: with `constants` an `up` that failed writes them too. */
    outputs: "route" | "constants";
    patchForce: boolean;
    retainOnDelete: boolean;
    /** Which Deployments Pulumi itself waits for. */
    awaits: { live: boolean; idle: boolean; router: boolean };
    routeUrn(desired: Desired): string;
    upsert: boolean;
    isolatedNames: boolean;
    selector(selector: Labels, release: string): Labels;
    /** Whether a killed `up` is followed by a refresh. */
    refreshAfterKill: boolean;
}

/** The rules as they are. */
export const RULES: Rules = {
    plan,
    transitions: forbiddenTransitions,
    order: (order) => order,
    edges: true,
    gate: true,
    serves: ({ sides, route }, behind) =>
        sides
            .filter(({ side }) => behind.includes(side))
            .map(({ side, release, size }) =>
                [side, route.weights[side], release, size.replicas].join(" "),
            )
            .join("; "),
    needs: ({ order }, { side, size }) =>
        order.afterRoute.includes(side)
            ? { pods: 1, anyTemplate: true }
            : { pods: size.replicas, anyTemplate: false },
    outputs: "route",
    patchForce: true,
    retainOnDelete: false,
    awaits: { live: false, idle: false, router: true },
    routeUrn: ({ name }) => `Service::${name}`,
    upsert: false,
    isolatedNames: true,
    selector: (selector) => selector,
    refreshAfterKill: true,
};
