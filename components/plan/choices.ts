import { Isolation, Routing, Strategy } from "./types";

/** The three choices that make a set-up. */
export interface Choices {
    strategy: Strategy;
    routing: Routing;
    isolation: Isolation;
}

/** The routings of each strategy. */
export const ROUTINGS: Readonly<Record<Strategy, readonly Routing[]>> = {
    rolling: [Routing.service],
    blueGreen: [Routing.service, Routing.nginx, Routing.gateway],
    canary: [Routing.service, Routing.nginx, Routing.gateway],
};

/** Whether the three go together: only the colors of a pair that something else splits can be apart. */
export function goTogether({ strategy, routing, isolation }: Choices): boolean {
    const apart = isolation === Isolation.namespaces;
    return (
        ROUTINGS[strategy].includes(routing) &&
        (!apart || (strategy === Strategy.blueGreen && routing !== Routing.service))
    );
}
