import * as pulumi from "@pulumi/pulumi";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { encoded } from "./credentials";
import * as defaults from "./defaults";
import { databaseLabels } from "./labels";
import { databaseUrl } from "./url";

export interface DatabaseSecretArgs {
    /** The namespace of the pods that mount it. */
    namespace: pulumi.Input<string>;
    /** The color of that namespace, part of the Secret's name: `db-secret-blue`. */
    color: string;
    /** The parts of the URL; each is percent-encoded. */
    user: pulumi.Input<string>;
    /** Kept as a secret, whatever its source says about it. */
    password: pulumi.Input<string>;
    /** Host name within the namespace. Defaults to `db`. */
    host?: pulumi.Input<string>;
    /** 1 to 65535. Defaults to 5432. */
    port?: pulumi.Input<number>;
    database: pulumi.Input<string>;
    /** More labels. */
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * How the pods of one color reach the database: Secret `db-secret-<color>` with the key `url`, which is
 * `postgresql://user:password@host:port/database`, and `password`, the password alone.
 *
 * Example:
 * ```ts
 * new DatabaseSecret("database-blue", {
 *     namespace: "ecommerce-blue",
 *     color: "blue",
 *     user: database.apiUser,
 *     password: apiPasswordOf(database),
 *     database: database.database,
 * });
 * ```
 */
export class DatabaseSecret extends pulumi.ComponentResource {
    /** Plain, for the reason that `Postgres.apiPasswordSecret` gives. */
    readonly secretName: string;
    /** The key that has the URL. */
    readonly urlKey: string = defaults.URL_KEY;
    /** The key that has the password. */
    readonly passwordKey: string = defaults.COLOR_PASSWORD_KEY;

    constructor(name: string, args: DatabaseSecretArgs, opts?: pulumi.ComponentResourceOptions) {
        const { namespace, color, user, database } = args;
        super("cutover:index:DatabaseSecret", name, { namespace, color, user, database }, opts);
        const password = pulumi.secret(args.password);
        const host = args.host ?? defaults.ALIAS_NAME;
        const port = args.port ?? defaults.PORT;
        const url = pulumi
            .all([user, password, host, port, database])
            .apply(([user, password, host, port, database]) =>
                databaseUrl({ user, password, host, port, database }),
            );
        this.secretName = `${defaults.COLOR_SECRET_NAME}-${color}`;
        new Secret(
            name,
            {
                metadata: {
                    name: this.secretName,
                    namespace,
                    labels: databaseLabels(namespace, args.labels),
                },
                type: "Opaque",
                data: {
                    [this.urlKey]: encoded(url),
                    [this.passwordKey]: encoded(password),
                },
            },
            { parent: this },
        );
        this.registerOutputs({ secretName: this.secretName });
    }
}
