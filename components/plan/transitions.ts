import type { Violation } from "../validation/violation";
import { goTogether } from "./choices";
import { Routing, type Desired, type State } from "./types";

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
    {
        property: "servicePort",
        path: "servicePort",
        why: "as its clients would lose it; for a second port, add a Service of your own in front of the same pods",
    },
] as const;

/** The three choices of which a running stack may change one at a time. */
const CHOICES = ["strategy", "routing", "isolation"] as const;

/** Changes that a running stack must not make, compared with its last outputs. */
export function forbiddenTransitions(previous: State | undefined, desired: Desired): Violation[] {
    if (previous === undefined) return [];
    const fixed = FIXED.filter(({ property }) => previous[property] !== desired[property]).map(
        ({ property, path, why }) => ({
            path,
            got: JSON.stringify(desired[property]),
            expected: `${JSON.stringify(previous[property])}, which this stack runs with, ${why}`,
        }),
    );
    return [...fixed, ...choiceTransitions(previous, desired)];
}

function choiceTransitions(previous: State, desired: Desired): Violation[] {
    const changed = CHOICES.filter((choice) => previous[choice] !== desired[choice]);
    const refused = (path: (typeof CHOICES)[number], why: string): Violation => ({
        path,
        got: JSON.stringify(desired[path]),
        expected: `${JSON.stringify(previous[path])}, which this stack runs with, ${why}`,
    });
    // What is valid with the rest as it is goes first; the others wait for it.
    const first =
        changed.find((choice) => goTogether({ ...previous, [choice]: desired[choice] })) ??
        changed[0];
    if (first === undefined) return [];
    const others = changed.filter((choice) => choice !== first);
    if (others.length > 0) {
        return others.map((choice) =>
            refused(
                choice,
                `until ${first} has changed: one of ${CHOICES.join(", ")} at a time, each with an update of its own`,
            ),
        );
    }
    return gatewayTransitions(previous, desired).map((why) => refused(first, why));
}

/** A Gateway is a door of its own: what comes in there finds nothing while its route is changed. */
function gatewayTransitions(previous: State, desired: Desired): string[] {
    const from = previous.routing === Routing.gateway;
    const to = desired.routing === Routing.gateway;
    if (!from && !to) return [];
    if (from && !to) {
        return [
            "as its HTTPRoute would go while clients still come through the Gateway; move them to the public Service, destroy this stack and bring it up without the Gateway",
        ];
    }
    if (!from && previous.routing === Routing.nginx) {
        return [
            'as that change was never tried; change routing to "service" first, then to "gateway"',
        ];
    }
    if (from && previous.isolation !== desired.isolation) {
        return [
            "as that change was never tried with a Gateway; bring up a second stack with the other isolation and move the clients to it",
        ];
    }
    return [];
}
