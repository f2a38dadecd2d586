import * as pulumi from "@pulumi/pulumi";
import { NamespacePatch } from "@pulumi/kubernetes/core/v1/namespacePatch";
import type { SecretFilesArgs } from "./components/args";
import { BlueGreen } from "./components/blue-green";
import { Canary } from "./components/canary";
import { DATABASE_SECRET_PATH } from "./components/defaults";
import { namespaceLabels } from "./components/labels";
import { parseState, type State } from "./components/plan";
import { Postgres } from "./components/postgres";
import { Rolling } from "./components/rolling";
import type { StrategyArgs } from "./components/strategy";
import { CREDENTIALS_HASH } from "./components/postgres/defaults";
import { readSettings, refuseTransition, type ApiSettings } from "./config";

/** The program: one API by the strategy of the stack config, its database, and their namespace. */
export = async (): Promise<Record<string, unknown>> => {
    const settings = readSettings();
    const previous = await lastState();
    refuseTransition(previous, settings);

    // Patched, not owned: `destroy` must not take the database's volume along with its namespace, and
    // the next `up` must find it there.
    const namespace = new NamespacePatch(settings.namespace, {
        metadata: { name: settings.namespace, labels: namespaceLabels },
    });
    const postgres = new Postgres(
        "postgres",
        { namespace: settings.namespace, ...settings.database },
        { dependsOn: namespace },
    );
    const { env, annotations } = settings.api.args.api ?? {};
    const api = declare(
        settings.name,
        settings.api,
        {
            api: {
                ...settings.api.args.api,
                env: { ...environmentOf(postgres), ...env },
                // New passwords reach a pod's file after more than a minute, and a new pod at once.
                annotations: { ...annotations, [CREDENTIALS_HASH]: postgres.credentialsHash },
            },
            secretFiles: [passwordOf(postgres)],
            previous,
        },
        { dependsOn: [namespace, postgres] },
    );

    return {
        url: api.url,
        ...(api instanceof BlueGreen && {
            activeColor: api.activeColor,
            previewUrl: api.previewUrl,
        }),
        weights: api.state.weights,
        releases: api.state.sides.apply((sides) =>
            Object.fromEntries(Object.entries(sides).map(([side, { release }]) => [side, release])),
        ),
        namespaces: [settings.namespace],
        keptOnDestroy: postgres.keptOnDestroy,
        state: api.state,
    };
};

/** The API by its strategy. */
function declare(
    name: string,
    { strategy, args }: ApiSettings,
    more: Pick<StrategyArgs, "api" | "secretFiles" | "previous">,
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

/**
 * What the stack ran with when its last `up` ended, from its own outputs: none before the first. They
 * derive from the route, so those of an `up` that failed before it moved are still the old ones.
 */
async function lastState(): Promise<State | undefined> {
    const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
    const self = new pulumi.StackReference("previous", { name });
    const { value } = await self.getOutputDetails("state");
    return parseState(value);
}

/** How the API finds its database. */
function environmentOf(postgres: Postgres): Record<string, pulumi.Input<string>> {
    return {
        DB_HOST: postgres.host,
        DB_PORT: postgres.port.apply(String),
        DB_NAME: postgres.database,
        DB_USER: postgres.apiUser,
        DB_PASSWORD_FILE: `${DATABASE_SECRET_PATH}/password`,
    };
}

/** The API's password: a file, which no dump of the environment shows. */
function passwordOf({ apiPasswordSecret }: Postgres): SecretFilesArgs {
    return {
        name: "database",
        secretName: apiPasswordSecret.name,
        files: { password: apiPasswordSecret.key },
        mountPath: DATABASE_SECRET_PATH,
    };
}
