import type { Input } from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import { PORT_NAME, RUN_AS_USER } from "../defaults";
import { scheduling } from "../scheduling";
import * as defaults from "./defaults";
import type { RouterSettings } from "./settings";

export interface RouterPod {
    labels: Record<string, Input<string>>;
    selector: Record<string, string>;
    settings: RouterSettings;
    /** Name of the ConfigMap with the config. */
    configMap: string;
    serviceAccount: string;
    imagePullSecrets?: Input<string>[];
}

/** The router's pod template. Its config's name is in it, so that another config is another pod. */
export function routerPod(pod: RouterPod): types.input.core.v1.PodTemplateSpec {
    const { settings } = pod;
    const drain = settings.drainSeconds ?? defaults.DRAIN_SECONDS;
    return {
        metadata: { labels: pod.labels },
        spec: {
            serviceAccountName: pod.serviceAccount,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            imagePullSecrets: pod.imagePullSecrets?.map((name) => ({ name })),
            securityContext: {
                runAsNonRoot: true,
                runAsUser: RUN_AS_USER,
                runAsGroup: RUN_AS_USER,
                fsGroup: RUN_AS_USER,
                seccompProfile: { type: "RuntimeDefault" },
            },
            ...scheduling({}, pod.selector),
            // The sides' names are full ones: looked up as they are, not below every search domain first.
            dnsConfig: { options: [{ name: "ndots", value: "2" }] },
            terminationGracePeriodSeconds:
                drain + defaults.QUIT_SECONDS + defaults.QUIT_MARGIN_SECONDS,
            containers: [
                {
                    name: "nginx",
                    image: settings.image ?? defaults.ROUTER_IMAGE,
                    command: ["/bin/sh", "-c", START],
                    ports: [{ name: PORT_NAME, containerPort: defaults.ROUTER_PORT }],
                    readinessProbe: { ...HEALTH, ...defaults.READINESS },
                    livenessProbe: { ...HEALTH, ...defaults.LIVENESS },
                    lifecycle: {
                        preStop: {
                            exec: {
                                command: [
                                    "/bin/sh",
                                    "-c",
                                    `touch ${defaults.DRAIN_FILE} && sleep ${drain}`,
                                ],
                            },
                        },
                    },
                    resources: {
                        requests: settings.resources?.requests ?? defaults.RESOURCES.requests,
                        limits: settings.resources?.limits ?? defaults.RESOURCES.limits,
                    },
                    securityContext: {
                        allowPrivilegeEscalation: false,
                        readOnlyRootFilesystem: true,
                        capabilities: { drop: ["ALL"] },
                    },
                    volumeMounts: [
                        { name: "tmp", mountPath: defaults.TMP_PATH },
                        // The folder, not the file in it: nothing may depend on a subPath.
                        { name: "config", mountPath: defaults.CONFIG_PATH, readOnly: true },
                    ],
                },
            ],
            volumes: [
                { name: "tmp", emptyDir: { sizeLimit: defaults.TMP_SIZE_LIMIT } },
                { name: "config", configMap: { name: pod.configMap } },
            ],
        },
    };
}

/** A container that was restarted within its pod finds the drain file of the one before. */
const START =
    `rm -f ${defaults.DRAIN_FILE} && ` +
    `exec nginx -e stderr -c ${defaults.CONFIG_PATH}/${defaults.CONFIG_FILE}`;

const HEALTH = { httpGet: { path: defaults.HEALTH_PATH, port: defaults.ROUTER_PORT } };
