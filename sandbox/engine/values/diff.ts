import { Diff, DiffKind, Inputs, Json } from "../providers/types";
import { formatPath, getAt, parsePath, PathPart } from "./paths";
import { equal, isObject, isSecret, unwrapValue } from "./values";

export type Detailed = Diff["detailed"];

/** The leaves that differ between two property maps. */
export function detailedDiff(old: Inputs, next: Inputs): Detailed {
    const found: Detailed = {};
    compare(old, next, [], found);
    return found;
}

function compare(
    old: Json | undefined,
    next: Json | undefined,
    at: PathPart[],
    found: Detailed,
): void {
    if (equal(old, next)) return;
    const left = isSecret(old) ? unwrapValue(old) : old;
    const right = isSecret(next) ? unwrapValue(next) : next;
    if (isObject(left) && isObject(right)) {
        for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
            compare(left[key], right[key], [...at, key], found);
        }
    } else if (Array.isArray(left) && Array.isArray(right)) {
        for (let i = 0; i < Math.max(left.length, right.length); i++) {
            compare(left[i], right[i], [...at, i], found);
        }
    } else {
        const kind: DiffKind =
            left === undefined ? "add" : right === undefined ? "delete" : "update";
        found[formatPath(at)] = { kind };
    }
}

/** The value at a diff's path; a secret anywhere above the path makes the result secret. */
export function valueAt(root: Json, path: string): { value: Json | undefined; secret: boolean } {
    let current: Json | undefined = root;
    let secret = false;
    for (const part of parsePath(path)) {
        if (isSecret(current)) {
            secret = true;
            current = current["value"];
        }
        current = getAt(current, [part]);
    }
    return { value: current, secret: secret || isSecret(current) };
}
