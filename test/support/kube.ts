import { setTimeout as sleep } from "node:timers/promises";
import {
    ApiException,
    CoreV1Api,
    KubeConfig,
    KubernetesObjectApi,
    PatchStrategy,
    type KubernetesObject,
} from "@kubernetes/client-node";
import type { Cluster } from "./cluster";

/** A manifest, as one writes it in YAML. */
export type Manifest = KubernetesObject & {
    metadata: { name: string; namespace?: string };
    [field: string]: unknown;
};

/** What the tests do to a cluster beside the program, as another user of it. */
export class Kube {
    private readonly config = new KubeConfig();
    private readonly api: KubernetesObjectApi;

    constructor({ kubeconfig, context }: Pick<Cluster, "kubeconfig" | "context">) {
        this.config.loadFromFile(kubeconfig);
        this.config.setCurrentContext(context);
        this.api = this.config.makeApiClient(KubernetesObjectApi);
    }

    /** Where the cluster is, and its certificate authority in base64. */
    get cluster(): { server: string; authority: string } {
        const { server = "", caData = "" } = this.config.getCurrentCluster() ?? {};
        return { server, authority: caData };
    }

    /** A short-lived token of a ServiceAccount. */
    async tokenOf(namespace: string, name: string): Promise<string> {
        const core = this.config.makeApiClient(CoreV1Api);
        const body = { spec: { audiences: [], expirationSeconds: 600 } };
        const request = { namespace, name, body };
        const { status } = await core.createNamespacedServiceAccountToken(request);
        return status?.token ?? "";
    }

    async create(...manifests: Manifest[]): Promise<void> {
        for (const manifest of manifests) await this.api.create(manifest);
    }

    /** Merges `changes` into an object that exists. */
    async patch(changes: Manifest): Promise<void> {
        await this.api.patch(
            changes,
            undefined,
            undefined,
            undefined,
            undefined,
            PatchStrategy.MergePatch,
        );
    }

    /** The object, as the API has it; undefined when there is none. */
    async get<T = Manifest>(
        apiVersion: string,
        kind: string,
        namespace: string,
        name: string,
    ): Promise<T | undefined> {
        try {
            const header = { apiVersion, kind, metadata: { name, namespace } };
            return (await this.api.read(header)) as T;
        } catch (error) {
            if (isNotFound(error)) return undefined;
            throw error;
        }
    }

    async list<T = Manifest>(apiVersion: string, kind: string, namespace: string): Promise<T[]> {
        return (await this.api.list(apiVersion, kind, namespace)).items as T[];
    }

    /** Deletes without waiting for the end. */
    async remove(
        apiVersion: string,
        kind: string,
        name: string,
        namespace?: string,
    ): Promise<void> {
        try {
            await this.api.delete({ apiVersion, kind, metadata: { name, namespace } });
        } catch (error) {
            if (!isNotFound(error)) throw error;
        }
    }

    /** Makes the namespace anew: gone first, if an interrupted run left it behind. */
    async freshNamespace(name: string): Promise<void> {
        await this.removeNamespace(name);
        await this.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }

    async removeNamespace(name: string): Promise<void> {
        await this.remove("v1", "Namespace", name);
        await until(`namespace ${name} to be gone`, 60, async () => {
            return (await this.get("v1", "Namespace", "", name)) === undefined;
        });
    }
}

/** Looks every 200 ms until `done`; fails after `seconds`, saying what was waited for. */
export async function until(
    what: string,
    seconds: number,
    done: () => Promise<boolean> | boolean,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await done())) {
        if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
        await sleep(200);
    }
}

function isNotFound(error: unknown): boolean {
    return error instanceof ApiException && error.code === 404;
}
