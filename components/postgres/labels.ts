import type { Input } from "@pulumi/pulumi";
import { POSTGRES_NAME } from "./defaults";

type Labels = Record<string, Input<string>>;

/** The labels of everything that belongs to the database, above those that the user wants. */
export function databaseLabels(partOf: Input<string>, user: Labels = {}): Labels {
    return {
        ...user,
        app: POSTGRES_NAME,
        component: "database",
        "app.kubernetes.io/name": POSTGRES_NAME,
        "app.kubernetes.io/component": "database",
        "app.kubernetes.io/part-of": partOf,
        "app.kubernetes.io/managed-by": "pulumi",
    };
}

/** For a Service: its own await takes 10 s, and passes without endpoints. */
export const withoutAwait = { "pulumi.com/skipAwait": "true" };
