import * as pulumi from "@pulumi/pulumi";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1/podDisruptionBudget";
import { DISRUPTION } from "./defaults";

export interface DisruptionArgs {
    /** Namespace of the pods. */
    namespace: pulumi.Input<string>;
    /** Name of the Deployment whose pods they are. The budget is called `<deployment>-pdb`. */
    deployment: pulumi.Input<string>;
    /** The labels that tell its pods from all others. */
    selector: Record<string, string>;
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * Lets whoever drains a node, or upgrades a cluster, evict one pod of a Deployment at a time, and the
 * next one only when the Deployment is complete again. Pods that are not ready may always go: they
 * serve nobody, and a broken release must not hold up a drain.
 */
export class Disruption extends pulumi.ComponentResource {
    readonly podDisruptionBudget: PodDisruptionBudget;

    constructor(name: string, args: DisruptionArgs, opts?: pulumi.ComponentResourceOptions) {
        const { namespace, deployment, selector, labels } = args;
        super("cutover:index:Disruption", name, { namespace, deployment, selector }, opts);
        this.podDisruptionBudget = new PodDisruptionBudget(
            name,
            {
                metadata: { name: pulumi.interpolate`${deployment}-pdb`, namespace, labels },
                spec: { ...DISRUPTION, selector: { matchLabels: selector } },
            },
            { parent: this },
        );
        this.registerOutputs({ name: this.podDisruptionBudget.metadata.name });
    }
}
