import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningControlPlane, startControlPlane } from "../../../sandbox/control-plane";
import { KubeClient } from "../../../sandbox/engine/providers/kubernetes/client";
import { loadCluster } from "../../../sandbox/engine/providers/kubernetes/kubeconfig";
import { kubernetes } from "../../../sandbox/engine/providers/kubernetes/index";
import type { Inputs, Json, ResourceProvider } from "../../../sandbox/engine/providers/types";

/** Building the programs takes minutes where they are not cached yet. */
export const CONTROL_PLANE_TIMEOUT_MS = 900_000;

const MERGE_PATCH = "application/merge-patch+json";

/** A real API server with its controllers and no node, and a client of the tests' own. */
export interface TestCluster {
    kubeconfig: string;
    client: KubeClient;
    /** A namespace that no other test uses. */
    namespace(): Promise<string>;
}

let started: Promise<{ cluster: TestCluster; stop(): Promise<void> }> | undefined;

/** One for all files of a run: starting it takes longer than most tests. */
export async function sharedCluster(): Promise<TestCluster> {
    started ??= startCluster();
    return (await started).cluster;
}

/** What a test of the provider has: the shared cluster, and a namespace with a provider of its own. */
export interface ProviderUnderTest {
    cluster: TestCluster;
    client: KubeClient;
    /** Of the present test. */
    namespace: string;
    provider: ResourceProvider;
}

/** Call it in a `describe`; what it returns is filled before each test. */
export function useProvider(): ProviderUnderTest {
    const its = {} as ProviderUnderTest;
    before(async function () {
        this.timeout(CONTROL_PLANE_TIMEOUT_MS);
        its.cluster = await sharedCluster();
        its.client = its.cluster.client;
    });
    beforeEach(async () => {
        const { kubeconfig } = its.cluster;
        its.namespace = await its.cluster.namespace();
        its.provider = await kubernetes.configure({ kubeconfig, namespace: its.namespace });
    });
    return its;
}

// For the whole run: files are loaded before any test starts.
after(async () => (await started)?.stop());

async function startCluster(): Promise<{ cluster: TestCluster; stop(): Promise<void> }> {
    const stateDir = mkdtempSync(join(tmpdir(), "cutover-control-plane-"));
    const plane: RunningControlPlane = await startControlPlane({ stateDir });
    const client = new KubeClient(loadCluster({ kubeconfig: plane.kubeconfig }));
    let count = 0;
    const cluster: TestCluster = {
        kubeconfig: plane.kubeconfig,
        client,
        async namespace() {
            const name = `test-${++count}`;
            await client.request("POST", "/api/v1/namespaces", { body: { metadata: { name } } });
            return name;
        },
    };
    return {
        cluster,
        async stop() {
            client.close();
            await plane.stop();
            rmSync(stateDir, { recursive: true, force: true });
        },
    };
}

/** Changes an object as another manager than Pulumi: like `kubectl edit` or a controller. */
export const patchAs = (
    client: KubeClient,
    fieldManager: string,
    path: string,
    body: Json,
): Promise<Inputs> =>
    client.request("PATCH", path, { query: { fieldManager }, body, contentType: MERGE_PATCH });

/** What the kubelet would say of a pod. */
export type PodVerdict = "ready" | "succeeded" | "failed" | { waiting: string; message: string };

/** Plays the kubelet for the pods of a namespace (undefined: of all) until `signal` is aborted. */
export async function playKubelet(
    client: KubeClient,
    namespace: string | undefined,
    signal: AbortSignal,
    verdict: (pod: Inputs) => PodVerdict,
): Promise<void> {
    const seen = new Set<string>();
    const report = async (pod: Inputs): Promise<void> => {
        const metadata = pod.metadata as { name: string; namespace: string; uid: string };
        if (seen.has(metadata.uid)) return;
        seen.add(metadata.uid);
        const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
        await client
            .request("PATCH", path, {
                body: { status: podStatus(verdict(pod)) },
                contentType: MERGE_PATCH,
            })
            // The pod may be gone again.
            .catch(() => undefined);
    };
    const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
    const path = `/api/v1${scope}/pods`;
    await client
        .watch(
            path,
            {},
            signal,
            () => undefined,
            ({ type, object }) => {
                if (type !== "DELETED") void report(object);
            },
        )
        .catch(() => undefined);
}

function podStatus(verdict: PodVerdict): Inputs {
    const condition = (type: string, status: string, message = ""): Inputs => ({
        type,
        status,
        ...(message === "" ? {} : { reason: "ContainersNotReady", message }),
    });
    const conditions = [condition("PodScheduled", "True"), condition("Initialized", "True")];
    if (verdict === "ready") {
        return { phase: "Running", conditions: [...conditions, condition("Ready", "True")] };
    }
    if (verdict === "succeeded") return { phase: "Succeeded", conditions };
    if (verdict === "failed") return { phase: "Failed", conditions };
    return {
        phase: "Pending",
        conditions: [
            ...conditions,
            condition("Ready", "False", "containers with unready status: [main]"),
        ],
        containerStatuses: [
            {
                name: "main",
                ready: false,
                restartCount: 0,
                image: "x",
                imageID: "",
                state: { waiting: { reason: verdict.waiting, message: verdict.message } },
            },
        ],
    };
}
