import * as pulumi from "@pulumi/pulumi";
import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1/networkPolicy";
import { appLabels } from "./labels";
import { policies } from "./network/policies";

/** Who is at the other end of a connection: pods by their labels, or addresses; one of the two. */
export interface NetworkPeerArgs {
    /** Labels of the namespaces that the pods are in; `{}` is every namespace. Defaults to the policy's own. */
    namespaceSelector?: Record<string, string>;
    /** Labels of the pods. Defaults to every pod of the namespaces. */
    podSelector?: Record<string, string>;
    /** Addresses outside the cluster, as `10.0.0.0/8`. */
    cidr?: string;
    /** Parts of `cidr` that are left out. */
    except?: string[];
}

/** A port, or a range of them. */
export interface NetworkPortArgs {
    /** 1 to 65535. */
    port: number;
    /** Last port of a range that begins with `port`. Defaults to that one port. */
    endPort?: number;
    /** `TCP`, `UDP` or `SCTP`. Defaults to `TCP`. */
    protocol?: string;
}

/** Whom the API may reach. */
export interface EgressPeerArgs extends NetworkPeerArgs {
    /** The ports there. Defaults to all. */
    ports?: NetworkPortArgs[];
}

/** Who may reach the API, and whom it may reach. */
export interface NetworkArgs {
    /** Who may reach the API, by its router or directly; an empty list is nobody. Defaults to everyone. */
    ingress?: NetworkPeerArgs[];
    /** Who else may reach the API's pods, whose port has the metrics too. Only counts beside `ingress`. */
    metrics?: NetworkPeerArgs[];
    /**
     * Whom the API may reach besides the cluster's DNS and its database; an empty list is nobody.
     * Defaults to no limit.
     */
    egress?: EgressPeerArgs[];
}

/** Pods that take connections on one port. */
export interface ListenersArgs {
    namespace: string;
    /** Labels that tell the pods from all others of their namespace. */
    selector: Record<string, string>;
    /** Port of the pods, not that of their Service. */
    port: number;
}

/** A server that is not in the cluster. */
export interface ExternalServerArgs {
    /** Its name or address. A name cannot be told from others by a policy, an address can. */
    host: string;
    port: number;
}

export interface NetworkPoliciesArgs {
    /** Name of the API: its `app` label, and part of the policies' names. */
    app: string;
    /** The namespaces that exist for the API. Each is closed to what no policy opens. */
    namespaces: string[];
    /**
     * More namespaces that the API's pods may be in while one isolation is changed for another: they
     * keep their way to router and database. Defaults to none.
     */
    otherNamespaces?: string[];
    /** Port of the API's pods. */
    port: number;
    /**
     * The router's pods, if the API may have any: also while it has none, so that no change of
     * routing cuts off pods that still serve.
     */
    router?: ListenersArgs;
    /** The database's pods, if it is in the cluster. */
    database?: ListenersArgs;
    /** The database, if it is not. */
    externalDatabase?: ExternalServerArgs;
    /** What is opened and closed beyond that. Defaults to everything coming in for the API, and all going out. */
    network?: NetworkArgs;
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * Closes the API's namespaces to connections from outside their policies, and opens what is needed:
 * the API and its router to whoever may use them, the API's pods to the router, the database to the
 * API's pods alone. A cluster whose network plugin knows no policies takes the objects and does
 * nothing.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
    readonly policies: NetworkPolicy[];

    constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
        const { app, namespaces, labels } = args;
        super("cutover:index:NetworkPolicies", name, { app, namespaces }, opts);
        this.policies = policies(args).map(
            ({ role, namespace, spec }) =>
                new NetworkPolicy(
                    `${name}-${role}-${namespace}`,
                    {
                        metadata: {
                            name: `${app}-${role}`,
                            namespace,
                            labels: {
                                ...appLabels(app, namespace, labels),
                                "app.kubernetes.io/instance": `${app}-${role}`,
                            },
                        },
                        spec,
                    },
                    { parent: this, dependsOn: opts?.dependsOn },
                ),
        );
        this.registerOutputs({});
    }
}
