import type { RouteChange } from "./route-change";
import type { GateSide, GateSpec, GateTarget } from "./spec";
import type { SideState, Verdict } from "./target";

/** What the gate knows of one target when it has looked. */
export interface Judged {
    target: GateTarget;
    state: SideState | undefined;
    verdict: Verdict;
}

export function staysPut({ route, from }: GateSpec, { oldInputs }: RouteChange): string {
    if (oldInputs === undefined) return `${route} is not created`;
    return from.length > 0 ? `${route} stays on ${labels(from)}` : `${route} stays as it is`;
}

export function moveOf({ route, from, targets }: GateSpec, { oldInputs }: RouteChange): string {
    return oldInputs === undefined || from.length === 0 || labels(from) === labels(targets)
        ? `${route} → ${labels(targets)}`
        : `${route} ${labels(from)} → ${labels(targets)}`;
}

export function labels(sides: readonly GateSide[]): string {
    return sides.map(({ label }) => label).join(" + ");
}

/** Of each target that is not ready, how far it is; before the first look, of all. */
export function missing({ targets }: GateSpec, judged: readonly Judged[]): string {
    const unready = judged.filter(({ verdict }) => verdict.kind !== "ready");
    const parts =
        unready.length > 0
            ? unready.map(({ target, verdict }) => ({ target, ready: verdict.ready }))
            : targets.map((target) => ({ target, ready: 0 }));
    return parts
        .map(
            ({ target: { label, neededReady }, ready }) =>
                `${label} has ${ready} of ${neededReady} ready pods`,
        )
        .join(", ");
}
