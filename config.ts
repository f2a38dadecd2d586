import * as pulumi from "@pulumi/pulumi";
import { CONFIG_KEYS, keysAt, type ConfigKey, type ConfigValues } from "./config-schema";
import type { ClusterArgs } from "./components/args";
import type { BlueGreenArgs } from "./components/blue-green";
import type { CanaryArgs } from "./components/canary";
import { AUTOSCALING } from "./components/defaults";
import { desiredBlueGreen, desiredCanary, desiredRolling } from "./components/desired";
import { forbiddenTransitions, Strategy } from "./components/plan";
import type { Color, Desired, Idle, ServiceType, State } from "./components/plan";
import type { RollingArgs } from "./components/rolling";
import type { StrategyArgs } from "./components/strategy";
import { ADMIN_USER, API_USER, DATABASE } from "./components/postgres/defaults";
import { checkNames } from "./components/postgres/names";
import { apiRules } from "./components/validation/api-rules";
import { unknownKey, violationsOf } from "./components/validation/issues";
import { rules } from "./components/validation/rules";
import { describeAll, type Violation } from "./components/validation/violation";

export { CONFIG_KEYS, type ConfigKey } from "./config-schema";

/** The namespace of our keys in the stack config: `cutover:replicas`. */
export const CONFIG_NAMESPACE = "cutover";

/** What the stack config says, with every default in place and every rule kept. */
export interface Settings {
    /** Name of the API, and of its component. */
    name: string;
    namespace: string;
    database: ConfigValues["database"];
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
    violations.push(...rulesOf(values));
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
    const { database } = values;
    const named = database && {
        database: database.database ?? DATABASE,
        user: database.user ?? ADMIN_USER,
        apiUser: database.apiUser ?? API_USER,
    };
    return [
        ...rules({ ...values, autoscaling }),
        ...apiRules(values.api),
        ...(named ? checkNames(named) : []).map((found) => ({
            ...found,
            path: `database.${found.path}`,
        })),
    ];
}

function settingsOf(values: ConfigValues, cluster: ClusterArgs): Settings {
    const { name, namespace, database } = values;
    return { name, namespace, database, api: apiOf(values, cluster) };
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
                },
            };
    }
}

function sharedArgs(values: ConfigValues, cluster: ClusterArgs): StrategyArgs {
    return {
        namespace: values.namespace,
        releases: values.releases,
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
