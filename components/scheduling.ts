import type { types } from "@pulumi/kubernetes";
import type { ApiArgs, NodeAffinityArgs } from "./args";
import { SPREAD_OVER } from "./defaults";

type PodSpec = Pick<
    types.input.core.v1.PodSpec,
    "nodeSelector" | "affinity" | "tolerations" | "priorityClassName" | "topologySpreadConstraints"
>;

/** Where the pods of one side may run, and how they are spread. */
export function scheduling(api: ApiArgs, selector: Record<string, string>): PodSpec {
    const { nodeSelector, nodeAffinity, tolerations, priorityClassName } = api;
    return {
        nodeSelector,
        affinity: nodeAffinity && { nodeAffinity: affinity(nodeAffinity) },
        tolerations,
        priorityClassName,
        // "Anyway": a cluster of one node or zone must be able to run it, and an evicted pod to return.
        topologySpreadConstraints: SPREAD_OVER.map((topologyKey) => ({
            maxSkew: 1,
            topologyKey,
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: selector },
            // Each revision for itself: pods that are about to go would push the new ones together.
            matchLabelKeys: ["pod-template-hash"],
        })),
    };
}

function affinity({ required, preferred }: NodeAffinityArgs): types.input.core.v1.NodeAffinity {
    return {
        requiredDuringSchedulingIgnoredDuringExecution: required && {
            nodeSelectorTerms: [{ matchExpressions: required }],
        },
        preferredDuringSchedulingIgnoredDuringExecution: preferred?.map(
            ({ weight, requirements }) => ({
                weight,
                preference: { matchExpressions: requirements },
            }),
        ),
    };
}
