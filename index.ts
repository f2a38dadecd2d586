import * as pulumi from "@pulumi/pulumi";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import { BlueGreen } from "./components/blue-green";
import { Canary } from "./components/canary";
import { namespaceLabels } from "./components/labels";
import { NetworkPolicies } from "./components/network";
import { parseState } from "./components/plan";
import { accessFrom, accessTo, type DatabaseAccess } from "./components/postgres/access";
import { lastDatabaseState } from "./components/postgres/claim";
import { createDatabase } from "./components/postgres/create";
import type { Database } from "./components/postgres/database";
import { Rolling } from "./components/rolling";
import type { StrategyArgs } from "./components/strategy";
import {
    namespacesOf,
    networkOf,
    readSettings,
    refuseDatabaseChange,
    refuseTransition,
} from "./config";
import type { ApiSettings, Settings } from "./config";

/** The program: one API by the strategy of the stack config, its database, and their namespaces. */
export = async (): Promise<Record<string, unknown>> => {
    const settings = readSettings();
    const last = await lastOutputs();
    const previous = parseState(last.state);
    refuseTransition(previous, settings);
    const previousDatabase = await lastDatabaseState(last.databaseState, settings.database);
    refuseDatabaseChange(previousDatabase, settings);

    const namespaces = namespacesOf(settings);
    // Patched, not owned: `destroy` must not take the database's volume along with its namespace, and
    // the next `up` must find it there.
    const patches = namespaces.map(
        (name) => new NamespacePatch(name, { metadata: { name, labels: namespaceLabels } }),
    );
    const policies = new NetworkPolicies(settings.name, networkOf(settings), {
        dependsOn: patches,
    });
    const { namespace } = settings;
    const database = createDatabase(
        "postgres",
        { ...settings.database, namespace, previous: previousDatabase },
        { dependsOn: patches },
    );
    const access = accessOf(database, settings, { dependsOn: patches });
    const { resources, ...shared } = merged(settings, access);
    const api = declare(
        settings.name,
        settings.api,
        { ...shared, previous },
        { dependsOn: [...patches, policies, ...resources] },
    );

    return {
        url: api.url,
        ...(api instanceof BlueGreen && { activeColor: api.activeColor }),
        ...(!(api instanceof Rolling) && { previewUrl: api.previewUrl }),
        weights: api.state.weights,
        releases: api.state.sides.apply((sides) =>
            Object.fromEntries(Object.entries(sides).map(([side, { release }]) => [side, release])),
        ),
        namespaces,
        keptOnDestroy: database.keptOnDestroy,
        databaseState: database.state,
        state: api.state,
    };
};

/** The API by its strategy. */
function declare(
    name: string,
    { strategy, args }: ApiSettings,
    more: Partial<StrategyArgs>,
    opts: pulumi.ComponentResourceOptions,
): Rolling | BlueGreen | Canary {
    switch (strategy) {
        case "rolling":
            return new Rolling(name, { ...args, ...more }, opts);
        case "blueGreen":
            return new BlueGreen(name, { ...args, ...more }, opts);
        case "canary":
            return new Canary(name, { ...args, ...more }, opts);
    }
}

/** How the pods of each side find the database; of all of them where they share its namespace. */
function accessOf(
    database: Database,
    settings: Settings,
    opts: pulumi.ComponentResourceOptions,
): Record<string, DatabaseAccess> {
    const { namespace, api, database: args } = settings;
    const [first, ...others] = namespacesOf(settings);
    if (first === namespace && others.length === 0) return { "": accessTo(database) };
    return Object.fromEntries(
        ["blue", "green"].map((color) => [
            color,
            accessFrom(
                database,
                {
                    namespace: `${namespace}-${color}`,
                    color,
                    urlAsEnv: args.urlAsEnv,
                    labels: api.args.api?.labels,
                },
                opts,
            ),
        ]),
    );
}

/** What the API's pods get so that they find the database, beside what the stack config gives them. */
function merged(
    { api }: Settings,
    access: Record<string, DatabaseAccess>,
): Partial<StrategyArgs> & { resources: pulumi.Resource[] } {
    const { env, annotations } = api.args.api ?? {};
    const all = Object.values(access);
    const shared = access[""];
    const bySide = <T>(part: (of: DatabaseAccess) => T) =>
        shared === undefined
            ? Object.fromEntries(Object.entries(access).map(([side, of]) => [side, part(of)]))
            : undefined;
    return {
        api: {
            ...api.args.api,
            env: { ...all[0]?.env, ...env },
            annotations: { ...annotations, ...all[0]?.annotations },
        },
        secretEnv: shared?.secretEnv,
        secretFiles: shared?.secretFiles,
        // The second guide's variable, where each color is an environment of its own.
        sideEnv:
            shared === undefined
                ? { blue: { ENVIRONMENT: "blue" }, green: { ENVIRONMENT: "green" } }
                : undefined,
        sideSecretEnv: bySide(({ secretEnv }) => secretEnv),
        sideSecretFiles: bySide(({ secretFiles }) => secretFiles),
        resources: all.flatMap(({ resources }) => resources),
    };
}

/**
 * The outputs of the stack's last `up`: what it ran with, and what its volume was made with. None before
 * the first. They derive from the resources, so those of an `up` that failed are still the old ones.
 */
async function lastOutputs(): Promise<{ state?: unknown; databaseState?: unknown }> {
    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const self = new pulumi.StackReference("previous", { name });
    const [state, databaseState] = await Promise.all([
        self.getOutputDetails("state"),
        self.getOutputDetails("databaseState"),
    ]);
    return { state: state.value, databaseState: databaseState.value };
}
