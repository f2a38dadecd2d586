import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Workload, type ApiArgs, type ProbesArgs, type WorkloadArgs } from "../../components";
import { record, type Recording, type Registered } from "../support/mocks";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const BUDGET = "kubernetes:policy/v1:PodDisruptionBudget";
const CONTAINER = "spec.template.spec.containers.0";

const base: WorkloadArgs = {
    app: "flask-api",
    deployment: "flask-api-blue",
    namespace: "endpoint-stats",
    selector: { app: "flask-api", deployment: "blue" },
    release: "1.0.0",
    image: "api:1.0.0",
    replicas: 3,
    serviceAccount: "flask-api",
};

function deploy(args: Partial<WorkloadArgs> = {}): Promise<Recording> {
    return record(() => {
        new Workload("api-blue", { ...base, ...args });
        return {};
    });
}

async function deploymentOf(args: Partial<WorkloadArgs> = {}): Promise<Registered> {
    return (await deploy(args)).one(DEPLOYMENT);
}

const podOf = async (api: ApiArgs) =>
    (await deploymentOf({ api })).input("spec.template.spec") as Record<string, unknown>;

describe("a hardened Workload", () => {
    describe("startup probe", () => {
        const startupOf = async (probes: ProbesArgs) =>
            (await deploymentOf({ api: { probes } })).input(`${CONTAINER}.startupProbe`) as {
                httpGet: { path: string };
                initialDelaySeconds?: number;
                periodSeconds: number;
                failureThreshold: number;
            };

        it("asks what liveness asks, and leaves its numbers and those of readiness alone", async () => {
            const liveness = { path: "/healthz", initialDelaySeconds: 30, periodSeconds: 10 };
            const readiness = { path: "/ready", initialDelaySeconds: 5, periodSeconds: 5 };
            const deployment = await deploymentOf({ api: { probes: { liveness, readiness } } });
            const probe = (name: string) => {
                const found = deployment.input(`${CONTAINER}.${name}`) as Record<string, unknown>;
                const { path } = found.httpGet as { path: string };
                return [path, found.initialDelaySeconds, found.periodSeconds];
            };
            assert.deepEqual(probe("startupProbe"), ["/healthz", undefined, 1]);
            assert.deepEqual(probe("livenessProbe"), ["/healthz", 30, 10]);
            assert.deepEqual(probe("readinessProbe"), ["/ready", 5, 5]);
        });

        it("grants two minutes, or what liveness alone would have granted", async () => {
            const liveness = { initialDelaySeconds: 300, periodSeconds: 20, failureThreshold: 3 };
            assert.equal((await startupOf({})).failureThreshold, 120);
            assert.equal((await startupOf({ liveness })).failureThreshold, 360);
            const startup = { periodSeconds: 7 };
            assert.equal((await startupOf({ liveness, startup })).failureThreshold, 52);
        });

        it("counts outputs in as well", async () => {
            const liveness = { initialDelaySeconds: pulumi.output(240) };
            assert.equal((await startupOf({ liveness })).failureThreshold, 300);
        });

        it("does what it is told", async () => {
            const startup = { path: "/started", initialDelaySeconds: 1, failureThreshold: 3 };
            const found = await startupOf({ startup, liveness: { initialDelaySeconds: 300 } });
            assert.deepEqual(
                [found.httpGet.path, found.initialDelaySeconds, found.failureThreshold],
                ["/started", 1, 3],
            );
        });
    });

    it("chooses nodes as it is told, and says nothing about them otherwise", async () => {
        const plain = await podOf({});
        for (const key of ["nodeSelector", "affinity", "tolerations", "priorityClassName"]) {
            assert.equal(plain[key], undefined, key);
        }
        const pod = await podOf({
            nodeSelector: { "kubernetes.io/arch": "amd64" },
            nodeAffinity: {
                required: [{ key: "disk", operator: "In", values: ["ssd"] }],
                preferred: [
                    { weight: 5, requirements: [{ key: "spot", operator: "DoesNotExist" }] },
                ],
            },
            tolerations: [{ key: "dedicated", operator: "Exists", effect: "NoSchedule" }],
            priorityClassName: "high",
        });
        assert.deepEqual(pod.nodeSelector, { "kubernetes.io/arch": "amd64" });
        assert.deepEqual(pod.affinity, {
            nodeAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: {
                    nodeSelectorTerms: [
                        { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] },
                    ],
                },
                preferredDuringSchedulingIgnoredDuringExecution: [
                    {
                        weight: 5,
                        preference: {
                            matchExpressions: [{ key: "spot", operator: "DoesNotExist" }],
                        },
                    },
                ],
            },
        });
        assert.deepEqual(pod.tolerations, [
            { key: "dedicated", operator: "Exists", effect: "NoSchedule" },
        ]);
        assert.equal(pod.priorityClassName, "high");
    });

    it("rolls as it is told: in pods, and in shares of its size", async () => {
        const strategy = async (maxSurge: string, maxUnavailable: string) =>
            (await deploymentOf({ rollingUpdate: { maxSurge, maxUnavailable } })).input(
                "spec.strategy.rollingUpdate",
            );
        assert.deepEqual(await strategy("2", "1"), { maxSurge: 2, maxUnavailable: 1 });
        assert.deepEqual(await strategy("25%", "25%"), { maxSurge: "25%", maxUnavailable: "25%" });
        const { inputs } = await deploymentOf({
            api: { minReadySeconds: 5, revisionHistoryLimit: 2 },
        });
        const { minReadySeconds, revisionHistoryLimit } = inputs.spec as Record<string, unknown>;
        assert.deepEqual([minReadySeconds, revisionHistoryLimit], [5, 2]);
    });

    it("has variables from Secrets in the same order as the others, and in their place", async () => {
        const secretEnv = { DATABASE_URL: { secretName: "db-secret-blue", key: "url" } };
        const deployment = await deploymentOf({
            api: { env: { DATABASE_URL: "plain", A: "1" } },
            secretEnv,
        });
        const env = deployment.input(`${CONTAINER}.env`) as { name: string }[];
        assert.deepEqual(env.slice(2), [
            { name: "A", value: "1" },
            {
                name: "DATABASE_URL",
                valueFrom: { secretKeyRef: { name: "db-secret-blue", key: "url" } },
            },
            { name: "MAX_CONNECTION_AGE_SECONDS", value: "30" },
            { name: "PORT", value: "9999" },
        ]);
    });

    it("has more labels on its pods alone, none of them in place of its own", async () => {
        const podLabels = { "cutover.local/strategy": "canary", deployment: "red" };
        const deployment = await deploymentOf({ podLabels });
        const labels = (path: string) => deployment.input(path) as Record<string, string>;
        const onPods = labels("spec.template.metadata.labels");
        assert.equal(onPods["cutover.local/strategy"], "canary");
        assert.equal(onPods.deployment, "blue");
        assert.equal(labels("metadata.labels")["cutover.local/strategy"], undefined);
        assert.deepEqual(deployment.input("spec.selector.matchLabels"), base.selector);
    });

    it("may lose one pod at a time to whoever drains nodes, and any that is not ready", async () => {
        const budget = (await deploy()).one(BUDGET);
        assert.equal(budget.parent, "cutover:index:Disruption::api-blue-pdb");
        assert.deepEqual(budget.inputs, {
            apiVersion: "policy/v1",
            kind: "PodDisruptionBudget",
            metadata: {
                name: "flask-api-blue-pdb",
                namespace: "endpoint-stats",
                labels: {
                    app: "flask-api",
                    component: "api",
                    deployment: "blue",
                    "app.kubernetes.io/name": "flask-api",
                    "app.kubernetes.io/instance": "flask-api-blue",
                    "app.kubernetes.io/component": "api",
                    "app.kubernetes.io/part-of": "endpoint-stats",
                    "app.kubernetes.io/managed-by": "pulumi",
                },
            },
            spec: {
                maxUnavailable: 1,
                unhealthyPodEvictionPolicy: "AlwaysAllow",
                selector: { matchLabels: { app: "flask-api", deployment: "blue" } },
            },
        });
    });
});
