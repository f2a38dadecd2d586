import { AppsV1Api, CoreV1Api, KubeConfig, VersionApi } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError, ExitCode } from "../errors";

/** A cluster that the demo or a test may write to: always one that was named. */
export interface NamedCluster {
    /** Path, or several as in `KUBECONFIG`. */
    kubeconfig: string;
    context: string;
    client: KubeConfig;
    /** For example `v1.34.4`. */
    version: string;
}

const DELETE_DEADLINE_MS = 90_000;
const READY_DEADLINE_MS = 150_000;

/**
 * @param kubeconfig the sandbox's; absent for the user's own (`KUBECONFIG`, `~/.kube/config`)
 * @throws CliError when there is no such context or its API server does not answer
 */
export async function connect(context: string, kubeconfig?: string): Promise<NamedCluster> {
    const client = new KubeConfig();
    if (kubeconfig === undefined) client.loadFromDefault();
    else client.loadFromFile(kubeconfig);
    if (!client.getContextObject(context)) {
        const known = client.getContexts().map(({ name }) => name);
        throw new CliError(
            `--context: no context "${context}" in the kubeconfig, ` +
                `expected one of ${known.join(", ") || "(it has none)"}`,
            ExitCode.usage,
        );
    }
    client.setCurrentContext(context);
    try {
        const { gitVersion } = await client.makeApiClient(VersionApi).getCode();
        return {
            kubeconfig: kubeconfig ?? process.env.KUBECONFIG ?? "",
            context,
            client,
            version: gitVersion,
        };
    } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new CliError(`the API server of context "${context}" does not answer: ${why}`);
    }
}

/** Whether the namespace exists, also while it is being deleted. */
export async function hasNamespace({ client }: NamedCluster, name: string): Promise<boolean> {
    const { items } = await client
        .makeApiClient(CoreV1Api)
        .listNamespace({ fieldSelector: `metadata.name=${name}` });
    return items.length > 0;
}

/** Deletes a namespace with all that is in it, volumes too, and waits until it is gone. */
export async function deleteNamespace(cluster: NamedCluster, name: string): Promise<void> {
    if (!(await hasNamespace(cluster, name))) return;
    await cluster.client.makeApiClient(CoreV1Api).deleteNamespace({ name });
    const deadline = Date.now() + DELETE_DEADLINE_MS;
    while (await hasNamespace(cluster, name)) {
        if (Date.now() > deadline) {
            throw new CliError(
                `namespace ${name} is still there after ${DELETE_DEADLINE_MS / 1_000} s`,
            );
        }
        await sleep(500);
    }
}

/**
 * Waits until every Deployment of the namespace has all its pods ready. An `up` does not wait for an
 * idle color; whoever wants to switch to it at once does.
 *
 * @throws CliError naming the Deployments and their pods' reasons after 150 s
 */
export async function deploymentsReady(
    { client }: NamedCluster,
    namespace: string,
    signal?: AbortSignal,
): Promise<void> {
    const api = client.makeApiClient(AppsV1Api);
    const deadline = Date.now() + READY_DEADLINE_MS;
    for (;;) {
        const { items } = await api.listNamespacedDeployment({ namespace });
        const waiting = items.filter(
            ({ metadata, spec, status }) =>
                status?.observedGeneration !== metadata?.generation ||
                (status?.updatedReplicas ?? 0) < (spec?.replicas ?? 1) ||
                (status?.readyReplicas ?? 0) < (spec?.replicas ?? 1),
        );
        if (waiting.length === 0) return;
        if (Date.now() > deadline) {
            const names = waiting.map(({ metadata }) => metadata?.name).join(", ");
            const reasons = await podReasons(client, namespace);
            throw new CliError(
                `${names}: not ready after ${READY_DEADLINE_MS / 1_000} s${reasons}`,
            );
        }
        await sleep(250, undefined, { signal });
    }
}

/** One line per pod that is not ready, with the reason that Kubernetes gives. */
async function podReasons(client: KubeConfig, namespace: string): Promise<string> {
    const { items } = await client.makeApiClient(CoreV1Api).listNamespacedPod({ namespace });
    return items
        .map(({ metadata, status }) => {
            const waiting = status?.containerStatuses?.[0]?.state?.waiting;
            const unmet = status?.conditions?.find(({ status }) => status === "False");
            const reason = waiting?.reason ?? unmet?.reason;
            const message = waiting?.message ?? unmet?.message ?? "";
            return reason ? `\n  ${metadata?.name}: ${reason} ${message}` : "";
        })
        .join("");
}
