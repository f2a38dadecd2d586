import type * as pulumi from "@pulumi/pulumi";
import type {
    ApiArgs,
    AutoscalingArgs,
    ClusterArgs,
    ReleaseArgs,
    RollingUpdateArgs,
    SecretFilesArgs,
    SecretKeyArgs,
} from "./args";
import type { GatewaySettings } from "./gateway";
import type { Routing, ServiceType, State } from "./plan/types";
import type { RouterSettings } from "./router";

/** What every strategy is given. */
export interface StrategyArgs {
    /** The declared releases by name. Plain: they decide which objects exist. */
    releases: Record<string, ReleaseArgs>;
    /**
     * Namespace of what the sides share, which must exist. Plain: the gate looks there. Defaults to
     * `endpoint-stats`.
     */
    namespace?: string;
    /** Name of the API in the cluster. Defaults to the name of the component. */
    name?: string;
    /** Name of the public Service. Defaults to `name`. */
    serviceName?: string;
    /** How the public Service is exposed. Defaults to `ClusterIP`. */
    serviceType?: ServiceType;
    /** Port of the public Service, and of each side's own, 1 to 65535. Defaults to the pods' port. */
    servicePort?: number;
    /** Port of the public Service on every node. Defaults to one that Kubernetes picks. */
    nodePort?: number;
    /** What moves the traffic. Defaults to `service`: the selector of the public Service. */
    routing?: Routing;
    /** The router, with routing `nginx`. Defaults to its defaults. */
    router?: RouterSettings;
    /** The Gateway, with routing `gateway`, which needs it. */
    gateway?: GatewaySettings;
    /** Bounds and targets of the autoscalers. Defaults to fixed sizes. */
    autoscaling?: AutoscalingArgs;
    /** Fewest pods of the live side while a switch is going on. Defaults to none. */
    capacityFloor?: number;
    /** How a side replaces its own pods. Defaults to one new pod at a time, and none fewer. */
    rollingUpdate?: RollingUpdateArgs;
    /** What all releases share. */
    api?: ApiArgs;
    /** Environment variables from Secrets that exist already, for every pod. */
    secretEnv?: Record<string, SecretKeyArgs>;
    /** Files from Secrets that exist already, for every pod. */
    secretFiles?: SecretFilesArgs[];
    /** Environment variables of one side alone, by the side's name; they win over those of all. */
    sideEnv?: Record<string, Record<string, pulumi.Input<string>>>;
    /** Environment variables from Secrets for the pods of one side alone, by the side's name. */
    sideSecretEnv?: Record<string, Record<string, SecretKeyArgs>>;
    /** Files from Secrets for the pods of one side alone, by the side's name. */
    sideSecretFiles?: Record<string, SecretFilesArgs[]>;
    /** How long the route waits for ready pods, in seconds, 10 to 3600. Defaults to 150. */
    gateDeadlineSeconds?: number;
    /** The cluster as the gate reaches it. */
    cluster?: ClusterArgs;
    /** The stack's last `state` output, as `parseState` reads it; none on the first `up`. */
    previous?: State;
}
