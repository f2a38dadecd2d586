import assert from "node:assert/strict";
import { Workload, type WorkloadArgs } from "../../components";
import { record, type Registered } from "../support/mocks";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";

const base: WorkloadArgs = {
    app: "flask-api",
    deployment: "flask-api-blue",
    namespace: "endpoint-stats",
    selector: { app: "flask-api", deployment: "blue" },
    release: "1.0.0",
    image: "api:1.0.0",
    replicas: 3,
    awaited: true,
    serviceAccount: "flask-api",
};

async function deploymentOf(args: Partial<WorkloadArgs> = {}): Promise<Registered> {
    const recording = await record(() => {
        new Workload("api-blue", { ...base, ...args });
        return {};
    });
    return recording.one(DEPLOYMENT);
}

const CONTAINER = "spec.template.spec.containers.0";

describe("Workload", () => {
    it("is the guide's Deployment, hardened", async () => {
        const deployment = await deploymentOf();
        const labels = {
            app: "flask-api",
            component: "api",
            deployment: "blue",
            version: "1.0.0",
            "app.kubernetes.io/name": "flask-api",
            "app.kubernetes.io/instance": "flask-api-blue",
            "app.kubernetes.io/version": "1.0.0",
            "app.kubernetes.io/component": "api",
            "app.kubernetes.io/part-of": "endpoint-stats",
            "app.kubernetes.io/managed-by": "pulumi",
        };
        assert.deepEqual(deployment.inputs, {
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: {
                name: "flask-api-blue",
                namespace: "endpoint-stats",
                labels,
                annotations: {
                    "kubernetes.io/change-cause": "Deploying version 1.0.0",
                    "pulumi.com/deletionPropagationPolicy": "background",
                    "pulumi.com/patchForce": "true",
                    "pulumi.com/skipAwait": "false",
                },
            },
            spec: {
                replicas: 3,
                selector: { matchLabels: { app: "flask-api", deployment: "blue" } },
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
                },
                revisionHistoryLimit: 5,
                progressDeadlineSeconds: 120,
                template: {
                    metadata: {
                        labels,
                        annotations: {
                            "prometheus.io/scrape": "true",
                            "prometheus.io/port": "9999",
                            "prometheus.io/path": "/metrics",
                        },
                    },
                    spec: {
                        serviceAccountName: "flask-api",
                        automountServiceAccountToken: false,
                        enableServiceLinks: false,
                        securityContext: {
                            runAsNonRoot: true,
                            runAsUser: 10001,
                            runAsGroup: 10001,
                            fsGroup: 10001,
                            seccompProfile: { type: "RuntimeDefault" },
                        },
                        topologySpreadConstraints: [
                            "kubernetes.io/hostname",
                            "topology.kubernetes.io/zone",
                        ].map((topologyKey) => ({
                            maxSkew: 1,
                            topologyKey,
                            whenUnsatisfiable: "ScheduleAnyway",
                            labelSelector: {
                                matchLabels: { app: "flask-api", deployment: "blue" },
                            },
                            matchLabelKeys: ["pod-template-hash"],
                        })),
                        terminationGracePeriodSeconds: 30,
                        containers: [
                            {
                                name: "flask-api",
                                image: "api:1.0.0",
                                ports: [{ name: "http", containerPort: 9999 }],
                                env: [
                                    {
                                        name: "POD_NAME",
                                        valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
                                    },
                                    {
                                        name: "NAMESPACE",
                                        valueFrom: {
                                            fieldRef: { fieldPath: "metadata.namespace" },
                                        },
                                    },
                                    { name: "MAX_CONNECTION_AGE_SECONDS", value: "30" },
                                    { name: "PORT", value: "9999" },
                                ],
                                startupProbe: {
                                    httpGet: { path: "/health", port: 9999 },
                                    periodSeconds: 1,
                                    timeoutSeconds: 2,
                                    successThreshold: 1,
                                    failureThreshold: 120,
                                },
                                readinessProbe: {
                                    httpGet: { path: "/health", port: 9999 },
                                    initialDelaySeconds: 5,
                                    periodSeconds: 10,
                                    timeoutSeconds: 2,
                                    successThreshold: 1,
                                    failureThreshold: 3,
                                },
                                livenessProbe: {
                                    httpGet: { path: "/health", port: 9999 },
                                    initialDelaySeconds: 15,
                                    periodSeconds: 20,
                                    timeoutSeconds: 3,
                                    successThreshold: 1,
                                    failureThreshold: 3,
                                },
                                resources: {
                                    requests: {
                                        memory: "128Mi",
                                        cpu: "100m",
                                        "ephemeral-storage": "64Mi",
                                    },
                                    limits: {
                                        memory: "256Mi",
                                        cpu: "200m",
                                        "ephemeral-storage": "256Mi",
                                    },
                                },
                                lifecycle: {
                                    preStop: { exec: { command: ["/bin/sh", "-c", "sleep 10"] } },
                                },
                                securityContext: {
                                    allowPrivilegeEscalation: false,
                                    readOnlyRootFilesystem: true,
                                    capabilities: { drop: ["ALL"] },
                                },
                                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
                            },
                        ],
                        volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
                    },
                },
            },
        });
    });

    it("gives up after 150 s, when Kubernetes has given up after 120", async () => {
        const { timeouts } = await deploymentOf();
        assert.deepEqual(timeouts, { create: "150s", update: "150s" });
    });

    it("keeps what changes with the role or the reason out of the pod template", async () => {
        const before = await deploymentOf();
        const after = await deploymentOf({ awaited: false, changeCause: "second try" });
        assert.deepEqual(after.input("spec"), before.input("spec"));
        assert.deepEqual(after.input("metadata.annotations"), {
            "kubernetes.io/change-cause": "second try",
            "pulumi.com/deletionPropagationPolicy": "background",
            "pulumi.com/patchForce": "true",
            "pulumi.com/skipAwait": "true",
        });
    });

    it("never has a release or an image in its selector", async () => {
        const other = await deploymentOf({ release: "2.0.0", image: "api:2.0.0" });
        assert.deepEqual(
            other.input("spec.selector"),
            (await deploymentOf()).input("spec.selector"),
        );
    });

    it("takes what the API wants in place of the defaults, part by part", async () => {
        const deployment = await deploymentOf({
            api: {
                port: 8080,
                probes: {
                    readiness: { path: "/ready", periodSeconds: 2, timeoutSeconds: undefined },
                },
                resources: { limits: { memory: "1Gi" } },
                lifecycle: { preStopSleepSeconds: 3, terminationGracePeriodSeconds: 20 },
                maxConnectionAgeSeconds: 0,
                labels: { team: "core", deployment: "red" },
                annotations: { "prometheus.io/scrape": "false" },
                imagePullSecrets: ["regcred"],
            },
        });
        assert.deepEqual(deployment.input(`${CONTAINER}.ports`), [
            { name: "http", containerPort: 8080 },
        ]);
        assert.deepEqual(deployment.input(`${CONTAINER}.readinessProbe`), {
            httpGet: { path: "/ready", port: 8080 },
            initialDelaySeconds: 5,
            periodSeconds: 2,
            timeoutSeconds: 2,
            successThreshold: 1,
            failureThreshold: 3,
        });
        assert.equal(deployment.input(`${CONTAINER}.livenessProbe.httpGet.path`), "/health");
        assert.deepEqual(deployment.input(`${CONTAINER}.resources`), {
            requests: { memory: "128Mi", cpu: "100m", "ephemeral-storage": "64Mi" },
            limits: { memory: "1Gi" },
        });
        assert.deepEqual(deployment.input(`${CONTAINER}.lifecycle.preStop.exec.command`), [
            "/bin/sh",
            "-c",
            "sleep 3",
        ]);
        assert.equal(deployment.input("spec.template.spec.terminationGracePeriodSeconds"), 20);
        assert.equal(
            deployment.input(`${CONTAINER}.terminationGracePeriodSeconds`),
            undefined,
            "it is a property of the pod",
        );
        assert.deepEqual(deployment.input("spec.template.spec.imagePullSecrets"), [
            { name: "regcred" },
        ]);
        const labels = deployment.input("metadata.labels") as Record<string, string>;
        assert.deepEqual([labels.team, labels.deployment], ["core", "blue"]);
        const annotations = deployment.input("spec.template.metadata.annotations");
        assert.deepEqual(annotations, {
            "prometheus.io/scrape": "false",
            "prometheus.io/port": "8080",
            "prometheus.io/path": "/metrics",
        });
    });

    it("has its environment in one order, with the workload's over the API's", async () => {
        const env = async (api: Record<string, string>, own: Record<string, string>) => {
            const deployment = await deploymentOf({ api: { env: api }, env: own });
            const all = deployment.input(`${CONTAINER}.env`) as { name: string; value?: string }[];
            return all.slice(2).map(({ name, value }) => `${name}=${value}`);
        };
        const expected = ["A=2", "B=1", "MAX_CONNECTION_AGE_SECONDS=30", "PORT=9999"];
        assert.deepEqual(await env({ A: "1", B: "1" }, { A: "2" }), expected);
        assert.deepEqual(await env({ B: "1", A: "1" }, { A: "2" }), expected);
    });

    it("mounts files and secrets read-only, secrets for the pod's group alone", async () => {
        const deployment = await deploymentOf({
            files: "api-files",
            secrets: "api-secrets",
            secretFiles: [
                {
                    name: "database",
                    secretName: "postgres-secret",
                    files: { password: "api-password" },
                    mountPath: "/etc/cutover/database",
                },
            ],
        });
        assert.deepEqual(deployment.input("spec.template.spec.volumes"), [
            { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
            { name: "files", configMap: { name: "api-files" } },
            { name: "secrets", secret: { secretName: "api-secrets", defaultMode: 0o440 } },
            {
                name: "database",
                secret: {
                    secretName: "postgres-secret",
                    items: [{ path: "password", key: "api-password" }],
                    defaultMode: 0o440,
                },
            },
        ]);
        assert.deepEqual(deployment.input(`${CONTAINER}.volumeMounts`), [
            { name: "tmp", mountPath: "/tmp" },
            { name: "files", mountPath: "/etc/cutover/files", readOnly: true },
            { name: "secrets", mountPath: "/etc/cutover/secrets", readOnly: true },
            { name: "database", mountPath: "/etc/cutover/database", readOnly: true },
        ]);
    });
});
