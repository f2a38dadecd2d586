import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import { assemble } from "./assembly";
import { checkedOf, desiredCanary } from "./desired";
import { inClusterUrl } from "./names";
import { forbiddenTransitions, type State } from "./plan";
import type { Idle } from "./plan/types";
import type { StrategyArgs } from "./strategy";
import { apiRules } from "./validation/api-rules";
import { refuse } from "./validation/error";
import { rules } from "./validation/rules";

export interface CanaryArgs extends StrategyArgs {
    /** The release that most of the traffic goes to. */
    stable: string;
    /** The release that is tried. Without one, the canary has no pods and gets no traffic. */
    canary?: string;
    /** Share of the canary in percent, 0 to 100. Defaults to 0. */
    canaryWeight?: number;
    /**
     * Pods of both together where their numbers split the traffic, pods of the stable side
     * otherwise; at least 2. Ignored with `autoscaling`. Defaults to 5.
     */
    replicas?: number;
    /**
     * What becomes of a canary at 0 percent that something else than its pods keeps out of the
     * traffic. Defaults to `warm`: one pod, to look at.
     */
    idle?: Idle;
    /** A number of pods for a canary at 0 percent, instead of `idle`. */
    idleReplicas?: number;
}

/**
 * An API on two tracks: a stable release, and a canary with a share of the traffic. Promoting is one
 * change: the stable release becomes the canary's, and the weight 0; aborting is the weight 0 alone.
 *
 * With the Service as the route, the share is the share of the pods, rounded so that a canary with
 * any share has a pod and a stable side with any share keeps one; `weights` says what it comes to.
 */
export class Canary extends pulumi.ComponentResource {
    /** The public Service. What must come after a change of the weight depends on it. */
    readonly service: Service;
    /** Where the API is reached. */
    readonly url: pulumi.Output<string>;
    /** Where the canary alone is reached, where it has a Service of its own. */
    readonly previewUrl?: pulumi.Output<string>;
    /** The shares that the tracks really get, in percent. */
    readonly weights: pulumi.Output<Record<string, number>>;
    /**
     * What the next `up` compares with: to be exported and handed back as `previous`. It only
     * resolves once the route is where this `up` wants it.
     */
    readonly state: pulumi.Output<State>;

    constructor(name: string, args: CanaryArgs, opts?: pulumi.ComponentResourceOptions) {
        const desired = desiredCanary(name, args);
        refuse(`Canary ${JSON.stringify(name)}`, [
            ...rules(checkedOf(desired, args)),
            ...apiRules(args.api),
            ...forbiddenTransitions(args.previous, desired),
        ]);
        const { namespace, sides, canaryWeight, replicas } = desired;
        super("cutover:index:Canary", name, { namespace, ...sides, canaryWeight, replicas }, opts);
        const { service, url, state, sideServices } = assemble(this, { name, args, desired, opts });
        const canary = sideServices.get("canary");
        this.service = service;
        this.url = url;
        this.state = state;
        this.weights = state.apply(({ weights }) => weights);
        this.previewUrl = canary && inClusterUrl(canary, desired);
        this.registerOutputs({
            service,
            url,
            previewUrl: this.previewUrl,
            weights: this.weights,
            state,
        });
    }
}
