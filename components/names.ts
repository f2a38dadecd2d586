import type { Service } from "@pulumi/kubernetes/core/v1/service";
import type { Output } from "@pulumi/pulumi";
import { deploymentName } from "./plan";
import { Isolation, type Desired, type Side } from "./plan/types";

/**
 * The name of what belongs to one side. A side in a namespace of its own is another one: under the
 * same name Pulumi would delete it where it is before it made it there.
 */
export function logicalName(name: string, side: Side, { isolation }: Desired): string {
    const own = deploymentName(name, side);
    return isolation === Isolation.namespaces ? `${own}-isolated` : own;
}

/** The name of a side's own Service. */
export function sideServiceName({ name }: Pick<Desired, "name">, side: Side): string {
    return deploymentName(name, side);
}

/** The name of the Service in front of the color without traffic. */
export function previewServiceName({ serviceName }: Pick<Desired, "serviceName">): string {
    return `${serviceName}-preview`;
}

/** Where a side's Service is reached inside the cluster, once it is there. */
export function inClusterUrl(
    service: Service,
    { servicePort }: Pick<Desired, "servicePort">,
): Output<string> {
    return service.metadata.apply(
        ({ name, namespace }) => `http://${name}.${namespace}.svc:${servicePort}`,
    );
}
