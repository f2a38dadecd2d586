import type { Json } from "../types";
import { isMap } from "./objects";

type Step = (value: Json) => Json[];

/**
 * The JSONPath of `kubectl get -o jsonpath`, as far as conditions need it: `.a.b`, `['key']`,
 * `[0]`, `[-1]`, `[*]`, `.*` and `[?(@.type=="Ready")]`.
 */
export function parseJsonPath(path: string): (value: Json) => Json[] {
    const steps: Step[] = [];
    const pattern =
        /\.?\[\s*(-?\d+)\s*\]|\.?\[\s*['"]([^'"]*)['"]\s*\]|(?:\.?\[\s*\*\s*\]|\.\*)|\.?\[\?\(\s*@\.([\w.-]+)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([\w.-]+))\s*\)\]|\.((?:\\.|[^.[\]\\])+)/gy;
    const body = path.replace(/^\$/, "");
    while (pattern.lastIndex < body.length) {
        const at = pattern.lastIndex;
        const match = pattern.exec(body);
        if (match === null) {
            throw new Error(
                `JSONPath "${path}" is not supported by the stand-in engine at "${body.slice(at)}"`,
            );
        }
        const [, index, quoted, field, operator, single, double, bare, name] = match;
        if (index !== undefined) steps.push(itemAt(Number(index)));
        else if (quoted !== undefined) steps.push(member(quoted));
        else if (field !== undefined) {
            const wanted = single ?? double ?? bare ?? "";
            steps.push(filter(field.split("."), operator === "==", wanted));
        } else if (name !== undefined) steps.push(member(name.replaceAll("\\.", ".")));
        else steps.push(children);
    }
    return (value) => steps.reduce<Json[]>((found, step) => found.flatMap(step), [value]);
}

const member =
    (name: string): Step =>
    (value) =>
        isMap(value) && Object.hasOwn(value, name) ? [value[name] ?? null] : [];

const itemAt =
    (index: number): Step =>
    (value) => {
        const item = Array.isArray(value) ? value.at(index) : undefined;
        return item === undefined ? [] : [item];
    };

const children: Step = (value) => {
    if (Array.isArray(value)) return value;
    return isMap(value) ? Object.values(value) : [];
};

const filter =
    (path: string[], equal: boolean, wanted: string): Step =>
    (value) =>
        children(value).filter((item) => {
            const found = path.reduce<Json | undefined>(
                (at, key) => (isMap(at) ? at[key] : undefined),
                item,
            );
            return found !== undefined && (scalarText(found) === wanted) === equal;
        });

/** A scalar as text; lists and maps have none. */
export const scalarText = (value: Json): string | undefined =>
    typeof value === "object" && value !== null ? undefined : String(value);
