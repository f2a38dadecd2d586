import type { EndpointSlice, Pod } from "./reader";
import { isReady } from "./problems";

export interface EndpointsVerdict {
    /** Names of the pods that get the route's traffic. */
    serving: string[];
    /** Undefined when they are exactly the target's ready pods, and at least one. */
    because?: string;
}

/** Compares who gets the route's traffic with who should: the ready ones of `pods`. */
export function judgeEndpoints(slices: EndpointSlice[], pods: Pod[]): EndpointsVerdict {
    const serving = servingPods(slices);
    const targets = new Set(pods.map(({ metadata }) => metadata.name));
    const ready = pods.filter(isReady).map(({ metadata }) => metadata.name);
    const strangers = serving.filter((name) => !targets.has(name));
    const missing = ready.filter((name) => !serving.includes(name));
    // A pod that just stopped being ready leaves the endpoints in a moment.
    const gone = serving.filter((name) => targets.has(name) && !ready.includes(name));

    if (serving.length === 0) return { serving, because: "the Service has no endpoint" };
    if (strangers.length > 0) {
        return {
            serving,
            because: `pods of another side still get traffic: ${strangers.join(", ")}`,
        };
    }
    if (missing.length > 0) {
        return { serving, because: `ready pods do not get traffic yet: ${missing.join(", ")}` };
    }
    if (gone.length > 0) {
        return { serving, because: `pods that are not ready get traffic: ${gone.join(", ")}` };
    }
    return { serving };
}

function servingPods(slices: EndpointSlice[]): string[] {
    const names = slices
        .flatMap(({ endpoints }) => endpoints ?? [])
        // The API defines a missing condition as ready.
        .filter(({ conditions }) => conditions?.ready !== false && conditions?.terminating !== true)
        .map(({ targetRef, addresses }) => targetRef?.name ?? addresses.join(","));
    // Dual-stack Services have one slice per address family.
    return [...new Set(names)].sort();
}
