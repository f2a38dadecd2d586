import { isDeepStrictEqual } from "node:util";
import type { Diff, DiffKind, Inputs, Json } from "../types";
import { parseCheckpoint } from "./checkpoint";
import { builtInMapping, isBuiltIn } from "./kinds";
import { normalizeInputs, prune, toWire } from "./normalize";
import { Annotation, isAnnotated, isMap, nameOf, namespaceOf, setIn, text } from "./objects";
import { contains, formatPath, parsePath, type Segment } from "./paths";
import { forceNewPaths, type Mutability, touches } from "./replacement";

export interface DiffOptions {
    mutable: Mutability;
    ignoreChanges: string[];
    namespaced: boolean;
}

/**
 * Compares the new inputs with the live object as last seen, cut to what the old inputs spoke of.
 * No cluster is asked: drift shows after a refresh only, as with the real provider.
 */
export function diffObjects(
    outputs: Inputs,
    rawOldInputs: Inputs,
    rawNewInputs: Inputs,
    options: DiffOptions,
): Diff {
    const checkpoint = parseCheckpoint(outputs, rawOldInputs);
    const oldInputs = normalizeInputs(checkpoint.inputs);
    const newInputs = normalizeInputs(toWire(rawNewInputs));
    const live = checkpoint.live;
    const old = prune(live, oldInputs);
    setScope(old, options.namespaced);
    setScope(newInputs, options.namespaced);
    const wasIn = namespaceOf(live) || (options.namespaced ? "default" : "");
    old.apiVersion ??= newInputs.apiVersion ?? null;
    old.kind ??= newInputs.kind ?? null;
    if (nameOf(newInputs) !== "") setIn(old, ["metadata", "name"], nameOf(live));

    const differ = new Differ(
        forceNewPaths(newInputs, options.mutable),
        isBuiltIn(text(newInputs, "apiVersion")),
    );
    differ.map([], old, newInputs, oldInputs);
    const ignored = options.ignoreChanges.map(parsePath);
    const detailed: Diff["detailed"] = {};
    const replaceKeys: string[] = [];
    for (const { path, kind } of differ.found) {
        if (ignored.some((container) => contains(container, path))) continue;
        const key = formatPath(path);
        detailed[key] = { kind };
        if (kind.endsWith("-replace") || (kind === "delete" && key === "metadata")) {
            replaceKeys.push(key);
        }
    }
    // The new object cannot stand beside the old one under the same, explicitly given name.
    const deleteBeforeReplace =
        replaceKeys.length > 0 &&
        nameOf(newInputs) !== "" &&
        !isAnnotated(newInputs, Annotation.autonamed) &&
        nameOf(newInputs) === nameOf(live) &&
        namespaceOf(newInputs) === wasIn;
    return {
        changes: Object.keys(detailed).length > 0,
        replaceKeys,
        deleteBeforeReplace,
        detailed,
    };
}

/** The scope of a kind as far as it is known without a cluster: unknown kinds are namespaced. */
export const isNamespacedOffline = (apiVersion: string, kind: string): boolean =>
    builtInMapping(apiVersion, kind)?.namespaced ?? true;

function setScope(object: Inputs, namespaced: boolean): void {
    const metadata = isMap(object.metadata) ? object.metadata : {};
    if (namespaced) metadata.namespace = text(metadata, "namespace") || "default";
    else delete metadata.namespace;
    object.metadata = metadata;
}

/** Values the API server leaves out when it writes an object. */
const isZero = (value: Json): boolean =>
    value === false ||
    value === "" ||
    value === 0 ||
    (Array.isArray(value) && value.length === 0) ||
    (isMap(value) && Object.keys(value).length === 0);

class Differ {
    readonly found: { path: Segment[]; kind: DiffKind }[] = [];

    constructor(
        private readonly forceNew: string[][],
        private readonly builtIn: boolean,
    ) {}

    map(path: Segment[], old: Inputs, wanted: Inputs, asked: Json | undefined): void {
        const askedMap = isMap(asked) ? asked : {};
        for (const key of new Set([...Object.keys(wanted), ...Object.keys(old)])) {
            this.value(
                [...path, key],
                Object.hasOwn(old, key) ? old[key] : undefined,
                Object.hasOwn(wanted, key) ? wanted[key] : undefined,
                askedMap[key],
            );
        }
    }

    private value(
        path: Segment[],
        old: Json | undefined,
        wanted: Json | undefined,
        asked: Json | undefined,
    ): void {
        if (wanted === undefined || wanted === null) {
            if (old !== undefined && old !== null) this.add(path, null, "delete");
        } else if (old === undefined || old === null) {
            // Asked for before, and dropped by the API server because it is the zero value.
            const dropped = this.builtIn && isZero(wanted) && isDeepStrictEqual(asked, wanted);
            if (!dropped) this.add(path, wanted, "add");
        } else if (isMap(old) && isMap(wanted)) {
            this.map(path, old, wanted, asked);
        } else if (Array.isArray(old) && Array.isArray(wanted)) {
            const askedList = Array.isArray(asked) ? asked : [];
            const length = Math.max(old.length, wanted.length);
            for (let index = 0; index < length; index++) {
                this.value([...path, index], old[index], wanted[index], askedList[index]);
            }
        } else if (old !== wanted) {
            this.add(path, wanted, "update");
        }
    }

    private add(path: Segment[], value: Json, kind: "add" | "delete" | "update"): void {
        const replace = this.forceNew.some((pattern) => touches(path, value, pattern));
        this.found.push({ path, kind: replace ? `${kind}-replace` : kind });
    }
}
