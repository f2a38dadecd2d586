import type * as pulumi from "@pulumi/pulumi";
import type { SecretFilesArgs, SecretKeyArgs } from "../args";
import { DATABASE_SECRET_PATH } from "../defaults";
import { DatabaseAlias } from "./alias";
import { apiPasswordOf, type Database } from "./database";
import { CREDENTIALS_HASH } from "./defaults";
import { DatabaseSecret } from "./secret";

/** What the pods of an API get so that they find their database. */
export interface DatabaseAccess {
    /** `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER`, and the paths of files that hold secrets. */
    env: Record<string, pulumi.Input<string>>;
    /** Variables that come from a Secret; none unless they were asked for. */
    secretEnv: Record<string, SecretKeyArgs>;
    /** The files: `password`, and for a color's own namespace `url`. */
    secretFiles: SecretFilesArgs[];
    /** Restart the pods with new credentials. */
    annotations: Record<string, pulumi.Input<string>>;
    /** What must be there before the pods. */
    resources: pulumi.Resource[];
}

/**
 * For the pods of the database's own namespace: the password as a file, mounted from where it is.
 *
 * ```ts
 * const { env, secretFiles, annotations, resources } = accessTo(database);
 * ```
 */
export function accessTo(database: Database): DatabaseAccess {
    const { apiPasswordSecret } = database;
    return {
        env: environment(database),
        secretEnv: {},
        secretFiles: [
            {
                name: "database",
                secretName: apiPasswordSecret.name,
                files: { password: apiPasswordSecret.key },
                mountPath: DATABASE_SECRET_PATH,
            },
        ],
        annotations: annotations(database),
        resources: [database],
    };
}

export interface ColorAccessArgs {
    /** The color's own namespace, not that of the database. */
    namespace: string;
    /** `blue` or `green`. */
    color: string;
    /**
     * Whether the URL is also an environment variable, `DATABASE_URL`, for an API that reads nothing
     * else. What is in the environment shows up in crash reports and child processes. Defaults to no.
     */
    urlAsEnv?: boolean;
    /** More labels on the objects. */
    labels?: Record<string, pulumi.Input<string>>;
}

/**
 * For the pods of a color's own namespace, which declares there the host `db` and the Secret
 * `db-secret-<color>`. The URL is a file, `DATABASE_URL_FILE`, beside the password.
 *
 * ```ts
 * const blue = accessFrom(database, { namespace: "ecommerce-blue", color: "blue" }, { dependsOn: ns });
 * ```
 *
 * `opts` are those of a component; the names of the resources are `database-<color>`.
 */
export function accessFrom(
    database: Database,
    args: ColorAccessArgs,
    opts?: pulumi.ComponentResourceOptions,
): DatabaseAccess {
    const { namespace, color, labels, urlAsEnv } = args;
    const { port, clusterHost, apiUser, database: name } = database;
    const resource = `database-${color}`;
    const alias = new DatabaseAlias(resource, { namespace, clusterHost, port, labels }, opts);
    const secret = new DatabaseSecret(
        resource,
        {
            namespace,
            color,
            user: apiUser,
            password: apiPasswordOf(database),
            port,
            database: name,
            labels,
        },
        opts,
    );
    const { secretName, urlKey, passwordKey } = secret;
    return {
        env: {
            ...environment(database),
            DATABASE_URL_FILE: `${DATABASE_SECRET_PATH}/url`,
        },
        secretEnv: urlAsEnv === true ? { DATABASE_URL: { secretName, key: urlKey } } : {},
        secretFiles: [
            {
                name: "database",
                secretName,
                files: { password: passwordKey, url: urlKey },
                mountPath: DATABASE_SECRET_PATH,
            },
        ],
        annotations: annotations(database),
        resources: [database, alias, secret],
    };
}

function environment(database: Database): Record<string, pulumi.Input<string>> {
    return {
        DB_HOST: database.host,
        DB_PORT: database.port.apply(String),
        DB_NAME: database.database,
        DB_USER: database.apiUser,
        DB_PASSWORD_FILE: `${DATABASE_SECRET_PATH}/password`,
    };
}

/** New passwords reach a pod's file after more than a minute, and a new pod at once. */
function annotations({ credentialsHash }: Database): Record<string, pulumi.Input<string>> {
    return credentialsHash === undefined ? {} : { [CREDENTIALS_HASH]: credentialsHash };
}
