import type * as pulumi from "@pulumi/pulumi";
import { Postgres, type PostgresArgs } from "../postgres";
import type { Database } from "./database";
import { ExternalDatabase, type ExternalDatabaseArgs } from "./external";

/** The stack config's `database`, with what is not part of it. */
export type DatabaseArgs = Omit<PostgresArgs & ExternalDatabaseArgs, "host"> & {
    /** Host name or address of an external server; without it, the stack runs one of its own. */
    host?: string;
};

/** The database that the stack config asks for: an external one when it names a host. */
export function createDatabase(
    name: string,
    args: DatabaseArgs,
    opts?: pulumi.ComponentResourceOptions,
): Database {
    const { host, port: _port, password: _password, passwordSecret: _secret, ...own } = args;
    // What is only for the other kind must not get into the state with the component's own inputs.
    if (host === undefined) return new Postgres(name, own, opts);
    return new ExternalDatabase(name, { ...args, host }, opts);
}
