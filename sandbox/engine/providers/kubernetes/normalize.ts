import { type Inputs, type Json, UNKNOWN } from "../types";
import { isBuiltIn, isCrd } from "./kinds";
import { isMap, type KubeObject, pluck, removeIn, text } from "./objects";
import { canonicalQuantity } from "./quantity";

/** Set by the API server; an input of that name would only make a difference that never ends. */
const READ_ONLY_METADATA = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
];

/** Maps whose values are all quantities. */
const QUANTITY_MAPS = new Set([
    "limits",
    "requests",
    "capacity",
    "hard",
    "overhead",
    "default",
    "defaultRequest",
    "min",
    "max",
    "maxLimitRequestRatio",
]);
const QUANTITIES = new Set(["sizeLimit", "divisor", "averageValue"]);
/** Users' own keys, and data: nothing in here is a Kubernetes field. */
const OPAQUE = new Set([
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "data",
    "stringData",
    "binaryData",
]);

/**
 * Inputs in the form in which the API server will hand them back, so that a difference is one that
 * matters. Custom resources are left as they are: only their CRD knows their schema.
 */
export function normalizeInputs(object: KubeObject): KubeObject {
    const copy = structuredClone(object);
    if (isBuiltIn(text(copy, "apiVersion"))) {
        if (isCrd(copy)) normalizeCrd(copy);
        else if (copy.kind === "Secret") normalizeSecret(copy);
        else normalizeMap(copy, copy.kind === "HorizontalPodAutoscaler");
    }
    for (const key of READ_ONLY_METADATA) removeIn(copy, ["metadata", key]);
    return copy;
}

function normalizeMap(map: Inputs, autoscaler: boolean): void {
    for (const [key, value] of Object.entries(map)) {
        if (value === null) delete map[key];
        else if (QUANTITIES.has(key) || (autoscaler && key === "value"))
            map[key] = canonical(value);
        else if (QUANTITY_MAPS.has(key) && isMap(value)) {
            for (const [name, entry] of Object.entries(value)) value[name] = canonical(entry);
        } else if (OPAQUE.has(key)) continue;
        // Of an autoscaler's `value`s those of its targets are quantities, those of its policies numbers.
        else normalizeValue(value, autoscaler && key !== "behavior");
    }
}

function normalizeValue(value: Json, autoscaler: boolean): void {
    if (Array.isArray(value)) value.forEach((item) => normalizeValue(item, autoscaler));
    else if (isMap(value)) normalizeMap(value, autoscaler);
}

function canonical(value: Json): Json {
    return typeof value === "string" || typeof value === "number"
        ? canonicalQuantity(String(value))
        : value;
}

/** The API server moves `stringData` to `data`, and drops white space in base64. */
function normalizeSecret(secret: KubeObject): void {
    const data = isMap(secret.data) ? secret.data : {};
    const strings = isMap(secret.stringData) ? Object.entries(secret.stringData) : [];
    for (const [key, value] of Object.entries(data)) {
        if (typeof value !== "string") continue;
        // What is not base64 is left for the API server to refuse.
        if (/^[\sA-Za-z0-9+/]*[\s=]*$/.test(value)) {
            data[key] = Buffer.from(value, "base64").toString("base64");
        }
    }
    if (strings.length === 0) return;
    for (const [key, value] of strings) {
        if (typeof value !== "string") return;
        data[key] = value === UNKNOWN ? value : Buffer.from(value, "utf8").toString("base64");
    }
    secret.data = data;
    delete secret.stringData;
}

function normalizeCrd(crd: KubeObject): void {
    if (pluck(crd, "spec", "preserveUnknownFields") === false) {
        removeIn(crd, ["spec", "preserveUnknownFields"]);
    }
    delete crd.status;
}

/** The part of `live` that `target` speaks of: what the cluster added on its own is left out. */
export function prune(live: Inputs, target: Inputs): Inputs {
    const result: Inputs = {};
    for (const [key, value] of Object.entries(live)) {
        if (Object.hasOwn(target, key)) result[key] = pruneValue(value, target[key] ?? null);
    }
    return result;
}

function pruneValue(live: Json, target: Json): Json {
    if (isMap(live) && isMap(target)) return prune(live, target);
    if (!Array.isArray(live) || !Array.isArray(target)) return live;
    return live
        .slice(0, target.length)
        .map((item, index) => pruneValue(item, target[index] ?? null));
}

/** The SDK names these CRD fields with `_`, because `-` is no property name. */
const CRD_FIELD = /^x_kubernetes_[a-z_]+$/;

/** Inputs as the API server wants them. */
export function toWire(inputs: Inputs): KubeObject {
    return isCrd(inputs)
        ? (renameKeys(inputs, (key) =>
              CRD_FIELD.test(key) ? key.replaceAll("_", "-") : key,
          ) as KubeObject)
        : structuredClone(inputs);
}

/** An object of the API server as programs see it. */
export function fromWire(object: KubeObject): Inputs {
    return isCrd(object)
        ? (renameKeys(object, (key) =>
              key.startsWith("x-kubernetes-") ? key.replaceAll("-", "_") : key,
          ) as Inputs)
        : object;
}

function renameKeys(value: Json, rename: (key: string) => string): Json {
    if (Array.isArray(value)) return value.map((item) => renameKeys(item, rename));
    if (!isMap(value)) return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [rename(key), renameKeys(item, rename)]),
    );
}
