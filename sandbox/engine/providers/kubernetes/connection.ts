import type { ProviderContext } from "../types";
import type { Cluster } from "./cluster";
import type { ClusterAccess } from "./kubeconfig";
import { lazy } from "./lazy";
import type { Settings } from "./settings";

const FORGET_HELP =
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the " +
    'operation with the PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"';

/**
 * The way to the cluster, gone only when something is to be asked: a run without changes neither
 * reads the kubeconfig nor opens a connection. It is tried once; the outcome holds for the run.
 */
export class Connection {
    private accessing?: Promise<ClusterAccess>;
    private connecting?: Promise<Cluster>;
    private warned = false;

    constructor(private readonly settings: Settings) {}

    /** Where objects go that name no namespace. */
    async defaultNamespace(): Promise<string> {
        if (this.settings.namespace !== undefined) return this.settings.namespace;
        // Without a kubeconfig the first change says so; this is no place to fail.
        const access = await this.access().catch(() => undefined);
        return access?.namespace ?? "default";
    }

    /** How a custom kind is addressed; one that is not there yet is taken for namespaced. */
    async mapping(
        context: ProviderContext,
        apiVersion: string,
        kind: string,
    ): Promise<{ namespaced: boolean }> {
        try {
            const { mapper } = await this.open(context);
            return await mapper.mapping(apiVersion, kind, context.signal);
        } catch {
            // Its creation tells what is wrong.
            return { namespaced: true };
        }
    }

    /** @throws `configured Kubernetes cluster is unreachable: …` */
    async open(context: ProviderContext): Promise<Cluster> {
        try {
            this.connecting ??= this.connect(context.signal);
            return await this.connecting;
        } catch (error) {
            throw new Error(
                `configured Kubernetes cluster is unreachable: ${(error as Error).message}`,
                { cause: error },
            );
        }
    }

    /** Undefined if there is no cluster (yet): then a preview can only show the inputs. */
    async openForPreview(context: ProviderContext): Promise<Cluster | undefined> {
        if (this.settings.unknown) return undefined;
        try {
            return await this.open(context);
        } catch (error) {
            if (!this.warned) context.log("warning", (error as Error).message);
            this.warned = true;
            return undefined;
        }
    }

    /** Undefined if there is no cluster and the user wants its objects forgotten. */
    async openOrForget(context: ProviderContext): Promise<Cluster | undefined> {
        try {
            return await this.open(context);
        } catch (error) {
            const { message } = error as Error;
            if (!this.settings.deleteUnreachable) {
                throw new Error(`${message}. ${FORGET_HELP}`, { cause: error });
            }
            context.log("warning", `${message}; removing the resource from Pulumi state only`);
            return undefined;
        }
    }

    private access(): Promise<ClusterAccess> {
        this.accessing ??= (async () => lazy.kubeconfig().loadCluster(this.settings))();
        return this.accessing;
    }

    private async connect(signal: AbortSignal): Promise<Cluster> {
        const access = await this.access();
        return lazy.cluster().Cluster.connect(access, signal);
    }
}
