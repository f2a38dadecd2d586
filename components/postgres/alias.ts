import * as pulumi from "@pulumi/pulumi";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import * as defaults from "./defaults";
import { databaseLabels, withoutAwait } from "./labels";

export interface DatabaseAliasArgs {
    /** The namespace in which pods look for the host `db`. */
    namespace: pulumi.Input<string>;
    /** Where the database is: a name that every namespace resolves, a database's `clusterHost`. */
    clusterHost: pulumi.Input<string>;
    /** The database's port, 1 to 65535. Defaults to 5432. */
    port?: pulumi.Input<number>;
    /** More labels. */
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * The host `db` in a namespace that has no database of its own: a Service of type ExternalName, which
 * is a CNAME to the one that has.
 *
 * Example:
 * ```ts
 * new DatabaseAlias("database-blue", {
 *     namespace: "ecommerce-blue",
 *     clusterHost: database.clusterHost, // db.ecommerce.svc.cluster.local
 *     port: database.port,
 * });
 * ```
 */
export class DatabaseAlias extends pulumi.ComponentResource {
    /** Host name within the namespace: `db`. */
    readonly host: pulumi.Output<string>;

    constructor(name: string, args: DatabaseAliasArgs, opts?: pulumi.ComponentResourceOptions) {
        super("cutover:index:DatabaseAlias", name, args, opts);
        const port = args.port ?? defaults.PORT;
        new Service(
            name,
            {
                metadata: {
                    name: defaults.ALIAS_NAME,
                    namespace: args.namespace,
                    labels: databaseLabels(args.namespace, args.labels),
                    annotations: withoutAwait,
                },
                spec: {
                    type: "ExternalName",
                    externalName: args.clusterHost,
                    ports: [{ name: defaults.POSTGRES_NAME, port, targetPort: port }],
                },
            },
            { parent: this },
        );
        this.host = pulumi.output(defaults.ALIAS_NAME);
        this.registerOutputs({ host: this.host });
    }
}
