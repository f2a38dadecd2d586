import { createHash } from "node:crypto";
import { StatefulSet } from "@pulumi/kubernetes/apps/v1/statefulSet";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap";
import { Secret } from "@pulumi/kubernetes/core/v1/secret";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1/serviceAccount";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { ResourcesArgs } from "./args";
import * as defaults from "./postgres/defaults";
import { checkNames, type DatabaseNames } from "./postgres/names";
import { podTemplate } from "./postgres/pod";
import { contentHash, startFiles } from "./postgres/start-files";
import { refuse } from "./validation/error";

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
    /** Size of the volume, as Kubernetes writes it. Fixed once the volume exists. Defaults to `10Gi`. */
    storage?: pulumi.Input<string>;
    /** Class of the volume. Fixed once the volume exists. Defaults to the cluster's default class. */
    storageClassName?: pulumi.Input<string>;
    /** Any text; another one makes new passwords and restarts the database with them. Defaults to "1". */
    passwordVersion?: pulumi.Input<string>;
    /** Requests and limits. Default to 256Mi to 512Mi memory, 100m to 1 CPU, 64Mi to 256Mi local disk. */
    resources?: ResourcesArgs;
    /** More labels, on every object and pod. They cannot change the labels of the selectors. */
    labels?: Record<string, pulumi.Input<string>>;
    /** Names of the Secrets in the namespace with which images are pulled. Defaults to none. */
    imagePullSecrets?: pulumi.Input<string>[];
}

/** A key of a Secret in the database's namespace. */
export interface SecretKey {
    name: pulumi.Output<string>;
    key: string;
}

/**
 * One PostgreSQL server with a volume of its own, reached as `db:5432`. Passwords are made here and
 * mounted as files; at every start the server's roles are brought to what the Secret says.
 *
 * The volume is made by the StatefulSet and stays when that is deleted. So nothing here ever deletes
 * data: `destroy` leaves the volume in the namespace, and the next `up` takes it up again.
 */
export class Postgres extends pulumi.ComponentResource {
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

    constructor(name: string, args: PostgresArgs, opts?: pulumi.ComponentResourceOptions) {
        super("cutover:index:Postgres", name, args, opts);
        const names: DatabaseNames = {
            database: args.database ?? defaults.DATABASE,
            user: args.user ?? defaults.ADMIN_USER,
            apiUser: args.apiUser ?? defaults.API_USER,
        };
        refuse(`Postgres ${JSON.stringify(name)}`, checkNames(names));
        const objects = new Objects(this, name, args);

        const passwords = objects.passwords(args.passwordVersion ?? "1");
        this.credentialsHash = credentialsHash(passwords);
        const secret = objects.secret(passwords);
        const startFiles = objects.startFiles(names);
        const serviceAccount = objects.serviceAccount();
        const headless = objects.service(defaults.POSTGRES_NAME, { clusterIP: "None" });
        const alias = objects.service(defaults.ALIAS_NAME, { type: "ClusterIP" });
        const server = objects.statefulSet(secret, {
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
        });

        this.host = alias.metadata.name;
        this.port = pulumi.output(defaults.PORT);
        this.database = pulumi.output(names.database);
        this.apiUser = pulumi.output(names.apiUser);
        const secretName = pulumi.output(defaults.SECRET_NAME);
        this.apiPasswordSecret = { name: secretName, key: defaults.API_PASSWORD_KEY };
        this.keptOnDestroy = server.metadata.apply(keptOnDestroy);
        this.registerOutputs({
            host: this.host,
            port: this.port,
            database: this.database,
            apiUser: this.apiUser,
            apiPasswordSecret: this.apiPasswordSecret,
            credentialsHash: this.credentialsHash,
            keptOnDestroy: this.keptOnDestroy,
        });
    }
}

interface Passwords {
    admin: RandomPassword;
    api: RandomPassword;
}

/** The component's children, each made by the method of its kind. */
class Objects {
    readonly labels: Record<string, pulumi.Input<string>>;
    private readonly selector = { app: defaults.POSTGRES_NAME };

    constructor(
        private readonly parent: Postgres,
        private readonly name: string,
        private readonly args: PostgresArgs,
    ) {
        this.labels = {
            ...args.labels,
            ...this.selector,
            component: "database",
            "app.kubernetes.io/name": defaults.POSTGRES_NAME,
            "app.kubernetes.io/component": "database",
            "app.kubernetes.io/part-of": args.namespace,
            "app.kubernetes.io/managed-by": "pulumi",
        };
    }

    private metadata(name: string) {
        return { name, namespace: this.args.namespace, labels: this.labels };
    }

    passwords(version: pulumi.Input<string>): Passwords {
        const password = (role: string) =>
            new RandomPassword(
                `${this.name}-${role}-password`,
                { length: defaults.PASSWORD_LENGTH, special: false, keepers: { version } },
                { parent: this.parent },
            );
        return { admin: password("admin"), api: password("api") };
    }

    secret({ admin, api }: Passwords): Secret {
        const data = {
            [defaults.ADMIN_PASSWORD_KEY]: encoded(admin),
            [defaults.API_PASSWORD_KEY]: encoded(api),
        };
        return new Secret(
            `${this.name}-secret`,
            { metadata: this.metadata(defaults.SECRET_NAME), type: "Opaque", data },
            { parent: this.parent },
        );
    }

    /** Named by its content: a change makes another ConfigMap, and the pod restarts with that one. */
    startFiles(names: DatabaseNames): ConfigMap {
        const data = startFiles(names);
        const name = `${defaults.POSTGRES_NAME}-start-${contentHash(data)}`;
        return new ConfigMap(
            `${this.name}-start`,
            { metadata: this.metadata(name), data },
            { parent: this.parent },
        );
    }

    serviceAccount(): ServiceAccount {
        return new ServiceAccount(
            `${this.name}-service-account`,
            {
                metadata: this.metadata(defaults.POSTGRES_NAME),
                automountServiceAccountToken: false,
            },
            { parent: this.parent },
        );
    }

    /** Not awaited: the StatefulSet is, and a Service's own await takes 10 s and says less. */
    service(name: string, kind: { type: string } | { clusterIP: string }): Service {
        const port = {
            name: defaults.POSTGRES_NAME,
            port: defaults.PORT,
            targetPort: defaults.PORT,
        };
        return new Service(
            `${this.name}-${name}`,
            {
                metadata: {
                    ...this.metadata(name),
                    annotations: { "pulumi.com/skipAwait": "true" },
                },
                spec: { ...kind, selector: this.selector, ports: [port] },
            },
            { parent: this.parent },
        );
    }

    /**
     * The claim template is frozen: Kubernetes forbids changing it, and a replacement would end the
     * server for a volume that its claim does not grow.
     */
    statefulSet(
        secret: Secret,
        pod: { serviceName: pulumi.Input<string>; template: ReturnType<typeof podTemplate> },
    ): StatefulSet {
        const { storage, storageClassName } = this.args;
        const claim = {
            metadata: { name: defaults.CLAIM_NAME, labels: this.selector },
            spec: {
                accessModes: ["ReadWriteOnce"],
                storageClassName,
                resources: { requests: { storage: storage ?? defaults.STORAGE } },
            },
        };
        return new StatefulSet(
            `${this.name}-server`,
            {
                metadata: this.metadata(defaults.POSTGRES_NAME),
                spec: {
                    ...pod,
                    replicas: 1,
                    selector: { matchLabels: this.selector },
                    // With the default, a pod that cannot start is never replaced by a corrected one:
                    // the controller waits for it first. One replica has no order to keep.
                    podManagementPolicy: "Parallel",
                    persistentVolumeClaimRetentionPolicy: {
                        whenDeleted: "Retain",
                        whenScaled: "Retain",
                    },
                    volumeClaimTemplates: [claim],
                },
            },
            {
                parent: this.parent,
                dependsOn: secret,
                ignoreChanges: ["spec.volumeClaimTemplates"],
                customTimeouts: { create: defaults.UP_DEADLINE, update: defaults.UP_DEADLINE },
            },
        );
    }
}

/** The password as a Secret's `data` wants it, and secret whatever its provider says about it. */
function encoded({ result }: RandomPassword): pulumi.Output<string> {
    return pulumi.secret(result).apply((password) => Buffer.from(password).toString("base64"));
}

/**
 * Changes with the passwords, and is plain so that diffs show that and nothing more: 64 bits of a hash
 * over 380 random bits say nothing about them.
 */
function credentialsHash({ admin, api }: Passwords): pulumi.Output<string> {
    const hash = pulumi
        .all([admin.result, api.result])
        .apply((both) => createHash("sha256").update(both.join("\n")).digest("hex").slice(0, 16));
    return pulumi.unsecret(hash);
}

function keptOnDestroy({ name, namespace }: { name: string; namespace: string }): string {
    const claim = `${defaults.CLAIM_NAME}-${name}-0`;
    return (
        `the database's volume, claim ${claim} in namespace ${namespace}; the next up uses it again; ` +
        `to delete the data for good: kubectl delete pvc ${claim} --namespace ${namespace}`
    );
}
