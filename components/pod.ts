import type { Input } from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import type { ApiArgs, ResourcesArgs, SecretFilesArgs, SecretKeyArgs } from "./args";
import * as defaults from "./defaults";
import { probes } from "./probes";
import { scheduling } from "./scheduling";

type PodTemplate = types.input.core.v1.PodTemplateSpec;
type Volume = types.input.core.v1.Volume;
type VolumeMount = types.input.core.v1.VolumeMount;

/** What one side runs. */
export interface PodSpec {
    /** Name of the container: the API's. */
    app: string;
    image: string;
    api: ApiArgs;
    labels: Record<string, Input<string>>;
    /** The labels that tell its pods from those of other sides. */
    selector: Record<string, string>;
    /** The variables on top of those that every pod gets. */
    env: Record<string, Input<string>>;
    /** Variables whose values are in Secrets; they win over those in `env`. */
    secretEnv: Record<string, SecretKeyArgs>;
    serviceAccount: Input<string>;
    /** Name of the ConfigMap and of the Secret that hold the release's files, if it has any. */
    files?: Input<string>;
    secrets?: Input<string>;
    secretFiles: SecretFilesArgs[];
}

/** The pod template: nothing in it depends on whether its side is live, or a switch would restart it. */
export function podTemplate(spec: PodSpec): PodTemplate {
    const { api } = spec;
    const port = api.port ?? defaults.PORT;
    const volumes = volumesOf(spec);
    return {
        metadata: {
            labels: spec.labels,
            annotations: {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": String(port),
                "prometheus.io/path": defaults.METRICS_PATH,
                ...api.annotations,
            },
        },
        spec: {
            serviceAccountName: spec.serviceAccount,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            imagePullSecrets: pullSecrets(api.imagePullSecrets),
            ...scheduling(api, spec.selector),
            securityContext: {
                runAsNonRoot: true,
                runAsUser: defaults.RUN_AS_USER,
                runAsGroup: defaults.RUN_AS_USER,
                fsGroup: defaults.RUN_AS_USER,
                seccompProfile: { type: "RuntimeDefault" },
            },
            terminationGracePeriodSeconds:
                api.lifecycle?.terminationGracePeriodSeconds ??
                defaults.TERMINATION_GRACE_PERIOD_SECONDS,
            containers: [
                {
                    name: spec.app,
                    image: spec.image,
                    ports: [{ name: defaults.PORT_NAME, containerPort: port }],
                    env: envOf(spec, port),
                    ...probes(port, api.probes),
                    resources: resources(api.resources),
                    lifecycle: { preStop: preStop(api) },
                    securityContext: {
                        allowPrivilegeEscalation: false,
                        readOnlyRootFilesystem: true,
                        capabilities: { drop: ["ALL"] },
                    },
                    volumeMounts: volumes.map(({ mount }) => mount),
                },
            ],
            volumes: volumes.map(({ volume }) => volume),
        },
    };
}

/** An empty list is left out, as the API server does: there would be a difference at every refresh. */
export function pullSecrets(names: Input<string>[] = []): { name: Input<string> }[] | undefined {
    return names.length === 0 ? undefined : names.map((name) => ({ name }));
}

/** The downward API's first, then the rest by name, so that the order of a map changes no pod. */
function envOf(spec: PodSpec, port: number): types.input.core.v1.EnvVar[] {
    const fromPod = (name: string, fieldPath: string) => ({
        name,
        valueFrom: { fieldRef: { fieldPath } },
    });
    const variables: Record<string, Input<string>> = {
        PORT: String(port),
        MAX_CONNECTION_AGE_SECONDS: String(
            spec.api.maxConnectionAgeSeconds ?? defaults.MAX_CONNECTION_AGE_SECONDS,
        ),
        ...spec.env,
    };
    const values = Object.entries(variables).map(([name, value]) => [name, { value }] as const);
    const secrets = Object.entries(spec.secretEnv).map(
        ([name, { secretName, key }]) =>
            [name, { valueFrom: { secretKeyRef: { name: secretName, key } } }] as const,
    );
    return [
        fromPod("POD_NAME", "metadata.name"),
        fromPod("NAMESPACE", "metadata.namespace"),
        ...[...new Map<string, object>([...values, ...secrets])]
            .filter(([name]) => name !== "POD_NAME" && name !== "NAMESPACE")
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, source]) => ({ name, ...source })),
    ];
}

function resources(own: ResourcesArgs = {}): types.input.core.v1.ResourceRequirements {
    return {
        requests: own.requests ?? defaults.RESOURCES.requests,
        limits: own.limits ?? defaults.RESOURCES.limits,
    };
}

/** A shell's sleep, as in the guide: Kubernetes' own sleep action needs a newer cluster than we do. */
function preStop(api: ApiArgs): types.input.core.v1.LifecycleHandler {
    const seconds = api.lifecycle?.preStopSleepSeconds ?? defaults.PRE_STOP_SLEEP_SECONDS;
    return { exec: { command: ["/bin/sh", "-c", `sleep ${seconds}`] } };
}

/** A writable folder for temporary files, and read-only ones for what is mounted. */
function volumesOf(spec: PodSpec): { volume: Volume; mount: VolumeMount }[] {
    const found: { volume: Volume; mount: VolumeMount }[] = [
        {
            volume: { name: "tmp", emptyDir: { sizeLimit: defaults.TMP_SIZE_LIMIT } },
            mount: { name: "tmp", mountPath: defaults.TMP_PATH },
        },
    ];
    const add = (name: string, mountPath: string, source: Omit<Volume, "name">) =>
        found.push({
            volume: { name, ...source },
            mount: { name, mountPath, readOnly: true },
        });
    if (spec.files !== undefined) {
        add("files", defaults.FILES_PATH, { configMap: { name: spec.files } });
    }
    if (spec.secrets !== undefined) {
        // 0440 with the pod's group: readable to the API and to nobody else.
        add("secrets", defaults.SECRETS_PATH, {
            secret: { secretName: spec.secrets, defaultMode: 0o440 },
        });
    }
    for (const { name, secretName, files, mountPath } of spec.secretFiles) {
        const items = Object.entries(files).map(([path, key]) => ({ path, key }));
        add(name, mountPath, { secret: { secretName, items, defaultMode: 0o440 } });
    }
    return found;
}
