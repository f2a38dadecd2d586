// lane: shared, about 200 s
import assert from "node:assert/strict";
import { symlink } from "node:fs/promises";
import path from "node:path";
import {
    AppsV1Api,
    CoreV1Api,
    type KubeConfig,
    type V1Container,
    type V1Deployment,
} from "@kubernetes/client-node";
import { loadImages } from "../../sandbox/images";
import { connect, deleteNamespace } from "../../scripts/demo/cluster";
import { createScratch } from "../../scripts/demo/scratch";
import { openStack } from "../../scripts/demo/stack";
import { resolveEngine } from "../../scripts/engine";
import { releasesSince } from "../../scripts/prober";
import { silentProgress } from "../../scripts/progress";
import { requireCluster, type Cluster } from "../support/cluster";
import { LOAD_MS, LoadedStack, ROOT, type TestStack } from "../support/e2e";
import { shareOf } from "../support/strategies";

const PROGRAM = path.join(ROOT, "examples", "user-service");
/** Requests are spread at random: of 500, a share of 20 % is met within 8 points all but always. */
const POINTS = 8;

/** A stack of the example, configured as its own config file says but for its place. */
async function openExample(
    cluster: Cluster,
    { stack: name, namespace, nodePort }: { stack: string; namespace: string; nodePort: number },
): Promise<TestStack> {
    if (cluster.sandbox) await loadImages(cluster.sandbox, silentProgress);
    const named = await connect(cluster.context, cluster.kubeconfig);
    const namespaces = [namespace, `${namespace}-blue`, `${namespace}-green`];
    const removeAll = async () => {
        for (const each of namespaces) await deleteNamespace(named, each);
    };
    await removeAll();
    const scratch = await createScratch(PROGRAM, cluster.kubeconfig);
    await symlink(path.join(ROOT, "node_modules"), path.join(scratch.folder, "node_modules"));
    const stack = await openStack(scratch, name, (await resolveEngine()).command);
    await stack.configure({
        "kubernetes:context": cluster.context,
        "user-service:namespace": namespace,
        "user-service:nodePort": String(nodePort),
        "user-service:resources.requests.cpu": "25m",
        "user-service:resources.requests.memory": "64Mi",
    });
    return {
        cluster: named,
        stack,
        scratch,
        namespace,
        url: `http://127.0.0.1:${nodePort}`,
        destroy: async () => {
            try {
                await stack.destroy();
            } finally {
                await removeAll();
                await scratch.remove();
            }
        },
    };
}

function containerOf({ spec }: V1Deployment): V1Container {
    const container = spec?.template.spec?.containers[0];
    assert.ok(container);
    return container;
}

/** The ports and probes that every pod of the user service has. */
function assertPods(deployment: V1Deployment, replicas: number): void {
    assert.equal(deployment.spec?.replicas, replicas);
    const { ports, livenessProbe, readinessProbe } = containerOf(deployment);
    assert.equal(ports?.[0]?.containerPort, 8000);
    assert.equal(livenessProbe?.httpGet?.path, "/health");
    assert.equal(livenessProbe?.initialDelaySeconds, 30);
    assert.equal(livenessProbe?.periodSeconds, 10);
    assert.equal(readinessProbe?.httpGet?.path, "/ready");
    assert.equal(readinessProbe?.initialDelaySeconds, 5);
    assert.equal(readinessProbe?.periodSeconds, 5);
}

/** The selector of a Service that leads from port 80 to the pods' port. */
async function selectorOf(client: KubeConfig, namespace: string, name: string) {
    const api = client.makeApiClient(CoreV1Api);
    const { spec } = await api.readNamespacedService({ namespace, name });
    assert.deepEqual(
        spec?.ports?.map(({ port, targetPort }) => [port, targetPort]),
        [[80, 8000]],
    );
    return spec?.selector;
}

describe("the example user-service as a blue/green pair in two namespaces", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);
    const namespace = "e2e-shop";
    let target: TestStack;
    let load: LoadedStack | undefined;

    before(async function () {
        const cluster = await requireCluster.call(this);
        target = await openExample(cluster, { stack: "dev", namespace, nodePort: 30_914 });
    });

    after(async function () {
        this.timeout(180_000);
        await load?.stop();
        await target?.destroy();
    });

    it("deploys what the document's manifests describe", async () => {
        await target.stack.up();
        load = await LoadedStack.start(target);
        const { client } = target.cluster;
        const apps = client.makeApiClient(AppsV1Api);
        const core = client.makeApiClient(CoreV1Api);
        for (const color of ["blue", "green"]) {
            const own = { namespace: `${namespace}-${color}`, name: `user-service-${color}` };
            const deployment = await apps.readNamespacedDeployment(own);
            assertPods(deployment, 3);
            const { env } = containerOf(deployment);
            assert.equal(env?.find(({ name }) => name === "ENVIRONMENT")?.value, color);
            const url = env?.find(({ name }) => name === "DATABASE_URL_FILE")?.value;
            assert.ok(url?.endsWith("/url"), url);
            const selector = await selectorOf(client, own.namespace, own.name);
            assert.deepEqual(selector, { app: "user-service", deployment: color });
            const secret = await core.readNamespacedSecret({
                namespace: own.namespace,
                name: `db-secret-${color}`,
            });
            const text = Buffer.from(secret.data?.url ?? "", "base64").toString();
            assert.match(text, /^postgresql:\/\/user_service:[^@]+@db:5432\/users$/);
        }
        const name = "nginx-load-balancer";
        const router = await apps.readNamespacedDeployment({ namespace, name });
        assert.equal(router.spec?.replicas, 2);
    });

    it("switches to green under load", async () => {
        const { samples, run } = await load!.transition("user-service: switch", async () => {
            await target.stack.configure({ "user-service:activeColor": "green" });
            return target.stack.up();
        });
        assert.deepEqual(releasesSince(samples, "new", run.to + 1_000), new Set(["1.1.0"]));
    });
});

describe("the example user-service as a stepped canary", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);
    const namespace = "e2e-shop-canary";
    let target: TestStack;
    let load: LoadedStack | undefined;

    before(async function () {
        const cluster = await requireCluster.call(this);
        target = await openExample(cluster, { stack: "canary", namespace, nodePort: 30_915 });
    });

    after(async function () {
        this.timeout(180_000);
        await load?.stop();
        await target?.destroy();
    });

    it("deploys five stable pods, and a Service of its own for each track", async () => {
        await target.stack.up();
        load = await LoadedStack.start(target);
        const { client } = target.cluster;
        const apps = client.makeApiClient(AppsV1Api);
        const name = "user-service-stable";
        assertPods(await apps.readNamespacedDeployment({ namespace, name }), 5);
        for (const track of ["stable", "canary"]) {
            const selector = await selectorOf(client, namespace, `user-service-${track}`);
            assert.deepEqual(selector, { app: "user-service", track });
        }
    });

    it("gives the canary the share of its step", async () => {
        const { samples, run } = await load!.transition("user-service: first step", async () => {
            await target.stack.configure({ "user-service:step": "1" });
            return target.stack.up();
        });
        const share = shareOf(samples, "1.1.0", run.to + 1_000);
        assert.ok(Math.abs(share - 20) <= POINTS, `the canary got ${share.toFixed(1)} %`);
        const { weights } = await target.stack.outputs();
        assert.deepEqual(weights?.value, { stable: 80, canary: 20 });
    });

    it("refuses a step that there is not", async () => {
        await target.stack.configure({ "user-service:step": "5" });
        const expected = /user-service:step: got 5, expected 0 to 4, the number of steps/;
        await assert.rejects(target.stack.preview(), expected);
    });
});
