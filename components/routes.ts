import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import { routeHooks } from "./gate";
import { gateOfRouter, gateOfSides } from "./gates";
import { CLUSTER_DOMAIN } from "./defaults";
import { appLabels, sideSelector, strategySelector } from "./labels";
import { sideServiceName } from "./names";
import { sideNamespace } from "./plan";
import { Color, Isolation, Routing, Strategy, Track } from "./plan/types";
import type { Desired, Plan, Side } from "./plan/types";
import { splitsByPods } from "./plan/weights";
import { Route } from "./route";
import type { StrategyArgs } from "./strategy";
import type { Workload } from "./workload";

/** What the component of a strategy is made from. */
export interface StrategyInputs {
    name: string;
    args: StrategyArgs;
    desired: Desired;
    opts: pulumi.ComponentResourceOptions | undefined;
}

interface RouteInputs extends StrategyInputs {
    decided: Plan;
    /** The workloads that get traffic, or keep some. */
    grown: readonly Workload[];
    /** Of each side's pods, whether it grows or shrinks. */
    fingerprints: ReadonlyMap<Side, pulumi.Output<string>>;
    /** Each side's own Service, where it has one. */
    services: ReadonlyMap<Side, Service>;
}

/** The public Service, and whatever else decides where the traffic goes. */
export interface Routes {
    service: Service;
    url: pulumi.Output<string>;
    /** All that must have moved before a side that lost traffic may shrink. */
    moved: pulumi.Input<pulumi.Resource>[];
}

/** Declares the route: the public Service alone, with a router behind it, or beside an HTTPRoute. */
export function declareRoutes(inputs: RouteInputs): Routes {
    switch (inputs.desired.routing) {
        case Routing.service:
            return throughService(inputs);
        case Routing.nginx:
            return throughRouter(inputs);
        case Routing.gateway:
            return throughGateway(inputs);
    }
}

/** The Service moves after what is in `first` has moved. */
function throughService(inputs: RouteInputs, first: pulumi.Input<pulumi.Resource>[] = []): Routes {
    const { decided, args, desired, grown } = inputs;
    const selector = routeSelector(decided, desired);
    const sides = splitsByPods(desired) ? decided.route.live : decided.route.live.slice(0, 1);
    const route = publicService(inputs, {
        selector,
        targetPort: desired.port,
        serves: servesOf(inputs, sides),
        gate: gateOfSides(
            { decided, args, desired },
            {
                name: desired.serviceName,
                // Pods in other namespaces are no endpoints.
                selector: desired.isolation === Isolation.shared ? selector : undefined,
                sides,
            },
        ),
        dependsOn: [...resourcesOf(grown), ...first],
    });
    return { service: route.service, url: route.url, moved: [...first, route.service] };
}

/**
 * The router's new pods carry the new shares, so its Deployment is what moves the traffic, and has the
 * gate for the sides. The Service behind it waits until no pod with the old shares is left.
 */
function throughRouter(inputs: RouteInputs): Routes {
    const { name, args, desired, decided, grown, opts } = inputs;
    const { live } = decided.route;
    const routerName = `${name}-router`;
    const router = new (loadRouter().Router)(
        routerName,
        {
            app: desired.name,
            namespace: desired.namespace,
            backends: backendsOf(inputs),
            settings: args.router,
            serviceType: args.serviceType,
            labels: args.api?.labels,
            imagePullSecrets: args.api?.imagePullSecrets,
            serves: servesOf(inputs, live),
            hooks: routeHooks(
                routerName,
                gateOfSides(
                    { decided, args, desired },
                    { name: args.router?.name ?? "the router", sides: live },
                ),
            ),
        },
        pulumi.mergeOptions(besideOptions(opts), {
            dependsOn: [...resourcesOf(grown), ...inputs.services.values()],
        }),
    );
    const route = publicService(inputs, {
        selector: router.selector,
        targetPort: router.port,
        externalTrafficPolicy: args.router?.externalTrafficPolicy,
        serves: pulumi.interpolate`router ${router.fingerprint}`,
        gate: gateOfRouter(
            { decided, args, desired },
            {
                deployment: router.name,
                selector: router.selector,
                replicas: router.replicas,
            },
        ),
        dependsOn: [router.deployment],
    });
    return { service: route.service, url: route.url, moved: [router.deployment, route.service] };
}

/* eslint-disable @typescript-eslint/no-require-imports -- a program loads what its routing needs, and no
   more: each preview would pay for it */
function loadRouter(): typeof import("./router") {
    return require("./router") as typeof import("./router");
}

function loadGateway(): typeof import("./gateway") {
    return require("./gateway") as typeof import("./gateway");
}
/* eslint-enable @typescript-eslint/no-require-imports */

/**
 * What comes through the Gateway is split. What stays inside the cluster goes to the largest side, once
 * the Gateway has followed; with colors in namespaces of their own the public Service has no pods, for
 * its selector cannot reach them.
 */
function throughGateway(inputs: RouteInputs): Routes {
    const { name, args, desired, decided, grown, opts } = inputs;
    const { gateway } = args;
    if (gateway === undefined) throw new Error("routing gateway without its settings");
    const { live } = decided.route;
    const route = new (loadGateway().GatewayRoute)(
        `${name}-gateway`,
        {
            namespace: desired.namespace,
            routeName: desired.serviceName,
            settings: gateway,
            backends: decided.sides.map(({ side, share }) => ({
                side,
                service: sideServiceName(desired, side),
                namespace: sideNamespace(desired, side),
                port: desired.servicePort,
                weight: share,
            })),
            labels: {
                ...appLabels(desired.name, desired.namespace, args.api?.labels),
                "app.kubernetes.io/instance": desired.serviceName,
            },
            serves: servesOf(inputs, live),
            hooks: routeHooks(
                `${name}-gateway`,
                gateOfSides({ decided, args, desired }, { name: desired.serviceName, sides: live }),
            ),
            cluster: args.cluster,
        },
        pulumi.mergeOptions(besideOptions(opts), {
            dependsOn: [...resourcesOf(grown), ...inputs.services.values()],
        }),
    );
    const inside = throughService(inputs, [route.accepted]);
    const host = gateway.hostnames?.find((name) => !name.startsWith("*"));
    return host === undefined ? inside : { ...inside, url: pulumi.output(`http://${host}`) };
}

function publicService(
    { name, args, desired, opts }: RouteInputs,
    route: Pick<
        ConstructorParameters<typeof Route>[1],
        "selector" | "targetPort" | "externalTrafficPolicy" | "serves" | "gate"
    > & { dependsOn: pulumi.Input<pulumi.Resource>[] },
): Route {
    const { dependsOn, ...rest } = route;
    return new Route(
        name,
        {
            ...rest,
            namespace: desired.namespace,
            serviceName: desired.serviceName,
            port: desired.servicePort,
            type: args.serviceType,
            nodePort: args.nodePort,
            labels: {
                ...appLabels(desired.name, desired.namespace, args.api?.labels),
                "app.kubernetes.io/instance": desired.serviceName,
            },
        },
        pulumi.mergeOptions(besideOptions(opts), { dependsOn }),
    );
}

function backendsOf({ desired, decided }: RouteInputs) {
    const main = mainSide(desired);
    return decided.sides.map(({ side, share, release }) => ({
        side,
        host: `${sideServiceName(desired, side)}.${sideNamespace(desired, side)}.svc.${CLUSTER_DOMAIN}`,
        port: desired.servicePort,
        weight: share,
        main: side === main,
        // Another release on a side without a share must not replace the router's pods.
        release: share > 0 ? release : undefined,
    }));
}

/** The side that has what the other one does not get. */
function mainSide({ strategy, activeColor }: Desired): Side {
    return strategy === Strategy.canary ? Track.stable : Color[activeColor];
}

/** The pods behind the public Service: those of one side, or of both tracks of a pair. */
function routeSelector({ route }: Plan, desired: Desired): Record<string, string> {
    const [most] = route.live;
    return splitsByPods(desired) || most === undefined
        ? strategySelector(desired.name, desired.strategy)
        : sideSelector(desired.name, most);
}

function resourcesOf(workloads: readonly Workload[]): pulumi.Resource[] {
    return workloads.flatMap(({ resources }) => resources);
}

/** The live releases, the pods they need and their templates: the gate waits when any of them changes. */
function servesOf(
    { decided: { route, sides }, fingerprints }: RouteInputs,
    live: readonly Side[],
): pulumi.Output<string> | undefined {
    const parts = sides
        .filter(({ side }) => live.includes(side))
        .map(({ side, release, size }) => {
            const share = live.length > 1 ? `${side} ${route.weights[side] ?? 0} %: ` : "";
            return pulumi.interpolate`${share}release ${release}, ${size.replicas} pods of template ${fingerprints.get(side)}`;
        });
    if (parts.length === 0) return undefined;
    return pulumi.all(parts).apply((texts) => texts.join("; "));
}

/**
 * Options of what belongs to the API but not to its strategy: beside the component, not below it. An
 * alias by name counts for all of them; one by type or URN is the component's alone.
 */
export function besideOptions(
    opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions {
    const { aliases, hooks: _hooks, urn: _urn, ...shared } = opts;
    const plain = Array.isArray(aliases) ? aliases : [];
    const byName = plain.filter(
        (alias): alias is pulumi.Alias =>
            typeof alias === "object" && "name" in alias && !("type" in alias),
    );
    return { ...shared, aliases: byName };
}
