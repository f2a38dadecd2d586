import { strategySelector, sideSelector, STRATEGY_LABEL } from "../../components/labels";
import {
    deploymentName,
    sideNamespace,
    type Desired,
    type Plan,
    type Side,
    type SidePlan,
} from "../../components/plan";
import { splitsByPods } from "../../components/plan/weights";
import type { Cluster, DeploymentSpec, Labels, Shares } from "./cluster";
import type { Declared } from "./engine";
import type { Rules } from "./rules";

/** A release whose pods never get ready. */
export const BROKEN = "broken";

/** Pods of a router. */
const ROUTER_REPLICAS = 2;

export const keyOf = (namespace: string, kind: string, name: string) =>
    `${namespace}/${kind}/${name}`;

export function sideKey(desired: Pick<Desired, "name" | "namespace" | "isolation">, side: Side) {
    return keyOf(sideNamespace(desired, side), "Deployment", deploymentName(desired.name, side));
}

export function serviceKey({ namespace, serviceName }: Desired): string {
    return keyOf(namespace, "Service", serviceName);
}

export function routeKey({ namespace, serviceName }: Desired): string {
    return keyOf(namespace, "HTTPRoute", serviceName);
}

/** Where the traffic goes by a plan, and how many ready pods each side needs for it. */
export interface Intent {
    routing: Desired["routing"];
    shares: Shares;
    needs: Readonly<Record<string, number>>;
}

export function intentOf(plan: Plan, desired: Desired): Intent {
    const live = plan.sides.filter(({ side }) => (plan.route.weights[side] ?? 0) > 0);
    return {
        routing: desired.routing,
        shares: Object.fromEntries(
            live.map(({ side }) => [sideKey(desired, side), plan.route.weights[side] ?? 0]),
        ),
        needs: Object.fromEntries(
            live.map(({ side, size }) => [sideKey(desired, side), size.replicas]),
        ),
    };
}

/**
 * The resources that the components register for a plan, with the edges, hooks and options that
 * decide over availability. A test holds it against what they really register. `moved` is called once
 * all that decides where traffic goes is done, with whether anything of it had to change.
 */
export function programOf(
    plan: Plan,
    desired: Desired,
    { cluster, rules, moved }: Surroundings,
): Declared[] {
    const order = rules.order(plan.order);
    const declare = (sides: readonly Side[], dependsOn: readonly string[]) =>
        plan.sides
            .filter(({ side }) => sides.includes(side))
            .flatMap((side) => workload(side, desired, rules, dependsOn));
    const grown = declare(order.beforeRoute, []);
    const routes = routesOf(plan, desired, { cluster, rules }, grown);
    const left = new Set(routes.map(({ urn }) => urn));
    let changed = false;
    for (const route of routes) {
        route.over = (what) => {
            left.delete(route.urn);
            changed ||= what === "changed";
            if (left.size === 0) moved(changed);
        };
    }
    const urns = routes.map(({ urn }) => urn);
    return [...grown, ...routes, ...declare(order.afterRoute, rules.edges ? urns : [])];
}

interface Surroundings {
    cluster: Cluster;
    rules: Rules;
    moved: (changed: boolean) => void;
}

function workload(
    found: SidePlan,
    desired: Desired,
    rules: Rules,
    dependsOn: readonly string[],
): Declared[] {
    const { side } = found;
    const urn = `Deployment::${logicalName(desired, side, rules)}`;
    const key = sideKey(desired, side);
    const selector = rules.selector(sideSelector(desired.name, side), found.release);
    const deployment: Declared = {
        urn,
        key,
        dependsOn,
        spec: {
            kind: "Deployment",
            labels: { ...selector, ...strategyLabel(desired) },
            selector,
            template: found.release,
            broken: found.release === BROKEN,
            replicas: found.seed,
            maxUnavailable: 0,
        },
        ignoreReplicas: found.ignoreReplicas,
        patchForce: rules.patchForce,
        awaited: found.share > 0 ? rules.awaits.live : rules.awaits.idle,
        retainOnDelete: rules.retainOnDelete,
    };
    if (found.size.bounds === undefined) return [deployment];
    const { minReplicas: min, maxReplicas: max } = found.size.bounds;
    const autoscaler: Declared = {
        urn: `Autoscaler::${logicalName(desired, side, rules)}`,
        key: keyOf(found.namespace, "Autoscaler", `${found.deployment}-hpa`),
        dependsOn: [...dependsOn, urn],
        spec: { kind: "Autoscaler", target: key, min, max },
    };
    return [deployment, autoscaler];
}

function logicalName(desired: Desired, side: Side, rules: Rules): string {
    const own = deploymentName(desired.name, side);
    return desired.isolation === "namespaces" && rules.isolatedNames ? `${own}-isolated` : own;
}

function strategyLabel({ strategy }: Desired): Labels {
    return strategy === "canary" ? { [STRATEGY_LABEL]: strategy } : {};
}

function routesOf(
    plan: Plan,
    desired: Desired,
    { cluster, rules }: Pick<Surroundings, "cluster" | "rules">,
    grown: readonly Declared[],
): Declared[] {
    const { live } = plan.route;
    const { shares } = intentOf(plan, desired);
    const dependsOn = rules.edges ? grown.map(({ urn }) => urn) : [];
    const gate = (sides: readonly Side[]) => () =>
        rules.gate ? unready(plan, desired, { cluster, rules }, sides) : undefined;
    const service = (selector: Labels, serves: string): Declared => ({
        urn: rules.routeUrn(desired),
        key: serviceKey(desired),
        spec: { kind: "Service", selector, serves },
        dependsOn,
    });
    const behind = splitsByPods(desired) ? live : live.slice(0, 1);
    const direct = () => ({
        ...service(selectorOf(plan, desired), rules.serves(plan, behind)),
        before: gate(behind),
    });
    switch (desired.routing) {
        case "service":
            return [direct()];
        case "gateway": {
            const serves = rules.serves(plan, live);
            const spec = { kind: "HTTPRoute" as const, shares, serves };
            const key = routeKey(desired);
            const route = {
                urn: `HTTPRoute::${desired.name}`,
                key,
                spec,
                dependsOn,
                before: gate(live),
            };
            const first = rules.edges ? [route.urn] : [];
            return [route, { ...direct(), dependsOn: [...dependsOn, ...first] }];
        }
        case "nginx": {
            const key = keyOf(desired.namespace, "Deployment", "nginx-load-balancer");
            const labels = { app: "nginx-load-balancer" };
            const router: Declared = {
                urn: `Deployment::${desired.name}-router`,
                key,
                dependsOn,
                spec: {
                    kind: "Deployment",
                    labels,
                    selector: labels,
                    template: JSON.stringify([shares, rules.serves(plan, live)]),
                    broken: false,
                    replicas: ROUTER_REPLICAS,
                    maxUnavailable: 0,
                    shares,
                },
                awaited: rules.awaits.router,
                before: gate(live),
            };
            const front = service(labels, `router ${(router.spec as DeploymentSpec).template}`);
            const rolled = () => (rules.gate ? oldRouters(cluster, key) : undefined);
            return [router, { ...front, dependsOn: [router.urn], before: rolled }];
        }
    }
}

function selectorOf({ route }: Plan, desired: Desired): Labels {
    const [most] = route.live;
    return splitsByPods(desired) || most === undefined
        ? strategySelector(desired.name, desired.strategy)
        : sideSelector(desired.name, most);
}

/** The gate: waits for the sides that get traffic; what is missing at its deadline. */
function unready(
    plan: Plan,
    desired: Desired,
    { cluster, rules }: Pick<Surroundings, "cluster" | "rules">,
    sides: readonly Side[],
): string | undefined {
    cluster.settle();
    for (const found of plan.sides.filter(({ side }) => sides.includes(side))) {
        const key = sideKey(desired, found.side);
        const { pods, anyTemplate } = rules.needs(plan, found);
        const ready = anyTemplate ? cluster.ready(key) : cluster.current(key);
        if (ready >= pods) continue;
        const wanted = (cluster.specs.get(key) as DeploymentSpec | undefined)?.replicas;
        return `the gate: ${found.side} has ${ready} of ${pods} ready pods, scaled to ${wanted}`;
    }
    return undefined;
}

/** The gate of the Service in front of a router: no pod with older shares may be left. */
function oldRouters(cluster: Cluster, key: string): string | undefined {
    cluster.settle();
    const ready = cluster.current(key);
    return ready >= ROUTER_REPLICAS && ready === cluster.ready(key)
        ? undefined
        : "the gate: the router has older pods";
}
