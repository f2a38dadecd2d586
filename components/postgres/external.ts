import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { refuse } from "../validation/error";
import { aliasService } from "./alias-service";
import { encoded, hashOfRandom } from "./credentials";
import { hostIn, keepApiPassword, siblingAlias, type Database, type SecretKey } from "./database";
import * as defaults from "./defaults";
import { kindOfHost } from "./host";
import { databaseLabels } from "./labels";
import { checkExternal } from "./rules";
import { databaseState, keptVolume, type DatabaseState } from "./state";

/** A key of a Secret that exists already, in the namespace of the component. */
export interface PasswordSecretArgs {
    /** Name of the Secret. Plain: it is part of what is looked up. */
    name: string;
    /** The key in it. Defaults to `password`. */
    key?: string;
}

export interface ExternalDatabaseArgs {
    /** The namespace in which the Service `db` leads to the server. */
    namespace: pulumi.Input<string>;
    /** Host name or IP address of the server. Plain: it decides which objects exist. */
    host: string;
    /** Its port, 1 to 65535. Defaults to 5432. */
    port?: number;
    /** The API's database, which exists. Defaults to `endpoint_stats`. */
    database?: string;
    /** The role that the API connects as, which exists. Defaults to `endpoint_stats_api`. */
    apiUser?: string;
    /** Its password; kept as a secret. Either this or `passwordSecret`. */
    password?: pulumi.Input<string>;
    /** A Secret that has its password; nothing is copied from it within the namespace. */
    passwordSecret?: PasswordSecretArgs;
    /** More labels, on every object. */
    labels?: Record<string, pulumi.Input<string>>;
    /** The stack's last `databaseState` output; its volume goes on being remembered. */
    previous?: DatabaseState;
}

/**
 * A PostgreSQL server that somebody else runs, reached as host `db` like our own: no StatefulSet and no
 * volume, only the Service, and the password where the API's pods can mount it. A server of the stack's
 * own that was there before is deleted after the API has moved, its volume stays.
 *
 * Example:
 * ```ts
 * new ExternalDatabase("postgres", {
 *     namespace: "endpoint-stats",
 *     host: "pg.example.com",
 *     password: config.requireSecret("databasePassword"),
 * });
 * ```
 */
export class ExternalDatabase extends pulumi.ComponentResource implements Database {
    /** Host name within the namespace: `db`. */
    readonly host: pulumi.Output<string>;
    /** Host name for the other namespaces of the cluster. */
    readonly clusterHost: pulumi.Output<string>;
    readonly port: pulumi.Output<number>;
    readonly database: pulumi.Output<string>;
    readonly apiUser: pulumi.Output<string>;
    /** Where the API's password is: the user's Secret, or the one made here. */
    readonly apiPasswordSecret: SecretKey;
    /** Changes with `password` and tells nothing about it; none with `passwordSecret`. */
    readonly credentialsHash?: pulumi.Output<string>;
    /** What `destroy` leaves behind, if the stack once had a server of its own. */
    readonly keptOnDestroy?: pulumi.Output<string>;
    /** What the next `up` compares with: to be exported as `databaseState`. */
    readonly state: pulumi.Output<DatabaseState>;
    constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
        const { host, port = defaults.PORT, passwordSecret } = args;
        refuse(`ExternalDatabase ${JSON.stringify(name)}`, checkExternal(args));
        super("cutover:index:ExternalDatabase", name, { host, port }, opts);
        const labels = databaseLabels(args.namespace, args.labels);
        const alias = aliasService(
            {
                name: `${name}-${defaults.ALIAS_NAME}`,
                namespace: args.namespace,
                labels,
                port,
                target: { host },
            },
            { parent: this, aliases: [siblingAlias(this, "Postgres")] },
        );
        if (args.password !== undefined) {
            const password = pulumi.secret(args.password);
            this.credentialsHash = revisionOf(name, password, this);
            keepApiPassword(this, () => password);
            secretOf(name, password, { namespace: args.namespace, labels }, this);
        } else {
            keepApiPassword(this, () => existing(name, args, this));
        }

        this.host = pulumi.output(defaults.ALIAS_NAME);
        // A name leads there from everywhere; an address has its name in this namespace only.
        this.clusterHost =
            kindOfHost(host) === "name" ? pulumi.output(host) : hostIn(args.namespace);
        this.port = pulumi.output(port);
        this.database = pulumi.output(args.database ?? defaults.DATABASE);
        this.apiUser = pulumi.output(args.apiUser ?? defaults.API_USER);
        this.apiPasswordSecret = {
            name: pulumi.output(passwordSecret?.name ?? defaults.EXTERNAL_SECRET_NAME),
            key: passwordSecret?.key ?? defaults.EXTERNAL_PASSWORD_KEY,
        };
        const volume = args.previous?.volume;
        this.state = alias.metadata.apply(() => databaseState({ host, ...(volume && { volume }) }));
        if (volume) this.keptOnDestroy = pulumi.output(keptVolume(volume));
        this.registerOutputs({
            host: this.host,
            clusterHost: this.clusterHost,
            port: this.port,
            database: this.database,
            apiUser: this.apiUser,
            apiPasswordSecret: this.apiPasswordSecret,
            credentialsHash: this.credentialsHash,
            keptOnDestroy: this.keptOnDestroy,
            state: this.state,
        });
    }
}

/**
 * A random text that changes with the password. A hash of the password itself could be compared with
 * those of all likely ones: users choose passwords that can be guessed.
 */
function revisionOf(name: string, password: pulumi.Output<string>, parent: pulumi.Resource) {
    const revision = new RandomPassword(
        `${name}-revision`,
        { length: defaults.PASSWORD_LENGTH, special: false, keepers: { password } },
        // The provider gives the keepers back: as outputs they are not its secrets, but ours.
        { parent, additionalSecretOutputs: ["keepers"] },
    );
    return hashOfRandom([revision.result]);
}

function secretOf(
    name: string,
    password: pulumi.Output<string>,
    {
        namespace,
        labels,
    }: { namespace: pulumi.Input<string>; labels: Record<string, pulumi.Input<string>> },
    parent: pulumi.Resource,
): Secret {
    return new Secret(
        `${name}-secret`,
        {
            metadata: { name: defaults.EXTERNAL_SECRET_NAME, namespace, labels },
            type: "Opaque",
            data: { [defaults.EXTERNAL_PASSWORD_KEY]: encoded(password) },
        },
        { parent },
    );
}

/** The password in the user's own Secret, which this only reads. */
function existing(
    name: string,
    { namespace, passwordSecret }: ExternalDatabaseArgs,
    parent: pulumi.Resource,
): pulumi.Output<string> {
    const { name: secret = "", key = defaults.EXTERNAL_PASSWORD_KEY } = passwordSecret ?? {};
    const id = pulumi.interpolate`${namespace}/${secret}`;
    const found = Secret.get(`${name}-password`, id, { parent });
    return pulumi.secret(found.data).apply((data: Record<string, string> | undefined) => {
        const value = data?.[key];
        if (value === undefined) {
            refuse("database.passwordSecret", [
                { path: "key", got: JSON.stringify(key), expected: `a key of Secret ${secret}` },
            ]);
        }
        return Buffer.from(value ?? "", "base64").toString();
    });
}
