import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { assemble } from "./assembly";
import { PORT_NAME } from "./defaults";
import { checkedOf, desiredBlueGreen } from "./desired";
import { appLabels, sideSelector } from "./labels";
import { inClusterUrl, previewServiceName } from "./names";
import { forbiddenTransitions } from "./plan";
import {
    Isolation,
    type Color,
    type Desired,
    type Idle,
    type Side,
    type State,
} from "./plan/types";
import { otherColor } from "./plan/weights";
import type { StrategyArgs } from "./strategy";
import { apiRules } from "./validation/api-rules";
import { refuse } from "./validation/error";
import { rules } from "./validation/rules";

export interface BlueGreenArgs extends StrategyArgs {
    /** The release that runs on blue. Without one, blue has no pods. */
    blue?: string;
    /** The release that runs on green. Without one, green has no pods. */
    green?: string;
    /** The color that gets the traffic; it must have a release. Defaults to blue. */
    activeColor?: Color;
    /**
     * Share of the other color in percent, 0 to below 100 with one decimal, with routing `nginx` or
     * `gateway`. Defaults to 0.
     */
    canaryWeight?: number;
    /**
     * Whether the colors share a namespace or have one each, `<namespace>-blue` and
     * `<namespace>-green`, which must exist. Defaults to `shared`.
     */
    isolation?: Isolation;
    /** Pods of the live color, at least 1. Ignored with `autoscaling`. Defaults to 3. */
    replicas?: number;
    /** What becomes of the color without traffic. Defaults to `warm`: as many pods as the live one. */
    idle?: Idle;
    /** A number of pods for the color without traffic, instead of `idle`. */
    idleReplicas?: number;
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
    /** Where the color without traffic is reached, if it has a release. */
    readonly previewUrl?: pulumi.Output<string>;
    /** The color that the route selects. */
    readonly activeColor: pulumi.Output<string>;
    /**
     * What the next `up` compares with: to be exported and handed back as `previous`. It only
     * resolves once the route is where this `up` wants it.
     */
    readonly state: pulumi.Output<State>;

    constructor(name: string, args: BlueGreenArgs, opts?: pulumi.ComponentResourceOptions) {
        const desired = desiredBlueGreen(name, args);
        refuse(`BlueGreen ${JSON.stringify(name)}`, [
            ...rules(checkedOf(desired, args)),
            ...apiRules(args.api),
            ...forbiddenTransitions(args.previous, desired),
        ]);
        super("cutover:index:BlueGreen", name, summary(desired), opts);
        const { service, url, state, sideServices } = assemble(this, { name, args, desired, opts });
        this.service = service;
        this.url = url;
        this.state = state;
        this.activeColor = state.apply(() => desired.activeColor);
        // A Service follows the switch within its namespace only; each color's own is always there.
        this.previewUrl =
            desired.isolation === Isolation.shared
                ? previewOf(this, name, args, desired)
                : ownService(sideServices, desired);
        this.registerOutputs({
            service,
            url,
            previewUrl: this.previewUrl,
            activeColor: this.activeColor,
            state,
        });
    }
}

/** The address of the other color's own Service, if it has a release. */
function ownService(
    services: ReadonlyMap<Side, Service>,
    desired: Desired,
): pulumi.Output<string> | undefined {
    const service = services.get(otherColor(desired.activeColor));
    return service && inClusterUrl(service, desired);
}

/**
 * A second Service, in front of the color without traffic, so that it can be looked at before the
 * switch. It follows the switch, after the route.
 */
function previewOf(
    parent: BlueGreen,
    name: string,
    args: BlueGreenArgs,
    desired: Desired,
): pulumi.Output<string> | undefined {
    const idle = otherColor(desired.activeColor);
    if (desired.sides[idle] === undefined) return undefined;
    const { name: app, namespace, servicePort, port } = desired;
    const previewName = previewServiceName(desired);
    const service = new Service(
        `${name}-preview`,
        {
            metadata: {
                name: previewName,
                namespace,
                labels: {
                    ...appLabels(app, namespace, args.api?.labels),
                    "app.kubernetes.io/instance": previewName,
                },
                annotations: { "pulumi.com/skipAwait": "true" },
            },
            spec: {
                selector: sideSelector(app, idle),
                ports: [{ name: PORT_NAME, port: servicePort, targetPort: port }],
            },
        },
        { parent, dependsOn: parent.service },
    );
    return inClusterUrl(service, desired);
}

/** What the component's own entry in the state shows: plain, and without anything secret. */
function summary({ namespace, sides, activeColor, replicas, idle }: Desired) {
    return { namespace, ...sides, activeColor, replicas, idle };
}
