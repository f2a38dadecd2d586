import { notesOf } from "./notes";
import { orderOf } from "./order";
import { deploymentName, sideNamespace } from "./places";
import { ownedByAutoscaler, seedReplicas, sizeOf } from "./sizes";
import { comparable, stateOf } from "./state";
import { SIDES, SIDES_OF, type Desired, type Plan } from "./types";
import type { RoutePlan, Side, SidePlan, State } from "./types";
import { askedWeights, podShares, splitsByPods } from "./weights";

export { deploymentName, sideNamespace } from "./places";
export { hasSideService } from "./services";
export { parseState } from "./state";
export { forbiddenTransitions } from "./transitions";
export * from "./types";

/**
 * Decides what exists after this `up`, how large it is and in which order it gets there, from what
 * the stack ran with last and what is wanted now. `desired` must have passed `rules`.
 */
export function plan(previous: State | undefined, desired: Desired): Plan {
    const sides = sidesOf(comparable(previous, desired), desired);
    const route = routeOf(previous, sides);
    const order = orderOf(sides, previous, desired);
    return {
        sides,
        route,
        order,
        notes: notesOf(sides, route, order, previous),
        state: stateOf(desired, sides),
    };
}

function sidesOf(previous: State | undefined, desired: Desired): SidePlan[] {
    const weights = askedWeights(desired);
    const shares = splitsByPods(desired)
        ? podShares(desired.replicas, desired.canaryWeight)
        : weights;
    return SIDES_OF[desired.strategy].flatMap((side) => {
        const release = desired.sides[side];
        if (release === undefined) return [];
        const weight = weights[side] ?? 0;
        const share = (shares as Partial<Record<Side, number>>)[side] ?? 0;
        const size = sizeOf(side, weight, desired);
        const before = previous?.sides[side];
        const keepsTraffic = (previous?.weights[side] ?? 0) > 0;
        return [
            {
                side,
                namespace: sideNamespace(desired, side),
                deployment: deploymentName(desired.name, side),
                release,
                weight,
                share,
                size,
                seed: seedReplicas(size, before),
                // What comes to traffic may be at 0, whatever the last outputs say: an `up` may have failed
                // between the route and the idle side.
                ignoreReplicas: (share === 0 || keepsTraffic) && ownedByAutoscaler(size, before),
            },
        ];
    });
}

function routeOf(previous: State | undefined, sides: readonly SidePlan[]): RoutePlan {
    const gets = sides.filter(({ share }) => share > 0).sort((a, b) => b.share - a.share);
    const before = SIDES.flatMap((side) => {
        const weight = previous?.weights[side] ?? 0;
        return weight > 0 ? [[side, weight] as const] : [];
    });
    return {
        weights: Object.fromEntries(gets.map(({ side, share }) => [side, share])),
        live: gets.map(({ side }) => side),
        before: Object.fromEntries(before),
    };
}
