import { type Inputs, type Json, UNKNOWN } from "../types";

/** A Kubernetes object as the API server speaks it. */
export type KubeObject = Inputs;

export const isMap = (value: Json | undefined): value is Inputs =>
    typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at `path`, or undefined where any step is missing. */
export function pluck(object: Json | undefined, ...path: string[]): Json | undefined {
    let value = object;
    for (const key of path) {
        if (!isMap(value) || !Object.hasOwn(value, key)) return undefined;
        value = value[key];
    }
    return value;
}

export function text(object: Json | undefined, ...path: string[]): string {
    const value = pluck(object, ...path);
    return typeof value === "string" ? value : "";
}

export function integer(object: Json | undefined, ...path: string[]): number | undefined {
    const value = pluck(object, ...path);
    return typeof value === "number" ? value : undefined;
}

/** The maps in the list at `path`; empty where there is none. */
export function maps(object: Json | undefined, ...path: string[]): Inputs[] {
    const value = pluck(object, ...path);
    return Array.isArray(value) ? value.filter(isMap) : [];
}

export function setIn(object: Inputs, path: string[], value: Json): void {
    const [key, ...rest] = path;
    if (key === undefined) return;
    if (rest.length === 0) {
        object[key] = value;
        return;
    }
    const next = object[key];
    if (isMap(next)) return setIn(next, rest, value);
    const created: Inputs = {};
    object[key] = created;
    setIn(created, rest, value);
}

export function removeIn(object: Inputs, path: string[]): void {
    const parent = pluck(object, ...path.slice(0, -1));
    const key = path.at(-1);
    if (isMap(parent) && key !== undefined) delete parent[key];
}

export const nameOf = (object: KubeObject): string => text(object, "metadata", "name");
export const namespaceOf = (object: KubeObject): string => text(object, "metadata", "namespace");
export const uidOf = (object: KubeObject): string => text(object, "metadata", "uid");
export const generationOf = (object: KubeObject): number =>
    integer(object, "metadata", "generation") ?? 0;

/** A condition of `.status.conditions` by its type. */
export const conditionOf = (object: KubeObject, type: string): Inputs | undefined =>
    maps(object, "status", "conditions").find((condition) => condition.type === type);

/** True if `owner` is a direct owner of `object`, by uid. */
export const isOwnedBy = (object: KubeObject, owner: KubeObject): boolean =>
    maps(object, "metadata", "ownerReferences").some((ref) => ref.uid === uidOf(owner));

/** `namespace/name`, or the name alone of a cluster-wide object: Pulumi's id of it. */
export function objectId(object: KubeObject): string {
    const namespace = namespaceOf(object);
    return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

export function parseObjectId(id: string): { namespace: string; name: string } {
    const slash = id.indexOf("/");
    return slash < 0
        ? { namespace: "", name: id }
        : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

export function hasUnknown(value: Json): boolean {
    if (value === UNKNOWN) return true;
    if (Array.isArray(value)) return value.some(hasUnknown);
    return isMap(value) && Object.values(value).some(hasUnknown);
}

/** The last segment of a URN: the resource's name in the program. */
export const urnName = (urn: string): string => urn.slice(urn.lastIndexOf("::") + 2);

/** The annotations by which programs steer the provider. */
export const Annotation = {
    autonamed: "pulumi.com/autonamed",
    skipAwait: "pulumi.com/skipAwait",
    waitFor: "pulumi.com/waitFor",
    timeoutSeconds: "pulumi.com/timeoutSeconds",
    replaceUnready: "pulumi.com/replaceUnready",
    patchForce: "pulumi.com/patchForce",
    patchFieldManager: "pulumi.com/patchFieldManager",
    deletionPropagation: "pulumi.com/deletionPropagationPolicy",
} as const;

export const annotation = (object: KubeObject, key: string): string =>
    text(object, "metadata", "annotations", key);

export const isAnnotated = (object: KubeObject, key: string): boolean =>
    annotation(object, key) === "true";
