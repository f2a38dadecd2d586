import * as pulumi from "@pulumi/pulumi";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import {
    GatewayRoute,
    type GatewayBackend,
    type GatewaySettings,
} from "../../../../components/gateway";

const config = new pulumi.Config();
const namespace = config.require("namespace");
const settings = config.requireObject<GatewaySettings>("settings");
const backends = config.requireObject<GatewayBackend[]>("backends");

// Without pods: no test sends a request through the route.
const services = backends.map(
    ({ service, namespace: owner, port }) =>
        new Service(`${owner}-${service}`, {
            metadata: {
                name: service,
                namespace: owner,
                annotations: { "pulumi.com/skipAwait": "true" },
            },
            spec: { selector: { app: service }, ports: [{ port }] },
        }),
);
const route = new GatewayRoute(
    "users",
    {
        namespace,
        routeName: "users",
        settings,
        backends,
        cluster: { context: new pulumi.Config("kubernetes").require("context") },
    },
    { dependsOn: services },
);

// Stands for the side that is shrunk after the route has moved.
const weights = Object.fromEntries(backends.map(({ service, weight }) => [service, weight]));
new ConfigMap(
    "shrunk",
    { metadata: { name: "shrunk", namespace }, data: { weights: JSON.stringify(weights) } },
    { dependsOn: [route.accepted] },
);

export const state = route.accepted.apply(() => weights);
