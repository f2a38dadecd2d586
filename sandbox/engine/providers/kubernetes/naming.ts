import { createHash } from "node:crypto";
import type { Inputs } from "../types";
import { Annotation, isAnnotated, type KubeObject, nameOf, setIn, text } from "./objects";

/**
 * Names an object that has no name: with the old generated name, so that it stays, else with
 * `<resource name>-<8 hex digits>`, the same for the same seed. A generated name is marked in the
 * annotations, because only such an object can be replaced before it is deleted.
 */
export function assignName(
    object: KubeObject,
    resourceName: string,
    randomSeed: Buffer,
    oldInputs: Inputs | undefined,
): void {
    if (nameOf(object) !== "" || text(object, "metadata", "generateName") !== "") return;
    if (oldInputs === undefined) {
        setName(object, `${resourceName}-${randomHex(randomSeed)}`);
    } else if (isAnnotated(oldInputs, Annotation.autonamed)) {
        setName(object, nameOf(oldInputs));
    }
}

function setName(object: KubeObject, name: string): void {
    setIn(object, ["metadata", "name"], name);
    setIn(object, ["metadata", "annotations", Annotation.autonamed], "true");
}

const randomHex = (seed: Buffer): string =>
    createHash("sha256").update(seed).digest("hex").slice(0, 8);
