import { Json } from "../providers/types";
import { isObject } from "./values";

export type PathPart = string | number;

/** Parses a property path: `a.b[0]["c.d"]`, with `*` for any key or index. */
export function parsePath(path: string): PathPart[] {
    const parts: PathPart[] = [];
    let rest = path;
    while (rest !== "") {
        const match =
            /^\.?\[(\d+|\*)\]/.exec(rest) ??
            /^\.?\["((?:[^"\\]|\\.)*)"\]/.exec(rest) ??
            /^\.?([^.[\]]+)/.exec(rest);
        if (match === null) throw new Error(`invalid property path '${path}'`);
        const text = match[1] ?? "";
        if (match[0].includes("[") && /^\d+$/.test(text)) parts.push(Number(text));
        else parts.push(match[0].includes('"') ? text.replace(/\\(.)/g, "$1") : text);
        rest = rest.slice(match[0].length);
    }
    if (parts.length === 0) throw new Error("a property path must not be empty");
    return parts;
}

/** Writes parts as a path; what is not a plain name is quoted. */
export function formatPath(parts: readonly PathPart[]): string {
    return parts
        .map((part, index) => {
            if (typeof part === "number") return `[${part}]`;
            if (/^[^.[\]"]+$/.test(part)) return index === 0 ? part : `.${part}`;
            return `["${part.replace(/(["\\])/g, "\\$1")}"]`;
        })
        .join("");
}

/** Whether `pattern` names `path` or something that holds it. */
export function covers(pattern: readonly PathPart[], path: readonly PathPart[]): boolean {
    if (pattern.length > path.length) return false;
    return pattern.every((part, i) => part === "*" || String(part) === String(path[i]));
}

export function getAt(value: Json | undefined, parts: readonly PathPart[]): Json | undefined {
    let current = value;
    for (const part of parts) {
        if (Array.isArray(current)) current = current[Number(part)];
        else if (isObject(current)) current = current[String(part)];
        else return undefined;
    }
    return current;
}

/** Sets a copy's value at a path, making containers on the way; `undefined` removes it. */
export function setAt(root: Json, parts: readonly PathPart[], value: Json | undefined): Json {
    const [part, ...rest] = parts;
    if (part === undefined) return value ?? null;
    const base = Array.isArray(root) || isObject(root) ? root : typeof part === "number" ? [] : {};
    if (Array.isArray(base)) {
        const index = Number(part);
        const copy = [...base];
        if (rest.length === 0 && value === undefined) copy.splice(index, 1);
        else copy[index] = setAt(copy[index] ?? null, rest, value);
        return copy;
    }
    const copy = { ...base };
    if (rest.length === 0 && value === undefined) delete copy[String(part)];
    else copy[String(part)] = setAt(copy[String(part)] ?? null, rest, value);
    return copy;
}

/**
 * Inputs with each ignored path set back to its old value; a path that is absent in the old inputs
 * is removed from the new ones. `*` goes over the keys of both.
 */
export function applyIgnoreChanges(inputs: Json, old: Json, paths: readonly string[]): Json {
    return paths.reduce((current, path) => {
        return expand(parsePath(path), current, old).reduce(
            (result, concrete) =>
                getAt(result, concrete) === undefined && getAt(old, concrete) === undefined
                    ? result
                    : setAt(result, concrete, getAt(old, concrete)),
            current,
        );
    }, inputs);
}

function expand(pattern: PathPart[], left: Json, right: Json, head: PathPart[] = []): PathPart[][] {
    const star = pattern.indexOf("*");
    if (star < 0) return [[...head, ...pattern]];
    const before = [...head, ...pattern.slice(0, star)];
    const keys = new Set([...keysOf(getAt(left, before)), ...keysOf(getAt(right, before))]);
    return [...keys].flatMap((key) =>
        expand(pattern.slice(star + 1), left, right, [...before, key]),
    );
}

function keysOf(value: Json | undefined): PathPart[] {
    if (Array.isArray(value)) return value.map((_, index) => index);
    return isObject(value) ? Object.keys(value) : [];
}
