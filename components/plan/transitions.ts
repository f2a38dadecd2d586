import type { Violation } from "../validation/violation";
import type { Desired, State } from "./types";

/** What a change of a property would do to a running stack, and the way there that loses nothing. */
const FIXED: Record<"name" | "namespace" | "serviceName", string> = {
    name: "as it is part of every selector; for a new name, bring up a second stack, move the clients to it and destroy this one",
    namespace:
        "as everything would be deleted and created anew; to move, bring up a second stack in the new namespace, move the clients to it and destroy this one",
    serviceName:
        "as its clients would lose it; for a second name, point a Service of type ExternalName at this one",
};

/** Changes that a running stack must not make, compared with its last outputs. */
export function forbiddenTransitions(previous: State | undefined, desired: Desired): Violation[] {
    if (previous === undefined) return [];
    return (["name", "namespace", "serviceName"] as const)
        .filter((property) => previous[property] !== desired[property])
        .map((property) => ({
            path: property,
            got: JSON.stringify(desired[property]),
            expected: `${JSON.stringify(previous[property])}, which this stack runs with, ${FIXED[property]}`,
        }));
}
