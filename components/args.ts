import type { Input } from "@pulumi/pulumi";

/**
 * A named, immutable definition of what runs. Plain values, because which objects exist, and in which
 * order they change, depends on them.
 */
export interface ReleaseArgs {
    /** The image, with a digest or a tag that never moves. */
    image: string;
    /** Environment variables of this release. They win over those of the API. */
    env?: Record<string, string>;
    /** Files by name, mounted read-only under `/etc/cutover/files`. */
    files?: Record<string, string>;
    /** Secret files by name, mounted read-only under `/etc/cutover/secrets`; encrypted in the state. */
    secrets?: Record<string, string>;
    /** Why it was released: `kubernetes.io/change-cause` of its Deployment. Defaults to "Deploying version <name>". */
    changeCause?: string;
}

/** An HTTP probe. What is left out keeps the default of the probe it changes. */
export interface ProbeArgs {
    /** Path of the request. Defaults to `/health`; of the startup probe, to the path of liveness. */
    path?: Input<string>;
    /** Seconds from the container's start to the first probe. Defaults to 5 for readiness, 15 for liveness, 0 for startup. */
    initialDelaySeconds?: Input<number>;
    /** Seconds between probes. Defaults to 10 for readiness, 20 for liveness, 1 for startup. */
    periodSeconds?: Input<number>;
    /** Seconds until a probe counts as failed. Defaults to 2 for readiness and startup, 3 for liveness. */
    timeoutSeconds?: Input<number>;
    /** Successes in a row after a failure. Defaults to 1; only readiness allows another. */
    successThreshold?: Input<number>;
    /**
     * Failures in a row until the pod counts as failed. Defaults to 3; of the startup probe, to what
     * makes two minutes, or as long as the liveness probe alone would have given the container.
     */
    failureThreshold?: Input<number>;
}

/** The probes of the container. */
export interface ProbesArgs {
    /** Gives the container time to start: until it has passed once, the other two are not run. */
    startup?: ProbeArgs;
    /** Decides whether the pod gets traffic. */
    readiness?: ProbeArgs;
    /** Decides whether the container is restarted. */
    liveness?: ProbeArgs;
}

/** Requests and limits, as Kubernetes writes quantities. */
export interface ResourcesArgs {
    /** What the scheduler sets aside. Defaults to 128Mi memory, 100m CPU, 64Mi ephemeral storage. */
    requests?: Record<string, Input<string>>;
    /** What the pod may use at most. Defaults to 256Mi memory, 200m CPU, 256Mi ephemeral storage. */
    limits?: Record<string, Input<string>>;
}

/** A taint that a pod does not mind. */
export interface TolerationArgs {
    /** Key of the taint. Defaults to any; then `operator` must be `Exists`. */
    key?: string;
    /** `Equal` compares the value too, `Exists` does not. Defaults to `Equal`. */
    operator?: string;
    /** Value of the taint, with `Equal`. */
    value?: string;
    /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`. Defaults to all. */
    effect?: string;
    /** Seconds that the pod stays after the taint came, with `NoExecute`. Defaults to for ever. */
    tolerationSeconds?: number;
}

/** A condition on the labels of a node. */
export interface NodeRequirementArgs {
    /** The label. */
    key: string;
    /** `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`. */
    operator: string;
    /** The values it is compared with: at least one for `In` and `NotIn`, exactly one for `Gt` and `Lt`. */
    values?: string[];
}

/** A condition that a node should meet. */
export interface NodePreferenceArgs {
    /** How much it counts beside the others, 1 to 100. */
    weight: number;
    /** Conditions that must be met together for it to count. */
    requirements: NodeRequirementArgs[];
}

/** Which nodes the pods may run on, and which they had better. */
export interface NodeAffinityArgs {
    /** Conditions that a node must meet, all of them. Defaults to none. */
    required?: NodeRequirementArgs[];
    /** Conditions that a node should meet. Defaults to none. */
    preferred?: NodePreferenceArgs[];
}

/** How a pod ends. */
export interface LifecycleArgs {
    /** Seconds a pod keeps serving after it left the Service's endpoints. Defaults to 10. */
    preStopSleepSeconds?: number;
    /** Seconds from the start of that sleep to SIGKILL; must be longer. Defaults to 30. */
    terminationGracePeriodSeconds?: number;
}

/** What all releases of an API have in common. */
export interface ApiArgs {
    /** Port of the container and of the Service, 1 to 65535. Defaults to 9999. */
    port?: number;
    /** The probes. Each defaults to `GET /health` on the API's port. */
    probes?: ProbesArgs;
    /** Requests and limits; each of the two replaces its default as a whole. */
    resources?: ResourcesArgs;
    /** How a pod ends. Defaults to a preStop sleep of 10 s inside a grace period of 30 s. */
    lifecycle?: LifecycleArgs;
    /** Seconds after which the API closes a kept-alive connection; 0 is never. Defaults to 30. */
    maxConnectionAgeSeconds?: number;
    /** Environment variables of every release. */
    env?: Record<string, Input<string>>;
    /** More labels, on every object and pod. They cannot change the labels of the selectors. */
    labels?: Record<string, Input<string>>;
    /** More annotations, on every pod. Those for Prometheus can be overridden here. */
    annotations?: Record<string, Input<string>>;
    /** Names of the Secrets in the namespace with which images are pulled. Defaults to none. */
    imagePullSecrets?: Input<string>[];
    /** Labels that a node must have. Defaults to none. */
    nodeSelector?: Record<string, string>;
    /** Finer conditions on nodes. Defaults to none. */
    nodeAffinity?: NodeAffinityArgs;
    /** Taints that the pods do not mind. Defaults to none. */
    tolerations?: TolerationArgs[];
    /** Name of the pods' PriorityClass. Defaults to the cluster's default. */
    priorityClassName?: Input<string>;
    /** Seconds that a new pod must have been ready until a rolling update goes on. Defaults to 0. */
    minReadySeconds?: number;
    /** Old revisions that `kubectl rollout undo` could go back to. Defaults to 5. */
    revisionHistoryLimit?: number;
}

/**
 * How a Deployment replaces its pods: each a number of pods, `1`, or a share of its size, `25%`, both
 * as text, since a package's schema has no type for "number or text".
 */
export interface RollingUpdateArgs {
    /** Pods on top of its size while it does; a share is rounded up. Defaults to `1`. */
    maxSurge?: string;
    /** Pods fewer than its size while it does, never all of them; a share is rounded down. Defaults to `0`. */
    maxUnavailable?: string;
}

/** Files from a Secret that exists already. */
export interface SecretFilesArgs {
    /** Name of the volume, unique in the pod. */
    name: string;
    /** Name of the Secret. */
    secretName: Input<string>;
    /** The keys to mount, by the name of their file. */
    files: Record<string, Input<string>>;
    /** The folder they appear in, read-only. */
    mountPath: string;
}

/** A key of a Secret. */
export interface SecretKeyArgs {
    /** Name of the Secret, in the namespace of the pods. */
    secretName: Input<string>;
    /** The key in it. */
    key: Input<string>;
}

/** One step an autoscaler may take. */
export interface ScalingPolicyArgs {
    /** `Percent` of the current pods or a number of `Pods`. */
    type: Input<string>;
    /** How many, per period. */
    value: Input<number>;
    /** Length of the period, in seconds. */
    periodSeconds: Input<number>;
}

/** How fast an autoscaler goes in one direction. */
export interface ScalingRulesArgs {
    /** Seconds that a smaller or larger number must last before it is acted on. */
    stabilizationWindowSeconds?: Input<number>;
    /** Which policy counts: `Max`, `Min` or `Disabled`. */
    selectPolicy?: Input<string>;
    policies?: ScalingPolicyArgs[];
}

/** How fast an autoscaler grows and shrinks its workload. */
export interface ScalingBehaviorArgs {
    /** Defaults to half of the pods a minute, after 300 s. */
    scaleDown?: ScalingRulesArgs;
    /** Defaults to whichever of doubling and 4 pods a minute is more, at once. */
    scaleUp?: ScalingRulesArgs;
}

/** Bounds and targets of the autoscalers. */
export interface AutoscalingArgs {
    /** Fewest pods of the live side, at least 1. Defaults to 2. */
    minReplicas?: number;
    /** Most pods of the live side. Defaults to 10. */
    maxReplicas?: number;
    /** CPU to aim at, in percent of the request. Defaults to 70. */
    cpuPercent?: number;
    /** Memory to aim at, in percent of the request. Defaults to 80. */
    memoryPercent?: number;
    /** How fast it scales. Each direction defaults as documented there. */
    behavior?: ScalingBehaviorArgs;
}

/** The cluster as the gate of a route reaches it; the same as the provider's. */
export interface ClusterArgs {
    /** Context of the kubeconfig. */
    context?: string;
    /** Path or content of a kubeconfig. Defaults to `KUBECONFIG`, then `~/.kube/config`. */
    kubeconfig?: string;
}
