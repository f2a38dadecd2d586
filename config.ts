import * as pulumi from "@pulumi/pulumi";
import * as runtimeConfig from "@pulumi/pulumi/runtime/config";
import { CONFIG_KEYS, keysAt, type ConfigKey, type ConfigValues } from "./config-schema";
import type { ClusterArgs } from "./components/args";
import type { BlueGreenArgs } from "./components/blue-green";
import type { CanaryArgs } from "./components/canary";
import { AUTOSCALING } from "./components/defaults";
import { desiredBlueGreen, desiredCanary, desiredRolling } from "./components/desired";
import type { NetworkPoliciesArgs } from "./components/network";
import { Color, forbiddenTransitions, Isolation, Strategy } from "./components/plan";
import type { Desired, Idle, Routing } from "./components/plan";
import type { ServiceType, State } from "./components/plan";
import type { RollingArgs } from "./components/rolling";
import { ROUTER_NAME, ROUTER_PORT } from "./components/router/defaults";
import type { StrategyArgs } from "./components/strategy";
import { PORT as POSTGRES_PORT, POSTGRES_SELECTOR } from "./components/postgres/defaults";
import { wantedVolume } from "./components/postgres";
import { databaseRules } from "./components/postgres/rules";
import { forbiddenDatabaseChanges, type DatabaseState } from "./components/postgres/state";
import { apiRules } from "./components/validation/api-rules";
import { unknownKey, violationsOf } from "./components/validation/issues";
import { networkRules } from "./components/validation/network-rules";
import { rules } from "./components/validation/rules";
import { stepRules } from "./components/validation/step-rules";
import { describeAll, type Violation } from "./components/validation/violation";

export { CONFIG_KEYS, type ConfigKey } from "./config-schema";

/** The namespace of our keys in the stack config: `cutover:replicas`. */
export const CONFIG_NAMESPACE = "cutover";

/** Whether a key is encrypted in the stack config; the SDK has it, and leaves it out of its types. */
const { isConfigSecret } = runtimeConfig as unknown as {
    isConfigSecret: (key: string) => boolean;
};

/** What the stack config says, with every default in place and every rule kept. */
export interface Settings {
    /** Name of the API, and of its component. */
    name: string;
    namespace: string;
    database: ConfigValues["database"];
    network: ConfigValues["network"];
    /** The weights of a stepped canary; the program itself goes by `canaryWeight` alone. */
    steps: ConfigValues["steps"];
    api: ApiSettings;
}

/** The strategy, and what its component is given. */
export type ApiSettings =
    | { strategy: "rolling"; args: RollingArgs }
    | { strategy: "blueGreen"; args: BlueGreenArgs }
    | { strategy: "canary"; args: CanaryArgs };

/** The stack config cannot be used. Pulumi prints a `RunError` without a stack trace. */
export class ConfigError extends pulumi.RunError {
    constructor(violations: readonly Violation[]) {
        const paths = violations.map((violation) => ({
            ...violation,
            path: /^[a-z]+:/.test(violation.path)
                ? violation.path
                : `${CONFIG_NAMESPACE}:${violation.path}`,
        }));
        super(describeAll("the stack config", paths));
        this.name = "ConfigError";
    }
}

/** The config of the stack that runs; throws a {@link ConfigError} that lists all that is wrong. */
export function readSettings(): Settings {
    return parseSettings(pulumi.runtime.allConfig());
}

/** The same from the raw values, by their full keys such as `cutover:replicas`. */
export function parseSettings(all: Record<string, string>): Settings {
    const { values, violations } = readKeys(all);
    const context = all["kubernetes:context"];
    if (context === undefined || context === "") {
        violations.push({
            path: "kubernetes:context",
            got: undefined,
            expected: "the name of the kubeconfig context to write to, which is never guessed",
        });
    }
    // What could not be read is not missing as well.
    const unread = violations.map(({ path }) => path);
    violations.push(
        ...rulesOf(values).filter(
            ({ path, got }) =>
                got !== undefined ||
                !unread.some((other) => other.startsWith(`${CONFIG_NAMESPACE}:${path}`)),
        ),
    );
    if (violations.length > 0) throw new ConfigError(violations);
    return settingsOf(values as ConfigValues, {
        context,
        kubeconfig: all["kubernetes:kubeconfig"],
    });
}

/** Throws a {@link ConfigError} when the running stack must not become what the settings say. */
export function refuseTransition(previous: State | undefined, settings: Settings): void {
    const violations = forbiddenTransitions(previous, desiredOf(settings));
    if (violations.length > 0) throw new ConfigError(violations);
}

/** The same for what the database's volume was made with, before anything is declared. */
export function refuseDatabaseChange(
    previous: DatabaseState | undefined,
    { database }: Settings,
): void {
    if (database.host !== undefined) return;
    const violations = forbiddenDatabaseChanges(previous, wantedVolume(database)).map((found) => ({
        ...found,
        path: `database.${found.path}`,
    }));
    if (violations.length > 0) throw new ConfigError(violations);
}

/** The namespaces that the settings need: the shared one, and with isolation `namespaces` the colors'. */
export function namespacesOf(settings: Settings): string[] {
    const { namespace, isolation } = desiredOf(settings);
    return isolation === Isolation.namespaces
        ? [namespace, ...Object.values(Color).map((color) => `${namespace}-${color}`)]
        : [namespace];
}

/**
 * Who may talk to whom. A pair may get a router and other namespaces while it serves, so they have
 * their ways from the beginning.
 */
export function networkOf(settings: Settings): NetworkPoliciesArgs {
    const { namespace, database, network, api } = settings;
    const { strategy, isolation, port } = desiredOf(settings);
    const colors = Object.values(Color).map((color) => `${namespace}-${color}`);
    const isolated = isolation === Isolation.namespaces;
    const databasePort = database.port ?? POSTGRES_PORT;
    return {
        app: settings.name,
        namespaces: isolated ? colors : [namespace],
        otherNamespaces:
            strategy === Strategy.blueGreen ? (isolated ? [namespace] : colors) : undefined,
        port,
        router:
            strategy === Strategy.rolling
                ? undefined
                : {
                      namespace,
                      selector: { app: api.args.router?.name ?? ROUTER_NAME },
                      port: ROUTER_PORT,
                  },
        database:
            database.host === undefined
                ? { namespace, selector: POSTGRES_SELECTOR, port: databasePort }
                : undefined,
        externalDatabase:
            database.host === undefined ? undefined : { host: database.host, port: databasePort },
        network,
        labels: api.args.api?.labels,
    };
}

/** What the settings ask for, with every default in place. */
export function desiredOf({ name, api }: Settings): Desired {
    switch (api.strategy) {
        case Strategy.rolling:
            return desiredRolling(name, api.args);
        case Strategy.blueGreen:
            return desiredBlueGreen(name, api.args);
        case Strategy.canary:
            return desiredCanary(name, api.args);
    }
}

/** Every key by its own schema. A value that its schema refuses is left out. */
function readKeys(all: Record<string, string>): {
    values: Partial<ConfigValues>;
    violations: Violation[];
} {
    const known = Object.keys(CONFIG_KEYS) as ConfigKey[];
    const violations: Violation[] = Object.keys(all)
        .filter((key) => key.startsWith(`${CONFIG_NAMESPACE}:`))
        .map((key) => key.slice(CONFIG_NAMESPACE.length + 1))
        .filter((key) => !(known as string[]).includes(key))
        .map((key) => unknownKey(key, key, known, (nearest) => `${CONFIG_NAMESPACE}:${nearest}`));
    const values: Record<string, unknown> = {};
    for (const key of known) {
        const { read, schema } = CONFIG_KEYS[key];
        const raw = all[`${CONFIG_NAMESPACE}:${key}`];
        const value = raw === undefined ? undefined : read(raw);
        const parsed = schema.safeParse(value);
        if (parsed.success) values[key] = parsed.data;
        else
            violations.push(
                ...violationsOf(`${CONFIG_NAMESPACE}:${key}`, value, parsed.error.issues, (path) =>
                    keysAt(schema, path),
                ),
            );
    }
    return { values: values, violations };
}

function rulesOf(values: Partial<ConfigValues>): Violation[] {
    const { minReplicas, maxReplicas } = AUTOSCALING;
    const autoscaling = values.autoscaling && { minReplicas, maxReplicas, ...values.autoscaling };
    const { database, isolation, namespace } = values;
    const encrypted = isConfigSecret(`${CONFIG_NAMESPACE}:database`);
    return [
        ...rules({ ...values, autoscaling }),
        ...apiRules(values.api),
        ...networkRules(values.network),
        ...stepRules(values.steps),
        ...(database ? databaseRules(database, { isolation, namespace, encrypted }) : []),
    ];
}

function settingsOf(values: ConfigValues, cluster: ClusterArgs): Settings {
    const { name, namespace, database, network, steps } = values;
    return { name, namespace, database, network, steps, api: apiOf(values, cluster) };
}

function apiOf(values: ConfigValues, cluster: ClusterArgs): ApiSettings {
    const { idle, replicas } = values;
    const shared = sharedArgs(values, cluster);
    const idleArgs =
        typeof idle === "number" ? { idleReplicas: idle } : { idle: idle as Idle | undefined };
    // The rules have looked at all of these: they are members of their sets, and what has to be there is.
    switch (values.strategy as Strategy) {
        case Strategy.rolling:
            return {
                strategy: "rolling",
                args: { ...shared, replicas, current: values.current as string },
            };
        case Strategy.canary:
            return {
                strategy: "canary",
                args: {
                    ...shared,
                    ...idleArgs,
                    replicas,
                    stable: values.stable as string,
                    canary: values.canary,
                    canaryWeight: values.canaryWeight,
                },
            };
        case Strategy.blueGreen:
            return {
                strategy: "blueGreen",
                args: {
                    ...shared,
                    ...idleArgs,
                    replicas,
                    blue: values.blue,
                    green: values.green,
                    activeColor: values.activeColor as Color,
                    canaryWeight: values.canaryWeight,
                    isolation: values.isolation as Isolation,
                },
            };
    }
}

function sharedArgs(values: ConfigValues, cluster: ClusterArgs): StrategyArgs {
    return {
        namespace: values.namespace,
        releases: values.releases,
        routing: values.routing as Routing,
        router: values.router,
        gateway: values.gateway,
        serviceType: values.serviceType as ServiceType,
        serviceName: values.serviceName,
        servicePort: values.servicePort,
        nodePort: values.nodePort,
        autoscaling: values.autoscaling,
        capacityFloor: values.capacityFloor,
        rollingUpdate: values.rollingUpdate,
        gateDeadlineSeconds: values.gateDeadlineSeconds,
        api: values.api,
        cluster,
    };
}
