import { notesOf } from "./notes";
import { orderOf } from "./order";
import { idleSize, liveSize, ownedByAutoscaler, seedReplicas } from "./sizes";
import { stateOf } from "./state";
import { Color, type Desired, type Plan, type SidePlan, type State } from "./types";

export { parseState } from "./state";
export { forbiddenTransitions } from "./transitions";
export * from "./types";

/**
 * Decides what exists after this `up`, how large it is and in which order it gets there, from what
 * the stack ran with last and what is wanted now. `desired` must have passed `rules`.
 */
export function plan(previous: State | undefined, desired: Desired): Plan {
    const sides = colorsOf(previous, desired);
    const route = { target: desired.activeColor, from: selectedBy(previous) };
    const order = orderOf(sides, previous);
    return {
        sides,
        route,
        order,
        notes: notesOf(sides, route, order, previous),
        state: stateOf(desired, sides),
    };
}

function colorsOf(previous: State | undefined, desired: Desired): SidePlan[] {
    return Object.values(Color).flatMap((side) => {
        const release = desired.colors[side];
        if (release === undefined) return [];
        const live = side === desired.activeColor;
        const size = live ? liveSize(desired) : idleSize(desired);
        const before = previous?.sides[side];
        return [
            {
                side,
                deployment: `${desired.name}-${side}`,
                release,
                weight: live ? 100 : 0,
                size,
                seed: seedReplicas(size, before),
                ignoreReplicas: ownedByAutoscaler(size, before),
            },
        ];
    });
}

/** The side that the route selects now: the one with all, or most, of the traffic. */
function selectedBy(previous: State | undefined): Color | undefined {
    const [most] = Object.values(Color)
        .filter((side) => (previous?.weights[side] ?? 0) > 0)
        .sort((a, b) => (previous?.weights[b] ?? 0) - (previous?.weights[a] ?? 0));
    return most;
}
