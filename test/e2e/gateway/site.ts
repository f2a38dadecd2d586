import type { KubeClient } from "../../../sandbox/engine/providers/kubernetes/client";
import { requireCluster, type Cluster } from "../../support/cluster";
import {
    installGatewayApi,
    openClient,
    remove,
    removeGatewayApi,
    StatusStub,
} from "../../support/gateway";
import { Kube } from "../../support/kube";

export const GROUP = "gateway.networking.k8s.io";
export const API = `/apis/${GROUP}/v1`;
/** The operator's namespace, with a Gateway `main` for routes from everywhere and a `closed` one. */
export const INFRA = "cutover-gateway-infra";
export const CLASS = "cutover-e2e";
export const CONTROLLER = "example.com/status-stub";

/** A cluster that can be given the Gateway API, Gateways, and somebody who answers for them. */
export class GatewaySite {
    private started: StatusStub | undefined;

    private constructor(
        readonly cluster: Cluster,
        readonly client: KubeClient,
        readonly kube: Kube,
    ) {}

    /** Without anything of the Gateway API, unless the cluster's owner has it there. */
    static async open(this: void, context: Mocha.Context): Promise<GatewaySite> {
        const cluster = await requireCluster.call(context);
        const site = new GatewaySite(cluster, openClient(cluster), new Kube(cluster));
        await removeGatewayApi(site.client);
        await site.kube.freshNamespace(INFRA);
        return site;
    }

    async installApi(): Promise<void> {
        await installGatewayApi(this.client);
    }

    /** The Gateways, which nobody looks after yet. */
    async addGateways(): Promise<void> {
        const apiVersion = `${GROUP}/v1`;
        await this.client.request("POST", `${API}/gatewayclasses`, {
            body: {
                apiVersion,
                kind: "GatewayClass",
                metadata: { name: CLASS },
                spec: { controllerName: CONTROLLER },
            },
        });
        for (const [name, from] of Object.entries({ main: "All", closed: "Same" })) {
            const listener = { name: "http", port: 80, protocol: "HTTP" };
            const listeners = [{ ...listener, allowedRoutes: { namespaces: { from } } }];
            const spec = { gatewayClassName: CLASS, listeners };
            await this.client.request("POST", `${API}/namespaces/${INFRA}/gateways`, {
                body: { apiVersion, kind: "Gateway", metadata: { name }, spec },
            });
        }
    }

    startController(): void {
        this.started = new StatusStub(this.client, CLASS, CONTROLLER);
        this.started.start();
    }

    get controller(): StatusStub {
        if (this.started === undefined) throw new Error("no controller was started");
        return this.started;
    }

    async close(): Promise<void> {
        await this.started?.stop();
        await this.kube.removeNamespace(INFRA);
        await remove(this.client, `${API}/gatewayclasses/${CLASS}`);
        await removeGatewayApi(this.client);
        this.client.close();
    }
}
