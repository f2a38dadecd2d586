import { UserError } from "../cli/errors";
import { Json } from "../providers/types";
import { Crypter } from "../secrets/passphrase";
import { isObject, JsonObject } from "../values/values";
import { fullKey } from "./stack-settings";

/** A config value as a program gets it: text, or JSON text of an object. */
export interface ConfigValue {
    text: string;
    object: boolean;
    secret: boolean;
}

/** Whether a raw value, or a part of it, is a ciphertext. */
export function hasSecret(value: Json | undefined): boolean {
    if (Array.isArray(value)) return value.some(hasSecret);
    if (!isObject(value)) return false;
    return isSecure(value) || Object.values(value).some(hasSecret);
}

export function isSecure(value: Json | undefined): value is { secure: string } {
    return (
        isObject(value) && typeof value["secure"] === "string" && Object.keys(value).length === 1
    );
}

/** Decodes a raw value; without a crypter a secret is shown as `[secret]`. */
export function decodeConfig(value: Json, crypter: Crypter | undefined): ConfigValue {
    const secret = hasSecret(value);
    if (isSecure(value)) {
        const text = crypter === undefined ? "[secret]" : crypter.decrypt(value.secure);
        return { text, object: false, secret };
    }
    if (typeof value === "object" && value !== null) {
        return { text: JSON.stringify(reveal(value, crypter)), object: true, secret };
    }
    return { text: value === null ? "" : String(value), object: false, secret };
}

function reveal(value: Json, crypter: Crypter | undefined): Json {
    if (isSecure(value)) return crypter === undefined ? "[secret]" : crypter.decrypt(value.secure);
    if (Array.isArray(value)) return value.map((item) => reveal(item, crypter));
    if (!isObject(value)) return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, reveal(item, crypter)]),
    );
}

/**
 * The stack's config completed by the project's typed `config:` block: defaults filled in, missing
 * and mistyped keys refused.
 */
export function applyProjectConfig(
    stackConfig: JsonObject,
    schema: JsonObject,
    project: string,
    stack: string,
): JsonObject {
    const result = { ...stackConfig };
    for (const [written, entry] of Object.entries(schema)) {
        const key = fullKey(written, project);
        const own = key.startsWith(`${project}:`);
        const typed = isObject(entry) ? entry : { value: entry };
        const fallback = typed["value"] ?? typed["default"];
        if (result[key] === undefined && fallback !== undefined) result[key] = fallback;
        const value = result[key];
        if (value === undefined) {
            if (own && typed["type"] !== undefined) {
                throw new UserError(`Stack '${stack}' is missing configuration value '${written}'`);
            }
            continue;
        }
        if (own && typed["type"] !== undefined && !hasSecret(value) && !conforms(value, typed)) {
            throw new UserError(
                `Stack '${stack}' with configuration key '${written}' must be of type ` +
                    `'${describeType(typed)}'`,
            );
        }
    }
    return result;
}

function conforms(value: Json, schema: JsonObject): boolean {
    const items = schema["items"];
    const { type } = schema;
    switch (typeof type === "string" ? type : "") {
        case "string":
            return typeof value === "string" || typeof value === "number";
        case "integer":
            return /^[+-]?\d+$/.test(JSON.stringify(value).replace(/"/g, ""));
        case "number":
            return Number.isFinite(Number(value)) && value !== "";
        case "boolean":
            return typeof value === "boolean" || value === "true" || value === "false";
        case "array":
            if (!Array.isArray(value)) return false;
            return !isObject(items) || value.every((item) => conforms(item, items));
        case "object":
            return isObject(value);
        default:
            throw new UserError(`unknown config type ${JSON.stringify(type)}`);
    }
}

function describeType(schema: JsonObject): string {
    const items = schema["items"];
    const type = typeof schema["type"] === "string" ? schema["type"] : "";
    return type === "array" && isObject(items) ? `array<${describeType(items)}>` : type;
}
