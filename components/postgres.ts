import type { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet";
import * as pulumi from "@pulumi/pulumi";
import type { ResourcesArgs } from "./args";
import { aliasService } from "./postgres/alias-service";
import { hashOfRandom } from "./postgres/credentials";
import {
    hostIn,
    keepApiPassword,
    siblingAlias,
    type Database,
    type SecretKey,
} from "./postgres/database";
import * as defaults from "./postgres/defaults";
import { checkNames, type DatabaseNames } from "./postgres/names";
import { Objects } from "./postgres/objects";
import { podTemplate } from "./postgres/pod";
import { checkStorage } from "./postgres/rules";
import {
    databaseState,
    forbiddenDatabaseChanges,
    frozenTemplateChanges,
    keptVolume,
    type DatabaseState,
    type WantedVolume,
} from "./postgres/state";
import { refuse } from "./validation/error";

export type { SecretKey } from "./postgres/database";

export interface PostgresArgs {
    /** The namespace, one database in each. It must outlive `destroy`, or the volume goes with it. */
    namespace: pulumi.Input<string>;
    /** An image with the official one's contract, PostgreSQL 14 or newer. Defaults to `postgres:14`. */
    image?: pulumi.Input<string>;
    /** The API's database. Fixed once the volume exists. Defaults to `endpoint_stats`. */
    database?: string;
    /** The superuser. Fixed once the volume exists. Defaults to `admin`. */
    user?: string;
    /** The role that the API connects as, which is not a superuser. Defaults to `endpoint_stats_api`. */
    apiUser?: string;
    /** Size of the volume, as Kubernetes writes it; it can grow, by hand. Defaults to `10Gi`. */
    storage?: string;
    /** Class of the volume. Fixed once the volume exists. Defaults to the cluster's default class. */
    storageClassName?: string;
    /** Any text; another one makes new passwords and restarts the database with them. Defaults to "1". */
    passwordVersion?: pulumi.Input<string>;
    /** Requests and limits. Default to 256Mi to 512Mi memory, 100m to 1 CPU, 64Mi to 256Mi local disk. */
    resources?: ResourcesArgs;
    /** More labels, on every object and pod. They cannot change the labels of the selectors. */
    labels?: Record<string, pulumi.Input<string>>;
    /** Names of the Secrets in the namespace with which images are pulled. Defaults to none. */
    imagePullSecrets?: pulumi.Input<string>[];
    /** The stack's last `databaseState` output, as `lastDatabaseState` reads it; none on the first `up`. */
    previous?: DatabaseState;
}

/**
 * One PostgreSQL server with a volume of its own, reached as `db:5432`. Passwords are made here and
 * mounted as files; at every start the server's roles are brought to what the Secret says.
 *
 * The volume is made by the StatefulSet and stays when that is deleted. So nothing here ever deletes
 * data: `destroy` leaves the volume in the namespace, and the next `up` takes it up again. What the
 * volume was made with cannot change; with `previous`, such a change is refused.
 */
export class Postgres extends pulumi.ComponentResource implements Database {
    /** Host name within the namespace: `db`. */
    readonly host: pulumi.Output<string>;
    readonly port: pulumi.Output<number>;
    readonly database: pulumi.Output<string>;
    /** The role that the API connects as. */
    readonly apiUser: pulumi.Output<string>;
    /**
     * Where the API's password is. The name is plain, and what uses it waits for this component instead:
     * new passwords replace the Secret, delete first, and with it everything that the provider would
     * replace if a property that comes from the Secret changed; from a pod's template that goes as far as
     * the API's public Service.
     */
    readonly apiPasswordSecret: SecretKey;
    /**
     * Changes with the passwords, and tells nothing about them. As an annotation of the API's pods it
     * restarts those with new passwords too; without it they hold the old one until the kubelet
     * refreshes their file, which takes more than a minute.
     */
    readonly credentialsHash: pulumi.Output<string>;
    /** What `destroy` leaves behind, and how to delete it: a sentence for the stack's outputs. */
    readonly keptOnDestroy: pulumi.Output<string>;
    /** Host name for the other namespaces of the cluster. */
    readonly clusterHost: pulumi.Output<string>;
    /**
     * What the next `up` compares with: to be exported as `databaseState`. It only resolves once the
     * server is ready, so a failed `up` does not change what is remembered.
     */
    readonly state: pulumi.Output<DatabaseState>;
    constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
        const { previous, ...declared } = args;
        const names: DatabaseNames = {
            database: args.database ?? defaults.DATABASE,
            user: args.user ?? defaults.ADMIN_USER,
            apiUser: args.apiUser ?? defaults.API_USER,
        };
        const wanted = wantedVolume(args);
        const subject = `Postgres ${JSON.stringify(name)}`;
        refuse(subject, [
            ...checkNames(names),
            ...checkStorage(args.storage),
            ...forbiddenDatabaseChanges(previous, wanted),
        ]);
        // Not before: a component that is refused must not be in the state with what was refused.
        super("cutover:index:Postgres", name, declared, opts);
        const objects = new Objects(this, name, args);

        const passwords = objects.passwords(args.passwordVersion ?? "1");
        this.credentialsHash = hashOfRandom([passwords.admin.result, passwords.api.result]);
        keepApiPassword(this, () => pulumi.secret(passwords.api.result));
        const secret = objects.secret(passwords);
        const startFiles = objects.startFiles(names);
        const serviceAccount = objects.serviceAccount();
        const headless = objects.headlessService();
        aliasService(
            {
                name: `${name}-${defaults.ALIAS_NAME}`,
                namespace: args.namespace,
                labels: objects.labels,
                port: defaults.PORT,
                target: { selector: defaults.POSTGRES_SELECTOR },
            },
            { parent: this, aliases: [siblingAlias(this, "ExternalDatabase")] },
        );
        const server = objects.statefulSet(
            secret,
            {
                serviceName: headless.metadata.name,
                template: podTemplate({
                    names,
                    image: args.image ?? defaults.IMAGE,
                    imagePullSecrets: args.imagePullSecrets ?? [],
                    resources: args.resources ?? {},
                    labels: objects.labels,
                    serviceAccount: serviceAccount.metadata.name,
                    startFiles: startFiles.metadata.name,
                    secret: defaults.SECRET_NAME,
                    credentialsHash: this.credentialsHash,
                }),
            },
            wanted,
        );

        // Plain: a change of the Service must not reach, through a property, what only uses its name.
        this.host = pulumi.output(defaults.ALIAS_NAME);
        this.clusterHost = hostIn(args.namespace);
        this.port = pulumi.output(defaults.PORT);
        this.database = pulumi.output(names.database);
        this.apiUser = pulumi.output(names.apiUser);
        const secretName = pulumi.output(defaults.SECRET_NAME);
        this.apiPasswordSecret = { name: secretName, key: defaults.API_PASSWORD_KEY };
        this.state = stateOf(subject, server, wanted, previous);
        this.keptOnDestroy = server.metadata.apply((made) => keptVolume(claimOf(made)));
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

/** What the arguments say of the volume, with every default in place. */
export function wantedVolume(
    args: Pick<PostgresArgs, "storage" | "storageClassName" | "database" | "user">,
): WantedVolume {
    return {
        storage: args.storage ?? defaults.STORAGE,
        storageClassName: args.storageClassName,
        database: args.database ?? defaults.DATABASE,
        user: args.user ?? defaults.ADMIN_USER,
    };
}

/** Kubernetes' name for the claim of the first pod. */
function claimOf({ name, namespace }: { name: string; namespace: string }) {
    return { claim: `${defaults.CLAIM_NAME}-${name}-0`, namespace };
}

/**
 * Without `previous`, the StatefulSet may still be one that an `up` made before it failed: then its
 * claim template, which `ignoreChanges` keeps as it was made, is what counts.
 */
function stateOf(
    subject: string,
    server: StatefulSet,
    wanted: WantedVolume,
    previous: DatabaseState | undefined,
): pulumi.Output<DatabaseState> {
    return pulumi.all([server.metadata, server.spec]).apply(([metadata, spec]) => {
        const claim = claimOf(metadata);
        const template = spec.volumeClaimTemplates?.[0]?.spec;
        if (previous?.volume === undefined) {
            const made = {
                storage: template?.resources?.requests?.storage,
                storageClassName: template?.storageClassName,
            };
            refuse(subject, frozenTemplateChanges(made, wanted, claim));
        }
        const { storageClassName, ...known } = wanted;
        const volume = {
            ...claim,
            ...known,
            ...(storageClassName !== undefined && { storageClassName }),
        };
        return databaseState({ volume });
    });
}
