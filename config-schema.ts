import { z } from "zod";
import * as defaults from "./components/defaults";
import { api } from "./schema/api";
import { numericText, strings } from "./schema/common";
import { database } from "./schema/database";
import { gateway } from "./schema/gateway";
import { network } from "./schema/network";
import { router } from "./schema/router";
import { steps } from "./schema/steps";

const release = z.strictObject({
    image: z.string(),
    env: strings.optional(),
    files: strings.optional(),
    secrets: strings.optional(),
    changeCause: z.string().optional(),
});

const scalingRules = z.strictObject({
    stabilizationWindowSeconds: z.number().optional(),
    selectPolicy: z.enum(["Max", "Min", "Disabled"]).optional(),
    policies: z
        .array(
            z.strictObject({
                type: z.enum(["Percent", "Pods"]),
                value: z.number(),
                periodSeconds: z.number(),
            }),
        )
        .optional(),
});

const autoscaling = z.strictObject({
    minReplicas: z.number().optional(),
    maxReplicas: z.number().optional(),
    cpuPercent: z.number().optional(),
    memoryPercent: z.number().optional(),
    behavior: z
        .strictObject({ scaleDown: scalingRules.optional(), scaleUp: scalingRules.optional() })
        .optional(),
});

const rollingUpdate = z.strictObject({
    maxSurge: numericText.optional(),
    maxUnavailable: numericText.optional(),
});

/** How a key's text in the stack config becomes a value. */
const text = (raw: string): unknown => raw;
const number = (raw: string): unknown => (/^-?\d+(\.\d+)?$/.test(raw) ? Number(raw) : raw);

function json(raw: string): unknown {
    try {
        return JSON.parse(raw);
    } catch {
        return raw;
    }
}

/**
 * Every key of the stack config. `release` keys are what a release changes, and all that a rollback
 * writes; `infra` keys stay as they are. docs/configuration.md has a row for each.
 */
export const CONFIG_KEYS = {
    name: { tag: "infra", read: text, schema: z.string().default(defaults.NAME) },
    namespace: { tag: "infra", read: text, schema: z.string().default(defaults.NAMESPACE) },
    strategy: { tag: "infra", read: text, schema: z.string().default(defaults.STRATEGY) },
    routing: { tag: "infra", read: text, schema: z.string().default(defaults.ROUTING) },
    isolation: { tag: "infra", read: text, schema: z.string().default(defaults.ISOLATION) },
    releases: { tag: "release", read: json, schema: z.record(z.string(), release) },
    blue: { tag: "release", read: text, schema: z.string().optional() },
    green: { tag: "release", read: text, schema: z.string().optional() },
    stable: { tag: "release", read: text, schema: z.string().optional() },
    canary: { tag: "release", read: text, schema: z.string().optional() },
    current: { tag: "release", read: text, schema: z.string().optional() },
    canaryWeight: {
        tag: "release",
        read: number,
        schema: z.number().default(defaults.CANARY_WEIGHT),
    },
    activeColor: { tag: "release", read: text, schema: z.string().default(defaults.ACTIVE_COLOR) },
    capacityFloor: { tag: "release", read: number, schema: z.number().optional() },
    api: { tag: "infra", read: json, schema: api.default({}) },
    serviceName: { tag: "infra", read: text, schema: z.string().optional() },
    serviceType: { tag: "infra", read: text, schema: z.string().default(defaults.SERVICE_TYPE) },
    servicePort: { tag: "infra", read: number, schema: z.number().optional() },
    nodePort: { tag: "infra", read: number, schema: z.number().optional() },
    replicas: { tag: "infra", read: number, schema: z.number().optional() },
    rollingUpdate: { tag: "infra", read: json, schema: rollingUpdate.optional() },
    gateDeadlineSeconds: { tag: "infra", read: number, schema: z.number().optional() },
    idle: {
        tag: "infra",
        read: number,
        schema: z.union([z.string(), z.number()]).default(defaults.IDLE),
    },
    autoscaling: { tag: "infra", read: json, schema: autoscaling.optional() },
    router: { tag: "infra", read: json, schema: router.optional() },
    gateway: { tag: "infra", read: json, schema: gateway.optional() },
    network: { tag: "infra", read: json, schema: network.optional() },
    steps: { tag: "infra", read: json, schema: steps.optional() },
    database: { tag: "infra", read: json, schema: database.default({}) },
} as const satisfies Record<
    string,
    { tag: "release" | "infra"; read: (raw: string) => unknown; schema: z.ZodType }
>;

export type ConfigKey = keyof typeof CONFIG_KEYS;

/** The value of every key, as its schema reads it. */
export type ConfigValues = { [K in ConfigKey]: z.output<(typeof CONFIG_KEYS)[K]["schema"]> };

/** The keys that an object inside a key's value may have; none where its keys are the user's names. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
    const [first, ...rest] = path;
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
        return keysAt(schema.unwrap() as z.ZodType, path);
    }
    if (schema instanceof z.ZodRecord && first !== undefined) {
        return keysAt(schema.valueType as z.ZodType, rest);
    }
    if (schema instanceof z.ZodArray && first !== undefined) {
        return keysAt(schema.element as z.ZodType, rest);
    }
    if (!(schema instanceof z.ZodObject)) return [];
    if (first === undefined) return Object.keys(schema.shape);
    const inner = schema.shape[String(first)] as z.ZodType | undefined;
    return inner === undefined ? [] : keysAt(inner, rest);
}
