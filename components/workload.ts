import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import type { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2/horizontalPodAutoscaler";
import type {
    ApiArgs,
    AutoscalingArgs,
    RollingUpdateArgs,
    SecretFilesArgs,
    SecretKeyArgs,
} from "./args";
import { Autoscaler } from "./autoscaler";
import * as defaults from "./defaults";
import { dependingOn, detached } from "./detached";
import { Disruption } from "./disruption";
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
    /**
     * Environment variables from Secrets that exist already. Prefer `secretFiles`: a variable shows in
     * dumps of the environment, and only a new pod sees another value.
     */
    secretEnv?: Record<string, SecretKeyArgs>;
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
 * The pods of one side of an API: a Deployment, its disruption budget, and its autoscaler if it has
 * one. What it `dependsOn` orders the Deployment and the autoscaler themselves, not only the component.
 */
export class Workload extends pulumi.ComponentResource {
    readonly deployment: Deployment;
    /** Its autoscaler, if it has one. */
    readonly horizontalPodAutoscaler?: HorizontalPodAutoscaler;
    /** Name of the Deployment. */
    readonly name: string;
    /** That of its pods' template, see {@link fingerprintOf}. */
    readonly fingerprint: pulumi.Output<string>;

    constructor(name: string, args: WorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
        super("cutover:index:Workload", name, summary(args), opts);
        const api = args.api ?? {};
        const shared = sharedLabels(args);
        const labels = { ...shared, ...releaseLabels(args.deployment, args.release) };
        const template = templateOf(args);
        const detachedTemplate = detached(template);
        this.name = args.deployment;
        this.fingerprint = fingerprintOf(args);

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
                    strategy: { type: "RollingUpdate", rollingUpdate: rollingUpdate(args) },
                    minReadySeconds: api.minReadySeconds,
                    revisionHistoryLimit:
                        api.revisionHistoryLimit ?? defaults.REVISION_HISTORY_LIMIT,
                    progressDeadlineSeconds: defaults.PROGRESS_DEADLINE_SECONDS,
                    template: detachedTemplate,
                },
            },
            {
                parent: this,
                dependsOn: dependingOn(opts?.dependsOn, [template, api.labels]),
                ignoreChanges: args.ignoreReplicas ? ["spec.replicas"] : [],
                customTimeouts: { create: upDeadline, update: upDeadline },
            },
        );
        new Disruption(
            `${name}-pdb`,
            {
                namespace: args.namespace,
                deployment: args.deployment,
                selector: args.selector,
                labels: shared,
            },
            { parent: this },
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
                    labels: shared,
                },
                { parent: this, dependsOn: opts?.dependsOn },
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

/** Kubernetes takes a number of pods as a number and a share as a text. */
function rollingUpdate({ rollingUpdate: own = {} }: WorkloadArgs) {
    const pods = (value: string) => (value.endsWith("%") ? value : Number(value));
    return {
        maxSurge: pods(own.maxSurge ?? defaults.MAX_SURGE),
        maxUnavailable: pods(own.maxUnavailable ?? defaults.MAX_UNAVAILABLE),
    };
}

/**
 * On the Deployment only: in the pod template, a change of any of them would restart all pods.
 * Deleted in the background, because it would otherwise stay until its last pod has drained, and a
 * color that is taken away and given back would find it there. `patchForce` because an autoscaler
 * owns `replicas` once it scaled, and taking the field back from it would be refused as a conflict.
 */
function annotations({ release, changeCause, awaited }: WorkloadArgs): Record<string, string> {
    return {
        "kubernetes.io/change-cause": changeCause ?? `Deploying version ${release}`,
        "pulumi.com/deletionPropagationPolicy": "background",
        "pulumi.com/patchForce": "true",
        "pulumi.com/skipAwait": (awaited ?? true) ? "false" : "true",
    };
}

/**
 * Ten hexadecimal digits that change whenever the pods' template does. They come from no resource and
 * are plain, so that whatever shows them is not replaced or made secret because of them.
 */
export function fingerprintOf(args: WorkloadArgs): pulumi.Output<string> {
    return pulumi.unsecret(pulumi.output(detached(templateOf(args))).apply(hashOf));
}

function templateOf(args: WorkloadArgs) {
    const api = args.api ?? {};
    return podTemplate({
        ...args,
        api,
        labels: {
            ...args.podLabels,
            ...sharedLabels(args),
            ...releaseLabels(args.deployment, args.release),
        },
        env: { ...api.env, ...args.env },
        secretEnv: args.secretEnv ?? {},
        secretFiles: args.secretFiles ?? [],
    });
}

/** The labels of all that belongs to the side, whatever its release. */
function sharedLabels({ app, namespace, api, selector, deployment }: WorkloadArgs) {
    return {
        ...appLabels(app, namespace, detached(api?.labels)),
        ...selector,
        "app.kubernetes.io/instance": deployment,
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
