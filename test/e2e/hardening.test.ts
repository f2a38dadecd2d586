// lane: shared, about 150 s
import assert from "node:assert/strict";
import { ApiException, CoreV1Api, KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { requireCluster } from "../support/cluster";
import { apiImage } from "../support/e2e";
import { Kube, until } from "../support/kube";
import { Program } from "../support/program";
import { BROKEN_PODS } from "./hardening/broken-pods";

const NAMESPACE = "e2e-hardening";
const LIVE = "app=flask-api,deployment=blue";
const IDLE = "app=flask-api,deployment=green";

/** Seconds that the slow release takes until it listens: more than its liveness probe would grant. */
const SLOW_START_SECONDS = 16;
const STRICT_LIVENESS = { initialDelaySeconds: 1, periodSeconds: 2, failureThreshold: 4 };
const LIVENESS_SECONDS = 1 + 2 * 4;

// One stack goes from state to state: each test starts where the one before ended.
describe("what is hardened by default, on a real cluster", function () {
    this.timeout(240_000);
    this.bail(true);
    let program: Program;
    let kube: Kube;
    let core: CoreV1Api;

    before(async function () {
        const cluster = await requireCluster.call(this);
        kube = new Kube(cluster);
        const config = new KubeConfig();
        config.loadFromFile(cluster.kubeconfig);
        config.setCurrentContext(cluster.context);
        core = config.makeApiClient(CoreV1Api);
        program = await Program.open(cluster, { name: NAMESPACE, nodePort: 30_501 });
        program.configure({
            "cutover:replicas": 2,
            "cutover:network": {
                ingress: [
                    { namespaceSelector: {} },
                    { cidr: "0.0.0.0/0", except: ["192.0.2.0/24"] },
                ],
                metrics: [{ podSelector: { app: "prometheus" } }],
                egress: [
                    { cidr: "192.0.2.0/24", ports: [{ port: 443 }, { port: 53, protocol: "UDP" }] },
                ],
            },
        });
        await program.mustUp();
    });

    after(async function () {
        this.timeout(120_000);
        await program?.close();
    });

    const podsOf = async (labelSelector?: string): Promise<V1Pod[]> =>
        (await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector })).items;

    const isReady = ({ status }: V1Pod): boolean =>
        status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

    /** The HTTP status of an eviction: 201, or 429 when a budget forbids it. */
    async function evict(pod: V1Pod | undefined): Promise<number> {
        const name = pod?.metadata?.name ?? "";
        const body = { metadata: { name, namespace: NAMESPACE } };
        try {
            await core.createNamespacedPodEviction({ name, namespace: NAMESPACE, body });
            return 201;
        } catch (error) {
            if (error instanceof ApiException) return error.code;
            throw error;
        }
    }

    const untilReady = (labelSelector: string, count: number) =>
        until(`${count} ready pods of ${labelSelector}`, 90, async () => {
            const pods = await podsOf(labelSelector);
            return pods.length === count && pods.every(isReady);
        });

    describe("Pod Security", () => {
        it("is enforced as restricted where everything of ours runs", async () => {
            const namespace = await core.readNamespace({ name: NAMESPACE });
            const labels = namespace.metadata?.labels ?? {};
            for (const mode of ["enforce", "audit", "warn"]) {
                assert.equal(labels[`pod-security.kubernetes.io/${mode}`], "restricted");
                assert.equal(labels[`pod-security.kubernetes.io/${mode}-version`], "v1.34");
            }
            const pods = await podsOf();
            assert.deepEqual(pods.filter((pod) => !isReady(pod)).length, 0);
            const apps = new Set(pods.map(({ metadata }) => metadata?.labels?.app));
            assert.deepEqual([...apps].sort(), ["flask-api", "postgres"]);
            const { items } = await core.listNamespacedEvent({
                namespace: NAMESPACE,
                fieldSelector: "reason=FailedCreate",
            });
            assert.deepEqual(
                items.map(({ message }) => message),
                [],
            );
        });

        /** A pod of ours as it would be created by hand, with nothing that the cluster put there. */
        async function ours(): Promise<V1Pod> {
            const [pod] = await podsOf(LIVE);
            assert.ok(pod?.spec);
            const { nodeName: _node, ...spec } = structuredClone(pod.spec);
            return { metadata: { name: "broken", namespace: NAMESPACE }, spec };
        }

        const create = (body: V1Pod) =>
            core.createNamespacedPod({ namespace: NAMESPACE, body, dryRun: "All" });

        it("admits a pod like ours", async () => {
            const { metadata } = await create(await ours());
            assert.equal(metadata?.name, "broken");
        });

        for (const [index, [says, change]] of BROKEN_PODS.entries()) {
            it(`refuses one with one setting of another kind (${index + 1}): ${says}`, async () => {
                const pod = await ours();
                change(pod);
                await assert.rejects(create(pod), (error) => {
                    assert.ok(error instanceof ApiException, String(error));
                    const { message } = JSON.parse(String(error.body)) as { message: string };
                    assert.equal(error.code, 403, message);
                    assert.ok(message.includes('violates PodSecurity "restricted:v1.34"'), message);
                    assert.ok(message.includes(says), message);
                    return true;
                });
            });
        }
    });

    describe("the objects of a stack", () => {
        it("have the recommended labels, and the label of their side where they have one", async () => {
            const kinds: [string, string][] = [
                ["apps/v1", "Deployment"],
                ["apps/v1", "StatefulSet"],
                ["networking.k8s.io/v1", "NetworkPolicy"],
                ["policy/v1", "PodDisruptionBudget"],
                ["v1", "Pod"],
                ["v1", "Secret"],
                ["v1", "Service"],
                ["v1", "ServiceAccount"],
            ];
            interface Labelled {
                metadata: { name: string; labels?: Record<string, string> };
            }
            for (const [apiVersion, kind] of kinds) {
                const found = await kube.list<Labelled>(apiVersion, kind, NAMESPACE);
                const own = found.filter(({ metadata }) => metadata.name !== "default");
                assert.ok(own.length > 0, kind);
                for (const { metadata } of own) {
                    const labels = metadata.labels ?? {};
                    const which = `${kind} ${metadata.name}`;
                    for (const key of ["name", "component", "part-of", "managed-by"]) {
                        assert.ok(labels[`app.kubernetes.io/${key}`], `${which}: ${key}`);
                    }
                    assert.ok(labels.app, which);
                    if (metadata.name.startsWith("flask-api-blue")) {
                        assert.equal(labels.deployment, "blue", which);
                    }
                }
            }
        });

        it("are what the cluster has: a second up finds no difference", async () => {
            interface Policy {
                metadata: { name: string };
                spec: { policyTypes: string[] };
            }
            const found = await kube.list<Policy>(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                NAMESPACE,
            );
            assert.deepEqual(
                found.map(({ metadata, spec }) => [metadata.name, spec.policyTypes]).sort(),
                ["api", "database", "default-deny", "router"].map((role) => [
                    `flask-api-${role}`,
                    ["Ingress", "Egress"],
                ]),
            );
            await program.mustBeUpToDate();
            const refreshed = await program.run(["refresh", "--yes", "--skip-preview"]);
            assert.equal(refreshed.code, 0, refreshed.output);
            await program.mustBeUpToDate();
        });
    });

    describe("a disruption budget", () => {
        it("lets one pod of the live side go, and the next one when that is replaced", async () => {
            const [first, second] = await podsOf(LIVE);
            await until("the budget to count the ready pods", 30, async () => {
                interface Budget {
                    status?: { disruptionsAllowed: number };
                }
                const budget = await kube.get<Budget>(
                    "policy/v1",
                    "PodDisruptionBudget",
                    NAMESPACE,
                    "flask-api-blue-pdb",
                );
                return budget?.status?.disruptionsAllowed === 1;
            });
            assert.equal(await evict(first), 201);
            assert.equal(await evict(second), 429);
            await until("the evicted pod to be gone", 90, async () => {
                return !(await podsOf(LIVE)).some(
                    ({ metadata }) => metadata?.uid === first?.metadata?.uid,
                );
            });
            await untilReady(LIVE, 2);
            assert.equal(await evict(second), 201);
        });

        it("holds up nobody who wants a pod that is not ready to go", async () => {
            program.configure({
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0") },
                    broken: { image: apiImage("2.0.1-never-ready") },
                },
                "cutover:green": "broken",
            });
            await program.mustUp();
            const running = async () => {
                const pods = await podsOf(IDLE);
                return pods.filter(({ status }) => status?.phase === "Running");
            };
            await until("two pods that run", 60, async () => (await running()).length === 2);
            for (const pod of await running()) {
                assert.equal(isReady(pod), false);
                // A pod whose status is written at that moment is to be evicted once more.
                await until("the eviction", 20, async () => (await evict(pod)) === 201);
            }
        });
    });

    describe("a startup probe", () => {
        it("keeps a slow start from being a reason for a restart, however strict liveness is", async () => {
            const wait = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${SLOW_START_SECONDS * 1_000})`;
            program.configure({
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0") },
                    slow: {
                        image: apiImage("1.0.0"),
                        env: { NODE_OPTIONS: "--require /etc/cutover/files/slow.js" },
                        files: { "slow.js": wait },
                    },
                },
                "cutover:green": "slow",
                "cutover:idle": 1,
                "cutover:api/probes/liveness": STRICT_LIVENESS,
            });
            await program.mustUp();
            await untilReady(IDLE, 1);
            const [pod] = await podsOf(IDLE);
            const [status] = pod?.status?.containerStatuses ?? [];
            const ready = pod?.status?.conditions?.find(({ type }) => type === "Ready");
            const since = status?.state?.running?.startedAt?.getTime() ?? NaN;
            const tookSeconds = ((ready?.lastTransitionTime?.getTime() ?? NaN) - since) / 1_000;
            assert.ok(tookSeconds > LIVENESS_SECONDS, `started within ${tookSeconds} s`);
            assert.equal(status?.restartCount, 0);
        });
    });
});
