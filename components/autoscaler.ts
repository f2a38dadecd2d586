import * as pulumi from "@pulumi/pulumi";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler";
import type { ScalingBehaviorArgs } from "./args";
import { AUTOSCALING, AUTOSCALING_BEHAVIOR } from "./defaults";

export interface AutoscalerArgs {
    /** Namespace of the Deployment. */
    namespace: pulumi.Input<string>;
    /** Name of the Deployment that is scaled. The autoscaler is called `<deployment>-hpa`. */
    deployment: pulumi.Input<string>;
    /** Fewest pods, at least 1. */
    minReplicas: pulumi.Input<number>;
    /** Most pods. The same as `minReplicas` holds the size. */
    maxReplicas: pulumi.Input<number>;
    /** CPU to aim at, in percent of the request. Defaults to 70. */
    cpuPercent?: pulumi.Input<number>;
    /** Memory to aim at, in percent of the request. Defaults to 80. */
    memoryPercent?: pulumi.Input<number>;
    /** How fast it scales. Defaults to up at once and down by halves after 5 minutes. */
    behavior?: ScalingBehaviorArgs;
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * Keeps a Deployment between two sizes by its load. From then on the bounds alone decide the size: the
 * Deployment's own `replicas` must be left alone.
 */
export class Autoscaler extends pulumi.ComponentResource {
    readonly horizontalPodAutoscaler: HorizontalPodAutoscaler;

    constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("cutover:index:Autoscaler", name, args, opts);
        const { namespace, deployment, minReplicas, maxReplicas, labels } = args;
        this.horizontalPodAutoscaler = new HorizontalPodAutoscaler(
            name,
            {
                metadata: { name: pulumi.interpolate`${deployment}-hpa`, namespace, labels },
                spec: {
                    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
                    minReplicas,
                    maxReplicas,
                    metrics: [
                        utilization("cpu", args.cpuPercent ?? AUTOSCALING.cpuPercent),
                        utilization("memory", args.memoryPercent ?? AUTOSCALING.memoryPercent),
                    ],
                    behavior: { ...AUTOSCALING_BEHAVIOR, ...args.behavior },
                },
            },
            { parent: this, dependsOn: opts?.dependsOn },
        );
        this.registerOutputs({ name: this.horizontalPodAutoscaler.metadata.name });
    }
}

function utilization(resource: string, averageUtilization: pulumi.Input<number>) {
    const target = { type: "Utilization", averageUtilization };
    return { type: "Resource", resource: { name: resource, target } };
}
