import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import type { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler";
import type { ApiArgs, AutoscalingArgs, RollingUpdateArgs, SecretFilesArgs } from "./args";
import { Autoscaler } from "./autoscaler";
import * as defaults from "./defaults";
import { appLabels, releaseLabels } from "./labels";
import { podTemplate } from "./pod";

export interface WorkloadArgs {
    /** Name of the API: its container's name and its `app` label. */
    app: string;
    /** Name of the Deployment. */
    deployment: string;
    namespace: string;
    /** The labels that tell its pods from all others; never to change, so never a release or image. */
    selector: Record<string, string>;
    /** Name of the release that it runs. */
    release: string;
    /** The release's image. */
    image: string;
    /** Why it was released. Defaults to "Deploying version <release>". */
    changeCause?: string;
    /** Number of pods; with `autoscaling`, the number it is created with. */
    replicas: number;
    /** Whether `replicas` is left as it is in the cluster, because an autoscaler has taken it over. */
    ignoreReplicas?: boolean;
    /** Bounds and targets of its autoscaler. Defaults to none. */
    autoscaling?: AutoscalingArgs;
    /**
     * Whether Pulumi itself waits until its pods are ready. Plain, and false where a route's gate does:
     * the gate gives up as soon as waiting is pointless, and does not look at what has no traffic.
     * Defaults to true.
     */
    awaited?: boolean;
    /** How it replaces its pods. Defaults to one new pod at a time, and none fewer. */
    rollingUpdate?: RollingUpdateArgs;
    /** Labels of its pods on top of the others; they may be selected by, so they never change. */
    podLabels?: Record<string, string>;
    /** What all releases of the API share. */
    api?: ApiArgs;
    /** Environment variables on top of the API's. */
    env?: Record<string, pulumi.Input<string>>;
    /** ServiceAccount of the pods. */
    serviceAccount: pulumi.Input<string>;
    /** Name of the ConfigMap with the release's files. */
    files?: pulumi.Input<string>;
    /** Name of the Secret with the release's secrets. */
    secrets?: pulumi.Input<string>;
    /** Files from Secrets that exist already. */
    secretFiles?: SecretFilesArgs[];
}

/**
 * The pods of one side of an API: a Deployment, and its autoscaler if it has one. What it `dependsOn`
 * orders these two themselves, not only the component.
 */
export class Workload extends pulumi.ComponentResource {
    readonly deployment: Deployment;
    /** Its autoscaler, if it has one. */
    readonly horizontalPodAutoscaler?: HorizontalPodAutoscaler;
    /** Name of the Deployment. */
    readonly name: string;
    /** Ten hexadecimal digits that change whenever the pods' template does. */
    readonly fingerprint: pulumi.Output<string>;

    constructor(name: string, args: WorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
        super("cutover:index:Workload", name, summary(args), opts);
        const api = args.api ?? {};
        const labels = {
            ...appLabels(args.app, args.namespace, api.labels),
            ...releaseLabels(args.deployment, args.release),
            ...args.selector,
        };
        const order = { parent: this, dependsOn: opts?.dependsOn };
        const template = podTemplate({
            ...args,
            api,
            labels: { ...labels, ...args.podLabels },
            env: { ...api.env, ...args.env },
            secretFiles: args.secretFiles ?? [],
        });
        this.name = args.deployment;
        this.fingerprint = pulumi.output(template).apply(hashOf);

        this.deployment = new Deployment(
            name,
            {
                metadata: {
                    name: args.deployment,
                    namespace: args.namespace,
                    labels,
                    annotations: annotations(args),
                },
                spec: {
                    replicas: args.replicas,
                    selector: { matchLabels: args.selector },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: {
                            maxSurge: args.rollingUpdate?.maxSurge ?? defaults.MAX_SURGE,
                            maxUnavailable:
                                args.rollingUpdate?.maxUnavailable ?? defaults.MAX_UNAVAILABLE,
                        },
                    },
                    progressDeadlineSeconds: defaults.PROGRESS_DEADLINE_SECONDS,
                    template,
                },
            },
            {
                ...order,
                ignoreChanges: args.ignoreReplicas ? ["spec.replicas"] : [],
                customTimeouts: { create: upDeadline, update: upDeadline },
            },
        );
        if (args.autoscaling !== undefined) {
            const { minReplicas, maxReplicas, ...targets } = args.autoscaling;
            const autoscaler = new Autoscaler(
                `${name}-hpa`,
                {
                    ...targets,
                    namespace: args.namespace,
                    deployment: this.deployment.metadata.name,
                    minReplicas: minReplicas ?? defaults.AUTOSCALING.minReplicas,
                    maxReplicas: maxReplicas ?? defaults.AUTOSCALING.maxReplicas,
                    labels: {
                        ...appLabels(args.app, args.namespace, api.labels),
                        ...args.selector,
                        "app.kubernetes.io/instance": args.deployment,
                    },
                },
                order,
            );
            this.horizontalPodAutoscaler = autoscaler.horizontalPodAutoscaler;
        }
        this.registerOutputs({ name: this.name, fingerprint: this.fingerprint });
    }

    /** What must be in place before the route may move to these pods. */
    get resources(): pulumi.Resource[] {
        return this.horizontalPodAutoscaler === undefined
            ? [this.deployment]
            : [this.deployment, this.horizontalPodAutoscaler];
    }
}

const upDeadline = `${defaults.UP_DEADLINE_SECONDS}s`;

/**
 * On the Deployment only: in the pod template, a change of any of them would restart all pods.
 * Deleted in the background, because it would otherwise stay until its last pod has drained, and a
 * color that is taken away and given back would find it there. `patchForce` because an autoscaler owns `replicas` once it scaled, and taking the field back from
 * it would be refused as a conflict.
 */
function annotations({ release, changeCause, awaited }: WorkloadArgs): Record<string, string> {
    return {
        "kubernetes.io/change-cause": changeCause ?? `Deploying version ${release}`,
        "pulumi.com/deletionPropagationPolicy": "background",
        "pulumi.com/patchForce": "true",
        "pulumi.com/skipAwait": (awaited ?? true) ? "false" : "true",
    };
}

function hashOf(template: unknown): string {
    return createHash("sha256").update(JSON.stringify(template)).digest("hex").slice(0, 10);
}

/**
 * What the component's own entry in the state shows: plain, without anything secret, and without
 * `replicas`, a seed that may differ from `up` to `up` under an autoscaler.
 */
function summary({ deployment, namespace, release, image }: WorkloadArgs) {
    return { deployment, namespace, release, image };
}
