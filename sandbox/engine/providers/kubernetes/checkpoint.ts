import { randomBytes } from "node:crypto";
import type { Inputs } from "../types";
import { fromWire, normalizeInputs, toWire } from "./normalize";
import {
    Annotation,
    annotation,
    isMap,
    type KubeObject,
    namespaceOf,
    parseObjectId,
    removeIn,
    setIn,
    text,
} from "./objects";

/** What the state keeps beside the live object's own fields. */
const StateKey = {
    inputs: "__inputs",
    initialApiVersion: "__initialApiVersion",
    fieldManager: "__fieldManager",
} as const;

/** What the state keeps of an object: all of it as last seen, and what was asked for. */
export function checkpoint(
    inputs: Inputs,
    live: KubeObject,
    fieldManager: string,
    before: Inputs = {},
): Inputs {
    return {
        ...fromWire(live),
        [StateKey.inputs]: inputs,
        [StateKey.initialApiVersion]:
            text(before, StateKey.initialApiVersion) || text(inputs, "apiVersion"),
        [StateKey.fieldManager]: fieldManager,
    };
}

/** A checkpoint taken apart again. */
export function parseCheckpoint(
    outputs: Inputs,
    oldInputs: Inputs = {},
): { inputs: Inputs; live: KubeObject } {
    const live = toWire(outputs);
    const recorded = live[StateKey.inputs];
    for (const key of Object.values(StateKey)) delete live[key];
    return { inputs: isMap(recorded) ? recorded : toWire(oldInputs), live };
}

/** The manager of this resource's fields: as annotated, as before, or a new one of its own. */
export function fieldManagerOf(outputs: Inputs, inputs: KubeObject): string {
    const annotated = annotation(inputs, Annotation.patchFieldManager);
    if (annotated !== "") return annotated;
    const before = text(outputs, StateKey.fieldManager);
    return before === "" ? `pulumi-kubernetes-${randomBytes(4).toString("hex")}` : before;
}

/** `object` with the name of the id, and with its namespace where it has none. */
export function identified(object: KubeObject, id: string): KubeObject {
    const { namespace, name } = parseObjectId(id);
    const copy = structuredClone(object);
    setIn(copy, ["metadata", "name"], name);
    if (namespaceOf(copy) === "" && namespace !== "") {
        setIn(copy, ["metadata", "namespace"], namespace);
    }
    return copy;
}

/** Inputs for an object that was made elsewhere: all that a program could have said. */
export function importedInputs(live: KubeObject): KubeObject {
    const inputs = normalizeInputs(live);
    delete inputs.status;
    for (const key of [
        "deployment.kubernetes.io/revision",
        "kubectl.kubernetes.io/last-applied-configuration",
    ]) {
        removeIn(inputs, ["metadata", "annotations", key]);
    }
    return inputs;
}
