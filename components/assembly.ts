import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import { sideSelector, STRATEGY_LABEL } from "./labels";
import { logicalName } from "./names";
import { plan } from "./plan";
import { Isolation, Strategy } from "./plan/types";
import type { Desired, Plan, Side, SidePlan, State } from "./plan/types";
import { Releases } from "./releases";
import { besideOptions, declareRoutes, type StrategyInputs } from "./routes";
import { sideServices } from "./side-services";
import type { StrategyArgs } from "./strategy";
import { fingerprintOf, Workload, type WorkloadArgs } from "./workload";

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

/**
 * Declares the sides of an API and its route in the order of the plan: what grows, then the route,
 * then what shrinks. The same for every strategy.
 */
export function assemble(component: pulumi.ComponentResource, inputs: StrategyInputs): Assembly {
    const { name, args, desired } = inputs;
    const decided = plan(args.previous, desired);
    if (pulumi.runtime.isDryRun()) {
        for (const note of decided.notes) void pulumi.log.info(note, component);
    }
    const releases = releasesByNamespace(inputs, decided);
    const workloads = new Map(
        decided.sides.map((side) => {
            const own = releases.get(side.namespace) as Releases;
            return [side.side, workloadOf(side, args, desired, own)];
        }),
    );
    const declare = (sides: readonly Side[], dependsOn: pulumi.Input<pulumi.Resource>[]) =>
        [...workloads]
            .filter(([side]) => sides.includes(side))
            .map(([side, workload]) => {
                const logical = logicalName(name, side, desired);
                return new Workload(logical, workload, { parent: component, dependsOn });
            });

    const grown = declare(decided.order.beforeRoute, []);
    const services = sideServices(component, { name, args, desired, decided });
    // Of a live side that shrinks, too: it is declared after the route, which shows its template.
    const fingerprints = new Map([...workloads].map(([side, own]) => [side, fingerprintOf(own)]));
    const { service, url, moved } = declareRoutes({
        ...inputs,
        decided,
        grown,
        fingerprints,
        services,
    });
    declare(decided.order.afterRoute, moved);
    return {
        service,
        url,
        sideServices: services,
        decided,
        // Through the routes as they are: a constant would be written by a failed `up` as well.
        state: pulumi
            .all([service.spec.selector, pulumi.all(moved.map((route) => pulumi.output(route)))])
            .apply(() => decided.state),
    };
}

/** Files, secrets and ServiceAccount, in every namespace with a side. */
function releasesByNamespace(inputs: StrategyInputs, decided: Plan): Map<string, Releases> {
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
        secretEnv: { ...args.secretEnv, ...args.sideSecretEnv?.[side.side] },
        secretFiles: [...(args.secretFiles ?? []), ...(args.sideSecretFiles?.[side.side] ?? [])],
    };
}
