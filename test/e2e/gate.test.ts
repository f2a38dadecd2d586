// lane: shared, about 55 s
import assert from "node:assert/strict";
import { connect } from "../../components/gate/client";
import { afterRoute, beforeRoute, type GateContext } from "../../components/gate/hooks";
import { GateError, type GateSpec } from "../../components/gate/spec";
import { readSide } from "../../components/gate/target";
import { systemClock } from "../../components/gate/wait";
import { API_IMAGES, loadImages } from "../../sandbox/images";
import { silentProgress } from "../../scripts/progress";
import { requireCluster, type Cluster } from "../support/cluster";
import { Kube, until, type Manifest } from "../support/kube";

const NAMESPACE = "cutover-gate-test";
/** Has room for no pod at all. */
const FULL_NAMESPACE = "cutover-gate-test-full";
const SERVICE = "api";

interface Side {
    image?: string;
    replicas?: number;
    env?: Record<string, string>;
    /** A Secret that the container needs. */
    secret?: string;
}

/** A Deployment of the sample API, as small and quick as it can be. */
function deployment(label: string, side: Side = {}): Manifest {
    const selector = { app: "api", deployment: label };
    const { image = API_IMAGES["1.0.0"], replicas = 2, env = {}, secret } = side;
    return {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: `api-${label}`, namespace: NAMESPACE },
        spec: {
            replicas,
            selector: { matchLabels: selector },
            strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
            template: {
                metadata: { labels: selector },
                spec: {
                    terminationGracePeriodSeconds: 1,
                    containers: [
                        {
                            name: "api",
                            image,
                            env: Object.entries(env).map(([name, value]) => ({ name, value })),
                            ...(secret && { envFrom: [{ secretRef: { name: secret } }] }),
                            resources: { requests: { cpu: "5m", memory: "32Mi" } },
                            // No database here: only a release that is broken answers no here.
                            readinessProbe: {
                                httpGet: {
                                    path: env.FAULT === "never-ready" ? "/ready" : "/health",
                                    port: 9999,
                                },
                                periodSeconds: 1,
                            },
                        },
                    ],
                },
            },
        },
    };
}

function service(label: string): Manifest {
    return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: SERVICE, namespace: NAMESPACE },
        spec: {
            selector: { app: "api", deployment: label },
            ports: [{ port: 9999, targetPort: 9999 }],
        },
    };
}

describe("gate, on a real cluster", function () {
    this.timeout(120_000);
    let cluster: Cluster;
    let kube: Kube;

    before(async function () {
        cluster = await requireCluster.call(this);
        if (cluster.sandbox) await loadImages(cluster.sandbox, silentProgress, { only: ["api"] });
        kube = new Kube(cluster);
        await Promise.all([NAMESPACE, FULL_NAMESPACE].map((name) => kube.freshNamespace(name)));
        const full = deployment("quota", { replicas: 1 });
        full.metadata.namespace = FULL_NAMESPACE;
        await kube.create(
            deployment("good"),
            deployment("other", { replicas: 1 }),
            deployment("stuck", { replicas: 1 }),
            deployment("no-image", { image: "cutover.local/no-such-image:1.0.0", replicas: 1 }),
            deployment("no-secret", { secret: "no-such-secret", replicas: 1 }),
            deployment("crashes", { env: { FAULT: "crash" }, replicas: 1 }),
            deployment("unready", { env: { FAULT: "never-ready" }, replicas: 1 }),
            service("good"),
            {
                apiVersion: "v1",
                kind: "ResourceQuota",
                metadata: { name: "no-more", namespace: FULL_NAMESPACE },
                spec: { hard: { pods: "0" } },
            },
            full,
        );
        await Promise.all([ready("good", 2), ready("other", 1), ready("stuck", 1)]);
        await kube.patch(
            deployment("stuck", { replicas: 1, image: "cutover.local/no-such-image:2.0.0" }),
        );
        // All at once, because each takes its time.
        for (const label of ["no-image", "no-secret", "crashes", "stuck"]) {
            refusals.set(label, refuse(label));
        }
        refusals.set("unready", refuse("unready", { deadlineSeconds: 10 }));
        refusals.set("quota", refuse("quota", { namespace: FULL_NAMESPACE }));
    });

    after(async () => {
        const namespaces = kube === undefined ? [] : [NAMESPACE, FULL_NAMESPACE];
        await Promise.all(namespaces.map((name) => kube.remove("v1", "Namespace", name)));
    });

    function spec(label: string, neededReady: number, overrides: Partial<GateSpec> = {}): GateSpec {
        const side = (name: string) => ({
            deployment: `api-${name}`,
            selector: { app: "api", deployment: name },
            label: name,
        });
        return {
            kubeconfig: cluster.kubeconfig,
            context: cluster.context,
            namespace: NAMESPACE,
            route: SERVICE,
            targets: [{ ...side(label), neededReady }],
            from: [side("good")],
            selector: side(label).selector,
            ...overrides,
        };
    }

    const move = { oldInputs: { spec: { selector: 1 } }, newInputs: { spec: { selector: 2 } } };
    /** A context, and the lines that are said in it. */
    function listening(): [string[], GateContext] {
        const lines: string[] = [];
        const hear = (line: string) => lines.push(line);
        return [lines, { connect, clock: systemClock, log: { info: hear, warn: hear } }];
    }
    const [, context] = listening();

    async function ready(label: string, count: number): Promise<void> {
        await until(`${count} ready pods of ${label}`, 60, async () => {
            const found = await kube.get<{ status?: { readyReplicas?: number } }>(
                "apps/v1",
                "Deployment",
                NAMESPACE,
                `api-${label}`,
            );
            return found?.status?.readyReplicas === count;
        });
    }

    interface Refusal {
        message: string;
        seconds: number;
    }
    const refusals = new Map<string, Promise<Refusal>>();
    const refused = async (label: string) => (await refusals.get(label)) ?? assert.fail(label);

    async function refusal(work: Promise<void>): Promise<Refusal> {
        const started = performance.now();
        const error: unknown = await work.then(
            () => assert.fail("the gate let it pass"),
            (reason: unknown) => reason,
        );
        assert.ok(error instanceof GateError, String(error));
        return { message: error.message, seconds: (performance.now() - started) / 1000 };
    }

    const refuse = (label: string, overrides: Partial<GateSpec> = {}) =>
        refusal(beforeRoute(spec(label, 1, overrides), move, { dryRun: false }, context));

    it("costs a warm switch less than half a second, before and after", async () => {
        const took: number[] = [];
        // The refusals go on meanwhile, and say what they wait for.
        const [own, alone] = listening();
        // The quickest of a few: what else the machine does is not this test's business.
        while (took.length < 5 && !took.some((seconds) => seconds < 0.5)) {
            const started = performance.now();
            await beforeRoute(spec("good", 2), move, { dryRun: false }, alone);
            await afterRoute(spec("good", 2), move, alone);
            took.push((performance.now() - started) / 1000);
        }
        assert.ok(Math.min(...took) < 0.5, `took ${took.join(", ")} s`);
        assert.equal(own.at(-1), "good has 2 ready pods; api → good");
    });

    it("waits until a growing target has its pods", async () => {
        await kube.patch({
            apiVersion: "apps/v1",
            kind: "Deployment",
            metadata: { name: "api-good", namespace: NAMESPACE },
            spec: { replicas: 3 },
        });
        await beforeRoute(spec("good", 3), move, { dryRun: false }, context);
        const reader = await connect(spec("good", 3));
        const state = await readSide(reader, NAMESPACE, spec("good", 3).targets[0]!);
        reader.close();
        const readyPods = state?.pods.filter(({ status }) =>
            status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
        );
        assert.equal(readyPods?.length, 3);
    });

    it("sees the route's endpoints follow its selector", async () => {
        await kube.patch(service("other"));
        await afterRoute(spec("other", 1), move, context);
        const slices = await kube.list<{
            metadata: { labels: Record<string, string> };
            endpoints: { targetRef: { name: string } }[];
        }>("discovery.k8s.io/v1", "EndpointSlice", NAMESPACE);
        const names = slices.flatMap(({ endpoints }) => endpoints.map((e) => e.targetRef.name));
        assert.equal(names.length, 1);
        assert.match(names[0] ?? "", /^api-other-/);
    });

    it("refuses an image that does not exist, with the pull's own error", async () => {
        const { message, seconds } = await refused("no-image");
        assert.match(
            message,
            /^api stays on good: pod api-no-image-\S+: (ErrImagePull|ImagePullBackOff): /,
        );
        assert.match(message, /no-image has 0 of 1 ready pods after \d+ s/);
        assert.match(message, /event: Failed: .*cutover\.local\/no-such-image:1\.0\.0/);
        assert.ok(seconds < 20, `took ${seconds} s`);
    });

    it("refuses a pod whose Secret does not exist, naming it", async () => {
        const { message } = await refused("no-secret");
        assert.match(message, /CreateContainerConfigError: secret "no-such-secret" not found/);
    });

    it("refuses a release that crashes, with its exit code and last words", async () => {
        const { message } = await refused("crashes");
        assert.match(
            message,
            /CrashLoopBackOff: container api restarted \d+ times, last exit code 1/,
        );
        assert.match(message, /\n +log: \S+/);
    });

    it("refuses a release that never gets ready, with the probe's answer", async () => {
        const { message, seconds } = await refused("unready");
        assert.match(message, /pod api-unready-\S+: container api runs but is not ready/);
        assert.match(message, /event: Unhealthy: Readiness probe failed: .*503/);
        assert.ok(seconds < 10, `took ${seconds} s`);
    });

    it("refuses a target whose rollout is stuck, although its old pods are ready", async () => {
        const { message } = await refused("stuck");
        assert.match(message, /pod api-stuck-\S+: (ErrImagePull|ImagePullBackOff): /);
        assert.match(message, /1 wanted, 1 made, 0 ready; 1 ready pods of an older template/);
    });

    it("refuses a target whose pods a quota forbids, quoting it", async () => {
        const { message, seconds } = await refused("quota");
        assert.match(message, /Deployment api-quota: FailedCreate: .*exceeded quota: no-more/);
        assert.ok(seconds < 20, `took ${seconds} s`);
    });

    it("refuses a Deployment that is not there", async () => {
        const { message } = await refuse("nothing");
        assert.equal(
            message,
            `api stays on good: Deployment ${NAMESPACE}/api-nothing of nothing does not exist`,
        );
    });

    it("says what it may not read, at once", async () => {
        const kubeconfig = await kubeconfigOf("nobody");
        const { message, seconds } = await refuse("good", { kubeconfig, context: undefined });
        assert.match(
            message,
            /^api stays on good: the API server refused to read .* is forbidden: /,
        );
        assert.match(message, new RegExp(`system:serviceaccount:${NAMESPACE}:nobody`));
        assert.ok(seconds < 2, `took ${seconds} s`);
    });

    /** The kubeconfig, as content, of a new ServiceAccount that may do nothing. */
    async function kubeconfigOf(name: string): Promise<string> {
        await kube.create({
            apiVersion: "v1",
            kind: "ServiceAccount",
            metadata: { name, namespace: NAMESPACE },
        });
        const { server, authority } = kube.cluster;
        return JSON.stringify({
            "current-context": "test",
            contexts: [{ name: "test", context: { cluster: "test", user: name } }],
            clusters: [
                { name: "test", cluster: { server, "certificate-authority-data": authority } },
            ],
            users: [{ name, user: { token: await kube.tokenOf(NAMESPACE, name) } }],
        });
    }
});
