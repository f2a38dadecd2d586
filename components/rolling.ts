import * as pulumi from "@pulumi/pulumi";
import type { Service } from "@pulumi/kubernetes/core/v1/service";
import { assemble } from "./assembly";
import { checkedOf, desiredRolling } from "./desired";
import { forbiddenTransitions, type State } from "./plan";
import type { StrategyArgs } from "./strategy";
import { apiRules } from "./validation/api-rules";
import { refuse } from "./validation/error";
import { rules } from "./validation/rules";

export interface RollingArgs extends StrategyArgs {
    /** The release that runs. */
    current: string;
    /** Pods, at least 1. Ignored with `autoscaling`. Defaults to 3. */
    replicas?: number;
}

/**
 * An API in one place, whose pods are replaced one by one. A release whose pods do not get ready
 * leaves those of the old one serving, as many as `rollingUpdate` keeps.
 */
export class Rolling extends pulumi.ComponentResource {
    /** The public Service. What must come after a release depends on it. */
    readonly service: Service;
    /** Where the API is reached. */
    readonly url: pulumi.Output<string>;
    /**
     * What the next `up` compares with: to be exported and handed back as `previous`. It only
     * resolves once the release serves.
     */
    readonly state: pulumi.Output<State>;

    constructor(name: string, args: RollingArgs, opts?: pulumi.ComponentResourceOptions) {
        const desired = desiredRolling(name, args);
        refuse(`Rolling ${JSON.stringify(name)}`, [
            ...rules(checkedOf(desired, args)),
            ...apiRules(args.api),
            ...forbiddenTransitions(args.previous, desired),
        ]);
        const { namespace, replicas } = desired;
        super("cutover:index:Rolling", name, { namespace, current: args.current, replicas }, opts);
        const { service, url, state } = assemble(this, { name, args, desired, opts });
        this.service = service;
        this.url = url;
        this.state = state;
        this.registerOutputs({ service, url, state });
    }
}
