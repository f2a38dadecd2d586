import { EndpointSlice } from "@pulumi/kubernetes/discovery/v1/endpointSlice";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import type * as pulumi from "@pulumi/pulumi";
import * as defaults from "./defaults";
import { kindOfHost } from "./host";
import { withoutAwait } from "./labels";

/** Where the Service `db` leads: to our own pods, or to a host outside the namespace. */
export type AliasTarget = { selector: Record<string, string> } | { host: string };

export interface AliasServiceArgs {
    /** Name of the resource. */
    name: string;
    namespace: pulumi.Input<string>;
    labels: Record<string, pulumi.Input<string>>;
    /** 1 to 65535; a host's port is the Service's too, as DNS can only lead to the host. */
    port: number;
    target: AliasTarget;
}

/**
 * The Service `db`, for each kind of target: our pods have a virtual address; a host name is an
 * ExternalName, which is a CNAME; an address has a headless Service with an EndpointSlice, which is an
 * A or AAAA record. Neither of the last two goes through kube-proxy, so any address works, another
 * Service's as well.
 */
export function aliasService(
    { name, namespace, labels, port, target }: AliasServiceArgs,
    opts: pulumi.CustomResourceOptions,
): Service {
    const metadata = { name: defaults.ALIAS_NAME, namespace, labels };
    const ports = [{ name: defaults.POSTGRES_NAME, port, targetPort: port }];
    const service = new Service(
        name,
        {
            metadata: { ...metadata, annotations: withoutAwait },
            spec: { ...specOf(target), ports },
        },
        opts,
    );
    if ("host" in target && kindOfHost(target.host) !== "name") {
        new EndpointSlice(
            name,
            {
                metadata: {
                    ...metadata,
                    labels: {
                        ...labels,
                        "kubernetes.io/service-name": defaults.ALIAS_NAME,
                        "endpointslice.kubernetes.io/managed-by": "pulumi",
                    },
                },
                addressType: kindOfHost(target.host) === "ipv4" ? "IPv4" : "IPv6",
                endpoints: [{ addresses: [target.host] }],
                ports: [{ name: defaults.POSTGRES_NAME, port, protocol: "TCP" }],
            },
            { parent: opts.parent, dependsOn: service },
        );
    }
    return service;
}

function specOf(target: AliasTarget) {
    if ("selector" in target) return { type: "ClusterIP", selector: target.selector };
    return kindOfHost(target.host) === "name"
        ? { type: "ExternalName", externalName: target.host }
        : { type: "ClusterIP", clusterIP: "None" };
}
