import type { Inputs, Json } from "../types";
import { isMap, type KubeObject, maps, pluck, removeIn, setIn, text } from "./objects";
import { parsePath } from "./paths";

/** `metadata.managedFields`: who set which fields last. */
const entriesOf = (object: KubeObject): Inputs[] => maps(object, "metadata", "managedFields");

/** The manager of objects that were created and not applied. */
export const CREATE_MANAGER = "pulumi-kubernetes";

/**
 * Managers whose fields the provider takes over at the first apply: its own create, and kubectl.
 * Names are prefixes: `kubectl` is also `kubectl-client-side-apply`.
 */
const ADOPTED: { prefix: string; operation: "Apply" | "Update" }[] = [
    { prefix: "kubectl", operation: "Apply" },
    { prefix: "kubectl", operation: "Update" },
    { prefix: "before-first-apply", operation: "Update" },
    { prefix: CREATE_MANAGER, operation: "Update" },
    { prefix: "pulumi-resource-kubernetes", operation: "Update" },
];

/**
 * A JSON patch that makes `manager` the owner of what the program set at creation: an object is
 * created by POST, and would else conflict with its own later apply. Undefined if nothing is to do.
 */
export function adoptionPatch(live: KubeObject, manager: string): Json[] | undefined {
    const isOurs = (entry: Inputs): boolean =>
        text(entry, "manager") === manager && text(entry, "operation") === "Apply";
    const isAdopted = (entry: Inputs): boolean =>
        text(entry, "subresource") === "" &&
        ADOPTED.some(
            ({ prefix, operation }) =>
                text(entry, "operation") === operation && text(entry, "manager").startsWith(prefix),
        );
    const entries = entriesOf(live);
    const [first, ...more] = entries.filter((entry) => isAdopted(entry) && !isOurs(entry));
    if (first === undefined) return undefined;
    const merged: Inputs = { ...first, manager, operation: "Apply" };
    for (const entry of [...more, ...entries.filter(isOurs)]) {
        merged.fieldsV1 = mergeFields(merged.fieldsV1 ?? {}, entry.fieldsV1 ?? {});
    }
    return [
        {
            op: "replace",
            path: "/metadata/managedFields",
            value: [...entries.filter((entry) => !isAdopted(entry) && !isOurs(entry)), merged],
        },
        {
            op: "replace",
            path: "/metadata/resourceVersion",
            value: text(live, "metadata", "resourceVersion"),
        },
    ];
}

function mergeFields(one: Json, other: Json): Json {
    if (!isMap(one) || !isMap(other)) return one;
    const merged: Inputs = { ...one };
    for (const [key, value] of Object.entries(other)) {
        merged[key] = Object.hasOwn(merged, key) ? mergeFields(merged[key] ?? {}, value) : value;
    }
    return merged;
}

/**
 * Honours `ignoreChanges` in an apply. A field that only others own is left out, so that there is
 * no conflict and no claim on it; one that is (also) ours is sent with its live value, because
 * leaving it out would reset it.
 */
export function keepIgnored(
    wanted: KubeObject,
    live: KubeObject,
    manager: string,
    ignoreChanges: string[],
): void {
    const entries = entriesOf(live);
    const ours = entries.filter((entry) => text(entry, "manager") === manager);
    const theirs = entries.filter((entry) => text(entry, "manager") !== manager);
    for (const ignored of ignoreChanges) {
        const path = parsePath(ignored);
        // Items of lists are owned by key, not by index: the engine's own ignoreChanges holds them.
        if (!path.every((segment) => typeof segment === "string" && segment !== "*")) continue;
        const keys = path.map(String);
        const fields = keys.map((key) => `f:${key}`);
        const owns = (entry: Inputs): boolean => pluck(entry.fieldsV1, ...fields) !== undefined;
        if (theirs.some(owns) && !ours.some(owns)) {
            removeIn(wanted, keys);
            continue;
        }
        const value = pluck(live, ...keys);
        if (value !== undefined) setIn(wanted, keys, structuredClone(value));
    }
}

/** True if any of the object's fields were set by a create or by client-side apply of Pulumi. */
export const hasCreateManager = (object: KubeObject): boolean =>
    entriesOf(object).some(
        (entry) =>
            text(entry, "operation") === "Update" &&
            [CREATE_MANAGER, "pulumi-resource-kubernetes"].includes(text(entry, "manager")),
    );

export const hasManagers = (object: KubeObject): boolean => entriesOf(object).length > 0;
