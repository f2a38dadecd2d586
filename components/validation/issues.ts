import { nearest } from "./nearest";
import { oneOf, pathOf, show, type Violation } from "./violation";

/** The part of a zod issue that is read here. */
export interface Issue {
    code: string;
    path: readonly PropertyKey[];
    message: string;
    expected?: string;
    keys?: readonly string[];
    values?: readonly unknown[];
}

/** Stands for a value that no error message may repeat. */
export const HIDDEN = "a value that is not shown";

const KINDS: Record<string, string> = {
    string: "a text",
    number: "a number",
    boolean: "true or false",
    array: "a list",
    object: "an object",
    record: "an object",
};

/**
 * What zod found wrong with the value of `key`, in the words of our error messages. `known` are the
 * keys that an object inside the value may have, by its path.
 */
export function violationsOf(
    key: string,
    value: unknown,
    issues: readonly Issue[],
    known: (path: readonly PropertyKey[]) => readonly string[],
): Violation[] {
    return issues.flatMap((issue) => {
        const path = [key, ...issue.path];
        if (issue.code === "unrecognized_keys") {
            return (issue.keys ?? []).map((unknown) =>
                unknownKey(pathOf([...path, unknown]), unknown, known(issue.path), (name) =>
                    pathOf([...path, name]),
                ),
            );
        }
        const found = at(value, issue.path);
        return [
            {
                path: pathOf(path),
                got: found === undefined ? undefined : shown(path, found),
                expected: expected(issue),
            },
        ];
    });
}

/** Keys whose values, wherever they are, are the user's secrets and must not end up in a log. */
const SECRET_KEYS: readonly PropertyKey[] = ["secrets", "password"];

/** A whole key that is only a text was meant to be an object, and any part of it may be secret. */
const MAY_HOLD_SECRETS: readonly PropertyKey[] = ["cutover:releases", "cutover:database"];

function shown(path: readonly PropertyKey[], value: unknown): string {
    const [key = ""] = path;
    const isUnreadable = typeof value === "string" && path.length === 1;
    const hidden =
        path.some((step) => SECRET_KEYS.includes(step)) ||
        (isUnreadable && MAY_HOLD_SECRETS.includes(key));
    return hidden ? HIDDEN : show(withoutSecrets(value));
}

function withoutSecrets(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(withoutSecrets);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
            key,
            SECRET_KEYS.includes(key) ? HIDDEN : withoutSecrets(inner),
        ]),
    );
}

/** A key that does not exist, with the one that was probably meant. */
export function unknownKey(
    path: string,
    key: string,
    known: readonly string[],
    pathTo: (key: string) => string,
): Violation {
    const close = nearest(key, known);
    return {
        path,
        got: "an unknown key",
        expected:
            close === undefined
                ? `one of ${known.join(", ")}`
                : `${pathTo(close)}, the nearest known one`,
    };
}

function expected(issue: Issue): string {
    if (issue.code === "invalid_value") return oneOf((issue.values ?? []).map(String));
    if (issue.code === "invalid_type") return KINDS[issue.expected ?? ""] ?? String(issue.expected);
    return issue.message;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (inner, key) =>
            typeof inner === "object" && inner !== null
                ? (inner as Record<PropertyKey, unknown>)[key]
                : undefined,
        value,
    );
}
