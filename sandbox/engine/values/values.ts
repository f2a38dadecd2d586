import { Inputs, Json, UNKNOWN } from "../providers/types";

/**
 * Property values are kept as the JSON that crosses Pulumi's wire: a secret, an asset or a resource
 * reference is an object with a signature under this key. So what the program sends, what the state
 * holds and what goes back need no conversion but the ciphertext of secrets.
 */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

export type JsonObject = { [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Json | undefined): value is JsonObject {
    return isObject(value) && value[SIGNATURE] === SECRET;
}

export function makeSecret(value: Json): Json {
    return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** Rebuilds a value bottom-up; `visit` sees every object after its members were mapped. */
function mapObjects(value: Json, visit: (object: JsonObject) => Json): Json {
    if (Array.isArray(value)) return value.map((item) => mapObjects(item, visit));
    if (!isObject(value)) return value;
    const mapped: JsonObject = {};
    for (const [key, item] of Object.entries(value)) mapped[key] = mapObjects(item, visit);
    return visit(mapped);
}

/** Plain JSON for providers: secrets unwrapped, resource references replaced by their id or URN. */
export function unwrap(value: Inputs): Inputs {
    return unwrapValue(value) as Inputs;
}

export function unwrapValue(value: Json): Json {
    return mapObjects(value, (object) => {
        if (object[SIGNATURE] === SECRET) return object["value"] ?? null;
        if (object[SIGNATURE] === RESOURCE_REFERENCE) return object["id"] ?? object["urn"] ?? null;
        return object;
    });
}

/** The SDK's output values (only sent where dependencies matter) as plain, secret or unknown ones. */
export function lowerOutputValues(value: Inputs): Inputs {
    return mapObjects(value, (object) => {
        if (object[SIGNATURE] !== OUTPUT_VALUE) return object;
        const plain = object["value"] ?? UNKNOWN;
        return object["secret"] === true ? makeSecret(plain) : plain;
    }) as Inputs;
}

export function containsSecret(value: Json | undefined): boolean {
    if (Array.isArray(value)) return value.some((item) => containsSecret(item));
    if (!isObject(value)) return false;
    return value[SIGNATURE] === SECRET || Object.values(value).some((item) => containsSecret(item));
}

export function containsUnknown(value: Json | undefined): boolean {
    if (value === UNKNOWN) return true;
    if (Array.isArray(value)) return value.some((item) => containsUnknown(item));
    return isObject(value) && Object.values(value).some((item) => containsUnknown(item));
}

/**
 * Marks in `plain` what is secret in `marked`, at the same paths. A list with a secret in it becomes
 * secret as a whole: a cluster may hand its items back in another order.
 */
export function annotateSecrets(plain: Json, marked: Json | undefined): Json {
    if (isSecret(marked)) return makeSecret(plain);
    if (Array.isArray(plain) && Array.isArray(marked)) {
        return containsSecret(marked) ? makeSecret(plain) : plain;
    }
    if (isObject(plain) && isObject(marked)) {
        const result: JsonObject = {};
        for (const [key, item] of Object.entries(plain)) {
            result[key] = annotateSecrets(item, marked[key]);
        }
        return result;
    }
    return plain;
}

/** Replaces every secret by what `seal` makes of it; the state file and the display differ in that. */
export function mapSecrets(value: Json, seal: (secret: Json) => Json): Json {
    if (isSecret(value)) return seal(value["value"] ?? null);
    if (Array.isArray(value)) return value.map((item) => mapSecrets(item, seal));
    if (!isObject(value)) return value;
    const mapped: JsonObject = {};
    for (const [key, item] of Object.entries(value)) mapped[key] = mapSecrets(item, seal);
    return mapped;
}

/** For people and logs: secrets and unknowns by their usual placeholders. */
export function redact(value: Json): Json {
    const plain = mapSecrets(value, () => "[secret]");
    return replaceUnknowns(plain);
}

function replaceUnknowns(value: Json): Json {
    if (value === UNKNOWN) return "output<string>";
    if (Array.isArray(value)) return value.map(replaceUnknowns);
    return isObject(value)
        ? Object.fromEntries(
              Object.entries(value).map(([key, item]) => [key, replaceUnknowns(item)]),
          )
        : value;
}

/** Equality of JSON values, secrets compared by what they hold, key order ignored. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
    if (isSecret(left)) return equal(left["value"], right);
    if (isSecret(right)) return equal(left, right["value"]);
    if (Array.isArray(left) && Array.isArray(right)) {
        return left.length === right.length && left.every((item, i) => equal(item, right[i]));
    }
    if (isObject(left) && isObject(right)) {
        const keys = Object.keys(left);
        if (keys.length !== Object.keys(right).length) return false;
        return keys.every((key) => key in right && equal(left[key], right[key]));
    }
    return left === right;
}
