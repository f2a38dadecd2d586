import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { PORT_NAME } from "./defaults";
import { appLabels, sideSelector } from "./labels";
import { logicalName, sideServiceName } from "./names";
import { hasSideService } from "./plan";
import type { Desired, Plan, Side } from "./plan/types";
import type { StrategyArgs } from "./strategy";

/**
 * A Service for each side, inside the cluster: what a router splits between, and where a side is
 * looked at before it gets traffic. None depends on the side's pods, so that what comes before the
 * pods can have its address.
 */
export function sideServices(
    parent: pulumi.ComponentResource,
    {
        name,
        args,
        desired,
        decided,
    }: { name: string; args: StrategyArgs; desired: Desired; decided: Plan },
): Map<Side, Service> {
    const own = decided.sides.filter(({ side }) => hasSideService(desired, side));
    return new Map(
        own.map(({ side, namespace }) => [
            side,
            new Service(
                logicalName(name, side, desired),
                {
                    metadata: {
                        name: sideServiceName(desired, side),
                        namespace,
                        labels: {
                            ...appLabels(desired.name, desired.namespace, args.api?.labels),
                            ...sideSelector(desired.name, side),
                            "app.kubernetes.io/instance": sideServiceName(desired, side),
                        },
                        annotations: { "pulumi.com/skipAwait": "true" },
                    },
                    spec: {
                        selector: sideSelector(desired.name, side),
                        ports: [
                            {
                                name: PORT_NAME,
                                port: desired.servicePort,
                                targetPort: desired.port,
                            },
                        ],
                    },
                },
                { parent },
            ),
        ]),
    );
}
