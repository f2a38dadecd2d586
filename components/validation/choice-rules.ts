import { Isolation, Routing, Strategy } from "../plan/types";
import { ROUTINGS } from "../plan/choices";
import { sideServiceNames } from "../plan/services";
import type { Checked } from "./rules";
import { oneOf, show, type Violation } from "./violation";

/** The rows of the table of strategy, routing and isolation that can be run, and what follows from them. */
export function choiceRules(input: Checked): Violation[] {
    const unknown = [
        ...member("strategy", input.strategy, Object.values(Strategy)),
        ...member("routing", input.routing, Object.values(Routing)),
        ...member("isolation", input.isolation, Object.values(Isolation)),
    ];
    if (unknown.length > 0) return unknown;
    return [...combinationRules(input), ...serviceNameRules(input)];
}

function member(path: string, value: string | undefined, allowed: readonly string[]): Violation[] {
    if (value === undefined || allowed.includes(value)) return [];
    return [{ path, got: show(value), expected: oneOf(allowed) }];
}

function combinationRules({ strategy, routing, isolation }: Checked): Violation[] {
    if (strategy === undefined || routing === undefined) return [];
    const routings: readonly string[] = ROUTINGS[strategy as Strategy];
    if (!routings.includes(routing)) {
        const expected = `${oneOf(routings)} with strategy ${show(strategy)}`;
        return [{ path: "routing", got: show(routing), expected }];
    }
    if (isolation !== Isolation.namespaces) return [];
    if (strategy !== Strategy.blueGreen) {
        const expected = `"shared" with strategy ${show(strategy)}: only the colors of a "blueGreen" pair have a namespace each`;
        return [{ path: "isolation", got: show(isolation), expected }];
    }
    if (routing === Routing.service) {
        const expected = `"shared" with routing "service": a Service's selector cannot reach into another namespace; "nginx" and "gateway" can`;
        return [{ path: "isolation", got: show(isolation), expected }];
    }
    return [];
}

/** The public Service and those of the sides stand beside each other. */
function serviceNameRules(input: Checked): Violation[] {
    const { name, strategy, routing, isolation, serviceName } = input;
    if (name === undefined || strategy === undefined || routing === undefined) return [];
    // Where only a selector routes, a side can do without.
    if (isolation === Isolation.namespaces || routing === Routing.service) return [];
    const taken = sideServiceNames({ name, strategy: strategy as Strategy });
    if (serviceName === undefined || !taken.includes(serviceName)) return [];
    const expected = `another name than those of the sides' own Services with routing ${show(routing)}: ${oneOf(taken)}`;
    return [{ path: "serviceName", got: show(serviceName), expected }];
}
