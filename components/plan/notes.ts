import { SIDES, type Plan, type RoutePlan, type Side, type SidePlan } from "./types";
import type { SideState, State } from "./types";

/**
 * What this `up` does, in the order in which it does it: "green 0 → 3, then the route blue → green,
 * then blue 3 → 0". Nothing when it changes nothing.
 */
export function notesOf(
    sides: readonly SidePlan[],
    route: RoutePlan,
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
    const moves = routeNotes(route);
    const steps = [...changed(order.beforeRoute), ...moves, ...changed(order.afterRoute), ...gone];
    return steps.length === 0 ? [] : [steps.join(", then "), ...shareNotes(sides)];
}

/** "the route blue → green", or with shares where more than one side gets some. */
function routeNotes({ weights, live, before }: RoutePlan): string[] {
    const was = SIDES.filter((side) => (before[side] ?? 0) > 0);
    const same = SIDES.every((side) => (before[side] ?? 0) === (weights[side] ?? 0));
    if (same) return [];
    const split = was.length > 1 || live.length > 1;
    const text = (names: readonly Side[], shares: RoutePlan["weights"]) =>
        names.map((side) => (split ? `${side} ${shares[side] ?? 0} %` : side)).join(" + ");
    const now = text(
        SIDES.filter((side) => live.includes(side)),
        weights,
    );
    return was.length === 0 ? [`the route to ${now}`] : [`the route ${text(was, before)} → ${now}`];
}

/** Pods cannot be halved: what a weight comes to is said where it is not what was asked for. */
function shareNotes(sides: readonly SidePlan[]): string[] {
    return sides
        .filter(({ side, weight, share }) => side === "canary" && weight !== share)
        .map(
            ({ weight, share, size }) =>
                `the canary gets ${share} % instead of ${weight} %: ${size.replicas} of ${total(sides)} pods`,
        );
}

function total(sides: readonly SidePlan[]): number {
    return sides.reduce((sum, { size }) => sum + size.replicas, 0);
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
