import type { Side, SidePlan, SideState, Plan, State } from "./types";

/**
 * What this `up` does, in the order in which it does it: "green 0 → 3, then the route blue → green,
 * then blue 3 → 0". Nothing when it changes nothing.
 */
export function notesOf(
    sides: readonly SidePlan[],
    route: Plan["route"],
    order: Plan["order"],
    previous: State | undefined,
): string[] {
    const changed = (names: readonly Side[]) =>
        names.flatMap((name) => {
            const side = sides.find((candidate) => candidate.side === name);
            return side ? sideNotes(side, previous?.sides[name]) : [];
        });
    const gone = Object.keys(previous?.sides ?? {})
        .filter((name) => !sides.some(({ side }) => side === name))
        .map((name) => `${name} is removed`);
    const moves = route.from === route.target ? [] : [routeNote(route)];
    const steps = [...changed(order.beforeRoute), ...moves, ...changed(order.afterRoute), ...gone];
    return steps.length === 0 ? [] : [steps.join(", then ")];
}

function routeNote({ from, target }: Plan["route"]): string {
    return from === undefined ? `the route to ${target}` : `the route ${from} → ${target}`;
}

function sideNotes(side: SidePlan, before: SideState | undefined): string[] {
    const parts = [
        before && before.release !== side.release
            ? `${before.release} → ${side.release}`
            : undefined,
        sizeNote(side, before),
    ].filter((part) => part !== undefined);
    return parts.length === 0 ? [] : [`${side.side} ${parts.join(", ")}`];
}

function sizeNote({ size }: SidePlan, before: SideState | undefined): string | undefined {
    const now = sizeText(size.replicas, size.bounds?.maxReplicas);
    const then = before ? sizeText(before.replicas, before.maxReplicas) : "0";
    return now === then ? undefined : `${then} → ${now}`;
}

/** `3`, or `2–10` between an autoscaler's bounds. */
function sizeText(replicas: number, maxReplicas: number | undefined): string {
    return maxReplicas === undefined || maxReplicas === replicas
        ? String(replicas)
        : `${replicas}–${maxReplicas}`;
}
