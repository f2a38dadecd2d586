import { deploymentName } from "./places";
import { SIDES_OF, Strategy, type Desired, type Side } from "./types";

/**
 * The names of the sides' own Services: of every pair, whatever its routing, for a router that is taken
 * away goes on using them while it drains.
 */
export function sideServiceNames({ name, strategy }: Pick<Desired, "name" | "strategy">): string[] {
    if (strategy === Strategy.rolling) return [];
    return SIDES_OF[strategy].map((side) => deploymentName(name, side));
}

/**
 * Whether a side has a Service of its own. One whose name the public Service has, as in the guide's
 * canary set-up, has none as long as nothing but a selector routes.
 */
export function hasSideService(
    desired: Pick<Desired, "name" | "strategy" | "serviceName">,
    side: Side,
): boolean {
    const own = deploymentName(desired.name, side);
    return sideServiceNames(desired).includes(own) && own !== desired.serviceName;
}
