import * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource";
import type { ClusterArgs } from "../args";
import { SERVES_ANNOTATION } from "../gate";
import { refuse } from "../validation/error";
import { RouteAcceptance } from "./acceptance";
import { GRANT_API_VERSION, ROUTE_API_VERSION } from "./defaults";
import { grantSpecs, routeSpec } from "./manifest";
import { backendRules, gatewayRules } from "./rules";
import type { GatewayBackend, GatewaySettings } from "./settings";

export interface GatewayRouteArgs {
    /** Namespace of the HTTPRoute. */
    namespace: string;
    /** Name of the HTTPRoute. */
    routeName: string;
    settings: GatewaySettings;
    /** The sides, at most 16. Plain: they decide which namespaces need a grant. */
    backends: readonly GatewayBackend[];
    labels?: Record<string, pulumi.Input<string>>;
    /** What runs behind the route, as on the public Service: the gate runs whenever it changes. */
    serves?: pulumi.Input<string>;
    /** Hooks of the HTTPRoute, such as the gate's. Defaults to none. */
    hooks?: pulumi.ResourceHookBinding;
    /** The cluster in which the route's conditions are read. */
    cluster?: ClusterArgs;
}

/**
 * An HTTPRoute of the Gateway API that splits an API's traffic by weights, and the ReferenceGrants that
 * let it reach Services in other namespaces. A change has succeeded once a controller accepted it; what
 * must come after that depends on {@link accepted}, and outputs that are to stay as they are in a failed
 * `up` derive from it.
 *
 * @throws InvalidArgs with every violation in `settings` and `backends`
 */
export class GatewayRoute extends pulumi.ComponentResource {
    readonly httpRoute: CustomResource;
    /** The HTTPRoute once a controller accepted it: it never resolves in an `up` where none does. */
    readonly accepted: pulumi.Output<CustomResource>;

    constructor(name: string, args: GatewayRouteArgs, opts?: pulumi.ComponentResourceOptions) {
        const { namespace, routeName, settings, backends, cluster } = args;
        refuse(`GatewayRoute ${JSON.stringify(name)}`, [
            ...gatewayRules(settings),
            ...backendRules(backends),
        ]);
        super("cutover:index:GatewayRoute", name, { namespace, routeName }, opts);

        const grants = declareGrants(this, name, args, opts?.dependsOn);
        this.httpRoute = new CustomResource(
            name,
            {
                apiVersion: ROUTE_API_VERSION,
                kind: "HTTPRoute",
                metadata: {
                    name: routeName,
                    namespace,
                    labels: args.labels,
                    ...(args.serves !== undefined && {
                        annotations: { [SERVES_ANNOTATION]: args.serves },
                    }),
                },
                spec: routeSpec(namespace, backends, settings),
            },
            pulumi.mergeOptions(
                { parent: this, hooks: args.hooks, dependsOn: opts?.dependsOn },
                { dependsOn: grants },
            ),
        );
        const acceptance = new RouteAcceptance(
            `${name}-accepted`,
            {
                spec: {
                    context: cluster?.context,
                    kubeconfig: cluster?.kubeconfig,
                    namespace,
                    route: routeName,
                    parent: { namespace, ...settings.parent },
                    deadlineSeconds: settings.acceptDeadlineSeconds,
                },
                uid: this.httpRoute.metadata.uid,
                generation: this.httpRoute.metadata.generation,
            },
            { parent: this, dependsOn: this.httpRoute },
        );
        // A component without resources is nothing that others can depend on; its URN is.
        this.accepted = acceptance.urn.apply(() => this.httpRoute);
        this.registerOutputs({ httpRoute: this.httpRoute.metadata.name });
    }
}

function declareGrants(
    parent: GatewayRoute,
    name: string,
    { namespace, routeName, backends, labels }: GatewayRouteArgs,
    dependsOn: pulumi.ComponentResourceOptions["dependsOn"],
): CustomResource[] {
    return [...grantSpecs(namespace, backends)].map(
        ([owner, spec]) =>
            new CustomResource(
                `${name}-grant-${owner}`,
                {
                    apiVersion: GRANT_API_VERSION,
                    kind: "ReferenceGrant",
                    metadata: { name: routeName, namespace: owner, labels },
                    spec,
                },
                { parent, dependsOn },
            ),
    );
}
