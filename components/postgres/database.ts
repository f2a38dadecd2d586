import * as pulumi from "@pulumi/pulumi";
import { ALIAS_NAME, CLUSTER_DOMAIN } from "./defaults";
import type { DatabaseState } from "./state";

/** A key of a Secret in the database's namespace. */
export interface SecretKey {
    name: pulumi.Output<string>;
    key: string;
}

/** What an API needs to know of its database, whoever runs it. */
export interface Database extends pulumi.Resource {
    /** Host name within the database's namespace. */
    readonly host: pulumi.Output<string>;
    /** Host name for the other namespaces of the cluster. */
    readonly clusterHost: pulumi.Output<string>;
    readonly port: pulumi.Output<number>;
    readonly database: pulumi.Output<string>;
    /** The role that the API connects as. */
    readonly apiUser: pulumi.Output<string>;
    /** Where the API's password is. */
    readonly apiPasswordSecret: SecretKey;
    /** Changes with the password and tells nothing about it; none where nobody tells of a change. */
    readonly credentialsHash?: pulumi.Output<string>;
    /** What `destroy` leaves behind; none when there is no volume. */
    readonly keptOnDestroy?: pulumi.Output<string>;
    /** What the next `up` compares with. */
    readonly state: pulumi.Output<DatabaseState>;
}

/**
 * Beside the components and not in them: what a component has as a property, private or not, is part
 * of the package's schema.
 */
const passwords = new WeakMap<Database, () => pulumi.Output<string>>();

/** Keeps how the API's password is had; `make` is called when it is wanted, and once. */
export function keepApiPassword(database: Database, make: () => pulumi.Output<string>): void {
    let made: pulumi.Output<string> | undefined;
    passwords.set(database, () => (made ??= make()));
}

/** The API's password, a secret, for the Secrets of other namespaces. */
export function apiPasswordOf(database: Database): pulumi.Output<string> {
    const make = passwords.get(database);
    if (make === undefined) throw new Error("the database keeps no password of the API");
    return make();
}

/** The Service `db` of a namespace, by the name that every namespace resolves. */
export function hostIn(namespace: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.interpolate`${ALIAS_NAME}.${namespace}.svc.${CLUSTER_DOMAIN}`;
}

/**
 * For the Service `db`, which must stay the same resource when an external server takes over or gives
 * back: a second one of the same name could not be created before the first is deleted. The alias of
 * a child whose parent used to be the other component.
 */
export function siblingAlias(
    component: pulumi.ComponentResource,
    sibling: "Postgres" | "ExternalDatabase",
): pulumi.Alias {
    const parent = component.urn.apply((urn) =>
        urn.replace(
            /cutover:index:(Postgres|ExternalDatabase)(?=::[^:]+$)/,
            `cutover:index:${sibling}`,
        ),
    );
    return { parent };
}
