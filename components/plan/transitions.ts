import type { Violation } from "../validation/violation";
import type { Desired, State } from "./types";

/** What must stay on a running stack: why, and how to get there without losing anything. */
const FIXED = [
    {
        property: "name",
        path: "name",
        why: "as it is part of every selector; for a new name, bring up a second stack, move the clients to it and destroy this one",
    },
    {
        property: "namespace",
        path: "namespace",
        why: "as everything would be deleted and created anew; to move, bring up a second stack in the new namespace, move the clients to it and destroy this one",
    },
    {
        property: "serviceName",
        path: "serviceName",
        why: "as its clients would lose it; for a second name, point a Service of type ExternalName at this one",
    },
    {
        property: "port",
        path: "api.port",
        why: "as the Service and the pods would disagree while they roll; for a new port, bring up a second stack, move the clients to it and destroy this one",
    },
] as const;

/** Changes that a running stack must not make, compared with its last outputs. */
export function forbiddenTransitions(previous: State | undefined, desired: Desired): Violation[] {
    if (previous === undefined) return [];
    return FIXED.filter(({ property }) => previous[property] !== desired[property]).map(
        ({ property, path, why }) => ({
            path,
            got: JSON.stringify(desired[property]),
            expected: `${JSON.stringify(previous[property])}, which this stack runs with, ${why}`,
        }),
    );
}
