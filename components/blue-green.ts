import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import type { ApiArgs, AutoscalingArgs, ClusterArgs, ReleaseArgs, SecretFilesArgs } from "./args";
import * as defaults from "./defaults";
import { checkedOf, desiredOf } from "./desired";
import type { GateSpec } from "./gate";
import { appLabels, sideSelector } from "./labels";
import { forbiddenTransitions, plan } from "./plan";
import { Color, Idle, ServiceType } from "./plan/types";
import type { Desired, Plan, SidePlan, State } from "./plan/types";
import { Releases } from "./releases";
import { Route } from "./route";
import { refuse } from "./validation/error";
import { apiRules } from "./validation/api-rules";
import { rules } from "./validation/rules";
import { Workload, type WorkloadArgs } from "./workload";

export interface BlueGreenArgs {
    /** The declared releases by name. Plain: they decide which objects exist. */
    releases: Record<string, ReleaseArgs>;
    /** The release that runs on blue. Without one, blue has no pods. */
    blue?: string;
    /** The release that runs on green. Without one, green has no pods. */
    green?: string;
    /** The color that gets the traffic; it must have a release. Defaults to blue. */
    activeColor?: Color;
    /** Namespace of everything. Plain: the gate looks there. Defaults to `endpoint-stats`. */
    namespace?: string;
    /** Name of the API in the cluster. Defaults to the name of the component. */
    name?: string;
    /** Name of the public Service. Defaults to `name`. */
    serviceName?: string;
    /** How the public Service is exposed. Defaults to `ClusterIP`. */
    serviceType?: ServiceType;
    /** Its port on every node. Defaults to one that Kubernetes picks. */
    nodePort?: number;
    /** Pods of the live color, at least 1. Ignored with `autoscaling`. Defaults to 3. */
    replicas?: number;
    /** What becomes of the color without traffic. Defaults to `warm`: as many pods as the live one. */
    idle?: Idle;
    /** A number of pods for the color without traffic, instead of `idle`. */
    idleReplicas?: number;
    /** Bounds and targets of the autoscalers. Defaults to fixed sizes. */
    autoscaling?: AutoscalingArgs;
    /** Fewest pods of the live color while a switch is going on. Defaults to none. */
    capacityFloor?: number;
    /** What all releases share. */
    api?: ApiArgs;
    /** Files from Secrets that exist already, for every pod. */
    secretFiles?: SecretFilesArgs[];
    /** The cluster as the gate reaches it. */
    cluster?: ClusterArgs;
    /** The stack's last `state` output, as `parseState` reads it; none on the first `up`. */
    previous?: State;
}

/**
 * An API in two places, blue and green, one of which gets all traffic. Changing `activeColor` makes
 * the other color ready, moves the route, and only then shrinks what lost the traffic; changing it
 * back is the same. When the new color does not get ready, the old one keeps all traffic.
 */
export class BlueGreen extends pulumi.ComponentResource {
    /** The public Service: the route. What must come after a switch depends on it. */
    readonly service: Service;
    /** Where the API is reached. */
    readonly url: pulumi.Output<string>;
    /** The color that the route selects. */
    readonly activeColor: pulumi.Output<string>;
    /**
     * What the next `up` compares with: to be exported and handed back as `previous`. It only
     * resolves once the route is where this `up` wants it.
     */
    readonly state: pulumi.Output<State>;

    constructor(name: string, args: BlueGreenArgs, opts?: pulumi.ComponentResourceOptions) {
        const desired = desiredOf(name, args);
        const subject = `BlueGreen ${JSON.stringify(name)}`;
        refuse(subject, [
            ...rules(checkedOf(name, args)),
            ...apiRules(args.api),
            ...forbiddenTransitions(args.previous, desired),
        ]);
        super("cutover:index:BlueGreen", name, summary(desired), opts);
        const decided = plan(args.previous, desired);
        if (pulumi.runtime.isDryRun()) {
            for (const note of decided.notes) void pulumi.log.info(note, this);
        }

        const { name: app, namespace } = desired;
        const releases = new Releases(
            name,
            { app, namespace, releases: args.releases, labels: args.api?.labels },
            besideOptions(opts),
        );
        const declare = (colors: readonly Color[], dependsOn: pulumi.Resource[]) =>
            decided.sides
                .filter(({ side }) => colors.includes(side))
                .map((side) => {
                    const workload = workloadOf(side, args, desired, releases);
                    return new Workload(`${name}-${side.side}`, workload, {
                        parent: this,
                        dependsOn,
                    });
                });

        const grown = declare(decided.order.beforeRoute, []);
        const route = new Route(
            name,
            {
                namespace,
                serviceName: desired.serviceName,
                port: desired.port,
                selector: sideSelector(app, decided.route.target),
                type: args.serviceType,
                nodePort: args.nodePort,
                labels: {
                    ...appLabels(app, namespace, args.api?.labels),
                    "app.kubernetes.io/instance": desired.serviceName,
                },
                serves: servesOf(decided, grown),
                gate: gateOf(decided, args, desired),
            },
            pulumi.mergeOptions(besideOptions(opts), {
                dependsOn: grown.flatMap(({ resources }) => resources),
            }),
        );
        declare(decided.order.afterRoute, [route.service]);

        this.service = route.service;
        this.url = route.url;
        // Through the selector as it is: a constant would be written by a failed `up` as well.
        this.activeColor = this.service.spec.selector.apply(
            (selector) => selector.deployment ?? decided.route.target,
        );
        this.state = this.activeColor.apply(() => decided.state);
        this.registerOutputs({
            service: this.service,
            url: this.url,
            activeColor: this.activeColor,
            state: this.state,
        });
    }
}

function workloadOf(
    side: SidePlan,
    args: BlueGreenArgs,
    desired: Desired,
    releases: Releases,
): WorkloadArgs {
    const release = args.releases[side.release];
    return {
        app: desired.name,
        deployment: side.deployment,
        namespace: desired.namespace,
        selector: sideSelector(desired.name, side.side),
        release: side.release,
        image: release?.image ?? "",
        changeCause: release?.changeCause,
        replicas: side.seed,
        ignoreReplicas: side.ignoreReplicas,
        autoscaling: side.size.bounds && { ...args.autoscaling, ...side.size.bounds },
        awaited: false,
        api: args.api,
        env: { COLOR: side.side, ...release?.env },
        serviceAccount: releases.serviceAccount.metadata.name,
        files: releases.filesOf(side.release),
        secrets: releases.secretsOf(side.release),
        secretFiles: args.secretFiles,
    };
}

function gateOf(decided: Plan, args: BlueGreenArgs, desired: Desired): GateSpec {
    const { target, from } = decided.route;
    const side = (label: Color) => ({
        deployment: `${desired.name}-${label}`,
        selector: sideSelector(desired.name, label),
        label,
    });
    const planned = decided.sides.find((candidate: SidePlan) => candidate.side === target);
    const release = planned && args.releases[planned.release];
    return {
        context: args.cluster?.context,
        kubeconfig: args.cluster?.kubeconfig,
        namespace: desired.namespace,
        service: desired.serviceName,
        target: {
            ...side(target),
            neededReady: planned?.size.replicas ?? 1,
            image: release?.image,
            env: release?.env,
        },
        previous: from === undefined || from === target ? undefined : side(from),
        deadlineSeconds: defaults.UP_DEADLINE_SECONDS,
    };
}

/** The live release, the pods it needs and their template: the gate waits when any of them changes. */
function servesOf(
    { route, sides }: Plan,
    workloads: readonly Workload[],
): pulumi.Output<string> | undefined {
    const side = sides.find((candidate) => candidate.side === route.target);
    const workload = workloads.find(({ name }) => name === side?.deployment);
    if (side === undefined || workload === undefined) return undefined;
    const { release, size } = side;
    return pulumi.interpolate`release ${release}, ${size.replicas} pods of template ${workload.fingerprint}`;
}

/**
 * Options of what belongs to the API but not to its strategy: beside the component, not below it. An
 * alias by name counts for all of them; one by type or URN is the component's alone.
 */
function besideOptions(
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

/** What the component's own entry in the state shows: plain, and without anything secret. */
function summary({ namespace, colors, activeColor, replicas, idle }: Desired) {
    return { namespace, ...colors, activeColor, replicas, idle };
}
