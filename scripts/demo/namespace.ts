import { ApiException, CoreV1Api, type V1Namespace } from "@kubernetes/client-node";
import { identify, isAlive, type ProcessId } from "../../sandbox/machine/process";
import { CliError } from "../errors";
import { deleteNamespace, type NamedCluster } from "./cluster";

/** Annotation of a namespace that a demo made: the process that did. */
export const MADE_BY_DEMO = "cutover.local/made-by-demo";

/**
 * Makes the demo's namespace and marks it as the demo's own. What a demo of before left behind there
 * is removed first: the program keeps its namespace when it is destroyed, for the database's volume.
 * A namespace that is anyone else's, or in use by another demo, is left alone.
 *
 * @throws CliError when there is one that is not the demo's to remove
 */
export async function makeNamespace(cluster: NamedCluster, name: string): Promise<void> {
    const api = cluster.client.makeApiClient(CoreV1Api);
    const { items } = await api.listNamespace({ fieldSelector: `metadata.name=${name}` });
    const [existing] = items;
    if (existing) {
        const { items: pods } = await api.listNamespacedPod({ namespace: name });
        const reason = notToRemove(existing, pods.length);
        if (reason) throw refusal(cluster, name, reason);
        await deleteNamespace(cluster, name);
    }
    const mark = JSON.stringify(identify(process.pid) ?? {});
    try {
        const metadata = { name, annotations: { [MADE_BY_DEMO]: mark } };
        await api.createNamespace({ body: { metadata } });
    } catch (error) {
        if (!(error instanceof ApiException && error.code === 409)) throw error;
        throw refusal(cluster, name, "end what runs there first");
    }
}

/** Why a namespace that is there may not be removed; nothing for one that a demo has done with. */
export function notToRemove(namespace: V1Namespace, pods: number): string | undefined {
    const mark = namespace.metadata?.annotations?.[MADE_BY_DEMO];
    if (mark === undefined) return "end what runs there first";
    if (isAlive(parseMark(mark))) return "another demo is running";
    if (pods > 0) return "a demo that was kept still runs there: end it first, as it said";
    return undefined;
}

function parseMark(mark: string): ProcessId | undefined {
    try {
        const id = JSON.parse(mark) as Partial<ProcessId>;
        return Number.isInteger(id.pid) ? (id as ProcessId) : undefined;
    } catch {
        return undefined;
    }
}

function refusal({ context }: NamedCluster, name: string, reason: string): CliError {
    return new CliError(
        `namespace ${name} exists already in context ${context}; ` +
            `the demo deploys into a namespace of its own: ${reason}`,
    );
}
