import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import { PROGRESS_DEADLINE_SECONDS, UP_DEADLINE_SECONDS } from "../defaults";
import { detached } from "../detached";
import { Disruption } from "../disruption";
import { SERVES_ANNOTATION } from "../gate";
import { refuse } from "../validation/error";
import * as defaults from "./defaults";
import { routerPod } from "./pod";
import { renderNginx } from "./render";
import { backendRules, routerRules } from "./rules";
import type { Backend, RouterSettings } from "./settings";

export interface RouterArgs {
    /** Name of the API that it belongs to. */
    app: string;
    namespace: string;
    /** The sides, and the share of each. The Services that they name must exist before the router starts. */
    backends: Backend[];
    /** Stack config key `router`. Defaults to all its defaults. */
    settings?: RouterSettings;
    /** How the public Service is exposed. Defaults to `ClusterIP`. */
    serviceType?: string;
    /** More labels, on every object and pod. They cannot change the labels of the selector. */
    labels?: Record<string, pulumi.Input<string>>;
    /** Names of the Secrets in the namespace with which images are pulled. Defaults to none. */
    imagePullSecrets?: pulumi.Input<string>[];
    /** What runs behind it: kept as an annotation, so that its hooks run whenever that changes. */
    serves?: pulumi.Input<string>;
    /** Hooks of its Deployment: the gate, when the router is the route. Defaults to none. */
    hooks?: pulumi.ResourceHookBinding;
}

/**
 * An nginx that splits the traffic between the sides of an API. Its config is a function of its
 * arguments, in a ConfigMap that is named by its content: another split is another ConfigMap, and the
 * pods are replaced by new ones that read it, all at once, the old ones draining.
 *
 * Pulumi does not wait for its Deployment: whoever declares it does, with its hooks or behind it.
 */
export class Router extends pulumi.ComponentResource {
    readonly deployment: Deployment;
    /** Name of the Deployment. */
    readonly name: string;
    /** The labels of its pods, for the public Service. */
    readonly selector: Record<string, string>;
    /** The port that its pods listen on. */
    readonly port: number;
    /** Number of its pods. */
    readonly replicas: number;
    /**
     * Ten hexadecimal digits that change whenever its pods' template does, which has the name of the
     * config. They come from no resource, so that whatever shows them is not replaced because of one.
     */
    readonly fingerprint: pulumi.Output<string>;

    constructor(name: string, args: RouterArgs, opts?: pulumi.ComponentResourceOptions) {
        const { app, namespace, backends, settings = {} } = args;
        refuse(`Router ${JSON.stringify(name)}`, [
            ...routerRules(settings, { serviceType: args.serviceType }),
            ...backendRules(backends),
        ]);
        const weights = Object.fromEntries(backends.map(({ side, weight }) => [side, weight]));
        super("cutover:index:Router", name, { app, namespace, weights }, opts);
        this.name = settings.name ?? defaults.ROUTER_NAME;
        this.selector = { app: this.name };
        this.port = defaults.ROUTER_PORT;
        this.replicas = settings.replicas ?? defaults.ROUTER_REPLICAS;
        const labels = labelsOf(this.name, args);
        const config = renderNginx(backends, settings);
        const configName = `${this.name}-${hashOf(config)}`;

        const serviceAccount = new ServiceAccount(
            name,
            {
                metadata: { name: this.name, namespace, labels },
                automountServiceAccountToken: false,
            },
            { parent: this },
        );
        // A logical name of its own for each content: the old one stays until the `up` has succeeded.
        const configMap = new ConfigMap(
            `${name}-${hashOf(config)}`,
            {
                metadata: { name: configName, namespace, labels },
                immutable: true,
                data: { [defaults.CONFIG_FILE]: config },
            },
            { parent: this },
        );
        const template = detached(
            routerPod({
                labels,
                selector: this.selector,
                settings,
                configMap: configName,
                serviceAccount: this.name,
                imagePullSecrets: args.imagePullSecrets,
            }),
        );
        this.fingerprint = pulumi.unsecret(
            pulumi.output(template).apply((pod) => hashOf(JSON.stringify(pod))),
        );
        this.deployment = new Deployment(
            name,
            {
                metadata: {
                    name: this.name,
                    namespace,
                    labels,
                    annotations: {
                        // Pulumi waits until no pod with the old shares is left: the Service's gate does not
                        // when an update goes back to what the Service was last told, after one that failed.
                        "pulumi.com/deletionPropagationPolicy": "background",
                        ...(args.serves !== undefined && { [SERVES_ANNOTATION]: args.serves }),
                    },
                },
                spec: {
                    replicas: this.replicas,
                    selector: { matchLabels: this.selector },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: {
                            maxSurge: defaults.MAX_SURGE,
                            maxUnavailable: defaults.MAX_UNAVAILABLE,
                        },
                    },
                    progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
                    revisionHistoryLimit: defaults.REVISION_HISTORY_LIMIT,
                    template,
                },
            },
            pulumi.mergeOptions(
                { dependsOn: opts?.dependsOn },
                {
                    parent: this,
                    dependsOn: [configMap, serviceAccount],
                    hooks: args.hooks,
                    customTimeouts: { create: upDeadline, update: upDeadline },
                },
            ),
        );
        new Disruption(
            `${name}-pdb`,
            { namespace, deployment: this.name, selector: this.selector, labels },
            { parent: this },
        );
        this.registerOutputs({ name: this.name, port: this.port });
    }
}

const upDeadline = `${UP_DEADLINE_SECONDS}s`;

function labelsOf(name: string, { app, namespace, labels }: RouterArgs) {
    return {
        ...labels,
        app: name,
        component: "router",
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": `${app}-${name}`.slice(0, 63),
        "app.kubernetes.io/component": "router",
        "app.kubernetes.io/part-of": namespace,
        "app.kubernetes.io/managed-by": "pulumi",
    };
}

/** Ten hexadecimal digits of a text. */
function hashOf(text: string): string {
    return createHash("sha256").update(text).digest("hex").slice(0, 10);
}
