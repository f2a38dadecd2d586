import { CoreV1Api, KubeConfig, VersionApi } from "@kubernetes/client-node";
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
