import { isSteady, type Problem } from "./problems";
import type { GateTarget } from "./spec";
import { currentPods, isFinal, problemsOf, type SideState } from "./target";

/** What preview says about a move of the route. */
export interface Forecast {
    kind: "ok" | "doubtful" | "hopeless";
    message: string;
}

/**
 * Says what `up` will do to the target before the route moves, and whether that can work. Hopeless is
 * only what this `up` cannot cure: pods that fail now, of an image and environment that it keeps.
 * `state` is undefined where the Deployment does not exist yet.
 */
export function forecast(
    state: SideState | undefined,
    target: GateTarget,
    deadlineSeconds: number,
): Forecast {
    const { label, neededReady } = target;
    if (state === undefined) return ok(`${label} 0 → ${neededReady}, then the route`);

    const ready = currentPods(state).filter((pod) => isSteady(pod, state.now)).length;
    if (ready >= neededReady) {
        return ok(
            changesTemplate(state, target) === true
                ? `${label} gets its new pods, then the route`
                : `${label} has ${ready} ready pods (needs ${neededReady}), then the route`,
        );
    }
    const growth = `${label} ${ready} → ${neededReady}, then the route`;
    const failure = problemsOf(state, deadlineSeconds).find((problem) => fails(problem, state.now));
    if (failure === undefined) return ok(growth);
    const doomed = `${label} has ${ready} of ${neededReady} ready pods: ${failure.text}`;
    switch (changesTemplate(state, target)) {
        case true:
            return ok(`${growth} (failing now, and replaced by this update: ${failure.text})`);
        case false:
            return { kind: "hopeless", message: doomed };
        case undefined:
            return { kind: "doubtful", message: doomed };
    }
}

/** A failure of what runs in the pod; what keeps pods from being made or placed may be cured around it. */
function fails(problem: Problem, now: number): boolean {
    switch (problem.kind) {
        case "image":
        case "crash":
            return true;
        case "unready":
            return isFinal(problem, now, new Map());
        case "config":
        case "unschedulable":
        case "zero":
        case "refused":
        case "stalled":
            return false;
    }
}

/** Whether this `up` changes what runs in the target's pods; undefined when the spec does not say. */
function changesTemplate({ deployment }: SideState, target: GateTarget): boolean | undefined {
    if (target.image === undefined) return undefined;
    const containers = deployment.spec.template.spec.containers;
    const running = containers.find(({ image }) => image === target.image);
    if (running === undefined) return true;
    const env = new Map(running.env?.map(({ name, value }) => [name, value]));
    return Object.entries(target.env ?? {}).some(([name, value]) => env.get(name) !== value);
}

function ok(message: string): Forecast {
    return { kind: "ok", message };
}
