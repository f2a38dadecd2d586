import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import { gateOfSides } from "./gates";
import { appLabels, sideSelector, STRATEGY_LABEL, strategySelector } from "./labels";
import { logicalName } from "./names";
import { plan } from "./plan";
import { Isolation, Strategy } from "./plan/types";
import type { Desired, Plan, Side, SidePlan, State } from "./plan/types";
import { splitsByPods } from "./plan/weights";
import { Releases } from "./releases";
import { Route } from "./route";
import { sideServices } from "./side-services";
import type { StrategyArgs } from "./strategy";
import { Workload, type WorkloadArgs } from "./workload";

/** What a strategy's component is made of. */
export interface Assembly {
    /** The public Service. */
    service: Service;
    /** Where the API is reached. */
    url: pulumi.Output<string>;
    /** Each side's own Service, where it has one. */
    sideServices: Map<Side, Service>;
    decided: Plan;
    /** Resolves once the route is where this `up` wants it. */
    state: pulumi.Output<State>;
}

interface Inputs {
    name: string;
    args: StrategyArgs;
    desired: Desired;
    opts: pulumi.ComponentResourceOptions | undefined;
}

/**
 * Declares the sides of an API and its route in the order of the plan: what grows, then the route,
 * then what shrinks. The same for every strategy.
 */
export function assemble(component: pulumi.ComponentResource, inputs: Inputs): Assembly {
    const { name, args, desired } = inputs;
    const decided = plan(args.previous, desired);
    if (pulumi.runtime.isDryRun()) {
        for (const note of decided.notes) void pulumi.log.info(note, component);
    }
    const releases = releasesByNamespace(inputs, decided);
    const declare = (sides: readonly Side[], dependsOn: pulumi.Resource[]) =>
        decided.sides
            .filter(({ side }) => sides.includes(side))
            .map((side) => {
                const own = releases.get(side.namespace) as Releases;
                const workload = workloadOf(side, args, desired, own);
                const logical = logicalName(name, side.side, desired);
                return new Workload(logical, workload, { parent: component, dependsOn });
            });

    const grown = declare(decided.order.beforeRoute, []);
    const services = sideServices(component, { name, args, desired, decided });
    const route = routeOf(inputs, decided, grown);
    declare(decided.order.afterRoute, [route.service]);
    return {
        service: route.service,
        url: route.url,
        sideServices: services,
        decided,
        // Through the selector as it is: a constant would be written by a failed `up` as well.
        state: route.service.spec.selector.apply(() => decided.state),
    };
}

/** Files, secrets and ServiceAccount, in every namespace with a side. */
function releasesByNamespace(inputs: Inputs, decided: Plan): Map<string, Releases> {
    const { name, args, desired, opts } = inputs;
    const places = new Map<string, string>([[desired.namespace, name]]);
    if (desired.isolation === Isolation.namespaces) {
        places.clear();
        for (const { side, namespace } of decided.sides) {
            places.set(namespace, logicalName(name, side, desired));
        }
    }
    const of = ([namespace, logical]: [string, string]): [string, Releases] => [
        namespace,
        new Releases(
            logical,
            { app: desired.name, namespace, releases: args.releases, labels: args.api?.labels },
            besideOptions(opts),
        ),
    ];
    return new Map([...places].map(of));
}

function routeOf(inputs: Inputs, decided: Plan, grown: readonly Workload[]): Route {
    const { name, args, desired, opts } = inputs;
    const selector = routeSelector(decided, desired);
    return new Route(
        name,
        {
            namespace: desired.namespace,
            serviceName: desired.serviceName,
            port: desired.servicePort,
            targetPort: desired.port,
            selector,
            type: args.serviceType,
            nodePort: args.nodePort,
            labels: {
                ...appLabels(desired.name, desired.namespace, args.api?.labels),
                "app.kubernetes.io/instance": desired.serviceName,
            },
            serves: servesOf(decided, grown),
            gate: gateOfSides(
                { decided, args, desired },
                { name: desired.serviceName, selector, sides: decided.route.live },
            ),
        },
        pulumi.mergeOptions(besideOptions(opts), {
            dependsOn: grown.flatMap(({ resources }) => resources),
        }),
    );
}

/** The pods behind the public Service: those of one side, or of both tracks of a pair. */
function routeSelector({ route }: Plan, desired: Desired): Record<string, string> {
    const [most] = route.live;
    return splitsByPods(desired) || most === undefined
        ? strategySelector(desired.name, desired.strategy)
        : sideSelector(desired.name, most);
}

function workloadOf(
    side: SidePlan,
    args: StrategyArgs,
    desired: Desired,
    releases: Releases,
): WorkloadArgs {
    const release = args.releases[side.release];
    const place = desired.strategy === Strategy.canary ? "TRACK" : "COLOR";
    return {
        app: desired.name,
        deployment: side.deployment,
        namespace: side.namespace,
        selector: sideSelector(desired.name, side.side),
        podLabels:
            desired.strategy === Strategy.canary ? { [STRATEGY_LABEL]: desired.strategy } : {},
        release: side.release,
        image: release?.image ?? "",
        changeCause: release?.changeCause,
        replicas: side.seed,
        ignoreReplicas: side.ignoreReplicas,
        autoscaling: side.size.bounds && { ...args.autoscaling, ...side.size.bounds },
        rollingUpdate: args.rollingUpdate,
        awaited: false,
        api: args.api,
        env: {
            ...(desired.strategy !== Strategy.rolling && { [place]: side.side }),
            ...args.sideEnv?.[side.side],
            ...release?.env,
        },
        serviceAccount: releases.serviceAccount.metadata.name,
        files: releases.filesOf(side.release),
        secrets: releases.secretsOf(side.release),
        secretFiles: [...(args.secretFiles ?? []), ...(args.sideSecretFiles?.[side.side] ?? [])],
    };
}

/** The live releases, the pods they need and their templates: the gate waits when any of them changes. */
function servesOf(
    { route, sides }: Plan,
    workloads: readonly Workload[],
): pulumi.Output<string> | undefined {
    const parts = sides
        .filter(({ side }) => route.live.includes(side))
        .flatMap(({ side, deployment, release, size }) => {
            const workload = workloads.find(({ name }) => name === deployment);
            if (workload === undefined) return [];
            const share = route.live.length > 1 ? `${side} ${route.weights[side] ?? 0} %: ` : "";
            return [
                pulumi.interpolate`${share}release ${release}, ${size.replicas} pods of template ${workload.fingerprint}`,
            ];
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
