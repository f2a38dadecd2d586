import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { PORT_NAME, SERVICE_TYPE } from "./defaults";
import { dependingOn, detached } from "./detached";
import { routeHooks, SERVES_ANNOTATION, type GateSpec } from "./gate";
import { ServiceType } from "./plan/types";

export interface RouteArgs {
    namespace: string;
    /** Name of the Service. It must never change: its clients know it. */
    serviceName: string;
    /** Port of the Service, and of the pods behind it unless `targetPort` says otherwise. */
    port: number;
    /** Port of the pods. Defaults to `port`. */
    targetPort?: number;
    /** The pods that get the traffic. */
    selector: Record<string, string>;
    /** How the Service is exposed. Defaults to `ClusterIP`. */
    type?: ServiceType;
    /** Port on every node, with type `NodePort` or `LoadBalancer`. Defaults to one that Kubernetes picks. */
    nodePort?: number;
    /**
     * `Cluster` or `Local`, with type `NodePort` or `LoadBalancer`: `Local` keeps the client's address,
     * and leaves out nodes without a pod behind the Service. Defaults to `Cluster`.
     */
    externalTrafficPolicy?: string;
    labels?: Record<string, pulumi.Input<string>>;
    /**
     * What the selected pods run, as far as the gate is to wait for it: it runs whenever this changes,
     * also where the selector stays. Kept on the Service, so that an `up` that failed is not forgotten.
     * Defaults to none: then the gate runs only when the route moves.
     */
    serves?: pulumi.Input<string>;
    /** What the gate checks before and after the route moves. */
    gate: GateSpec;
}

/**
 * The public Service of an API: the one object that decides where live traffic goes. It is made once
 * and stays, whatever the strategy, so that only its selector and target port ever change; the
 * component sits beside the strategy's, not below it, because a new parent would be a new Service.
 *
 * Pulumi's own wait for a Service lasts 10 s and passes with no endpoint at all. The gate's hooks do
 * better, so the wait is off, except for a LoadBalancer, whose address has to be waited for.
 */
export class Route extends pulumi.ComponentResource {
    readonly service: Service;
    /** Where the API is reached: inside the cluster, on a node's port, or at a load balancer. */
    readonly url: pulumi.Output<string>;

    constructor(name: string, args: RouteArgs, opts?: pulumi.ComponentResourceOptions) {
        const { namespace, serviceName, port, targetPort = port, selector, nodePort } = args;
        const type = args.type ?? SERVICE_TYPE;
        super("cutover:index:Route", name, { namespace, serviceName, port, type }, opts);

        this.service = new Service(
            name,
            {
                // No property of it may come from a resource: to replace that could delete the Service.
                metadata: detached({
                    name: serviceName,
                    namespace,
                    labels: args.labels,
                    annotations: {
                        ...(type !== ServiceType.loadBalancer && {
                            "pulumi.com/skipAwait": "true",
                        }),
                        ...(args.serves !== undefined && { [SERVES_ANNOTATION]: args.serves }),
                    },
                }),
                spec: {
                    type,
                    selector,
                    ports: [{ name: PORT_NAME, port, targetPort, nodePort }],
                    externalTrafficPolicy: args.externalTrafficPolicy,
                },
            },
            {
                parent: this,
                dependsOn: dependingOn(opts?.dependsOn, [args.labels, args.serves]),
                hooks: routeHooks(name, args.gate),
            },
        );
        this.url = urlOf(this.service, type);
        this.registerOutputs({ service: this.service.metadata.name, url: this.url });
    }
}

/** A node's port is shown at 127.0.0.1, where it answers on a node itself and in local clusters. */
function urlOf(service: Service, type: ServiceType): pulumi.Output<string> {
    if (type === ServiceType.loadBalancer) {
        return pulumi.all([service.status, service.spec]).apply(([status, spec]) => {
            const ingress = status.loadBalancer?.ingress?.[0];
            return `http://${ingress?.hostname ?? ingress?.ip ?? "pending"}:${spec.ports[0]?.port}`;
        });
    }
    return pulumi.all([service.metadata, service.spec]).apply(([{ name, namespace }, spec]) => {
        const port = spec.ports[0];
        return type === ServiceType.nodePort
            ? `http://127.0.0.1:${port?.nodePort}`
            : `http://${name}.${namespace}.svc:${port?.port}`;
    });
}
