import type { StrategyArgs } from "./strategy";
import * as defaults from "./defaults";
import type { GateSide, GateSpec, GateTarget } from "./gate";
import { sideSelector } from "./labels";
import { deploymentName, sideNamespace } from "./plan";
import { SIDES, type Desired, type Plan, type Side, type SidePlan, type State } from "./plan/types";

/** What the gates of one `up` have in common. */
interface GateInputs {
    decided: Plan;
    args: StrategyArgs;
    desired: Desired;
}

/** The gate in front of a route that sends traffic to the sides themselves. */
export function gateOfSides(
    { decided, args, desired }: GateInputs,
    route: { name: string; selector?: Record<string, string>; sides: readonly Side[] },
): GateSpec {
    const { before } = decided.route;
    const targets = decided.sides
        .filter(({ side }) => route.sides.includes(side))
        .sort((a, b) => b.share - a.share)
        .map((side) => targetOf(side, { decided, args, desired }));
    const stays = targets.every(({ gains }) => !gains) && sameSides(decided);
    const from = SIDES.filter((side) => (before[side] ?? 0) > 0);
    return {
        ...clusterOf(args),
        namespace: desired.namespace,
        route: route.name,
        targets,
        from: stays ? [] : from.map((side) => sideOf(side, args.previous ?? desired)),
        selector: route.selector,
    };
}

/** The gate in front of a Service whose pods are a router's. */
export function gateOfRouter(
    { args, desired }: GateInputs,
    router: { deployment: string; selector: Record<string, string>; replicas: number },
): GateSpec {
    const { deployment, selector, replicas: neededReady } = router;
    return {
        ...clusterOf(args),
        namespace: desired.namespace,
        route: desired.serviceName,
        targets: [
            {
                deployment,
                selector,
                neededReady,
                label: "the router",
                gains: false,
                exclusive: true,
                alone: changesSides(args.previous, desired),
            },
        ],
        from: [],
        selector,
    };
}

/** Whether the sides of before go, and with them the Services that a draining router still uses. */
function changesSides(previous: State | undefined, desired: Desired): boolean {
    return (
        previous !== undefined &&
        (previous.strategy !== desired.strategy || previous.isolation !== desired.isolation)
    );
}

function clusterOf({ cluster, gateDeadlineSeconds }: StrategyArgs) {
    return {
        context: cluster?.context,
        kubeconfig: cluster?.kubeconfig,
        deadlineSeconds: gateDeadlineSeconds ?? defaults.UP_DEADLINE_SECONDS,
    };
}

function targetOf(plan: SidePlan, { decided, args, desired }: GateInputs): GateTarget {
    const { side, share, size, release } = plan;
    // What shrinks has more than it needs, and is changed only after the route: nothing that is wrong
    // with it could ever be mended if the route waited for more than the pods that serve now.
    const shrinks = decided.order.afterRoute.includes(side);
    return {
        ...sideOf(side, desired),
        neededReady: shrinks ? 1 : size.replicas,
        anyTemplate: shrinks,
        image: args.releases[release]?.image,
        env: args.releases[release]?.env,
        gains: share > (decided.route.before[side] ?? 0),
    };
}

function sideOf(side: Side, where: Pick<State, "name" | "namespace"> & Place): GateSide {
    return {
        namespace: sideNamespace(where, side),
        deployment: deploymentName(where.name, side),
        selector: sideSelector(where.name, side),
        label: side,
    };
}

type Place = Parameters<typeof sideNamespace>[0];

/** Whether the same sides get traffic as before. */
function sameSides({ route: { before, weights } }: Plan): boolean {
    return SIDES.every((side) => (before[side] ?? 0) > 0 === (weights[side] ?? 0) > 0);
}
