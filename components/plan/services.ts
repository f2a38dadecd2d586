import { deploymentName } from "./places";
import { Routing, SIDES_OF, type Desired } from "./types";

/** Whether each side has a Service of its own, because something other than a selector splits. */
export function hasSideServices({ routing }: Pick<Desired, "routing">): boolean {
    return routing !== Routing.service;
}

/** The names of the sides' own Services, where they have any. */
export function sideServiceNames({ name, strategy }: Pick<Desired, "name" | "strategy">): string[] {
    return SIDES_OF[strategy].map((side) => deploymentName(name, side));
}
