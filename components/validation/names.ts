import { pathOf, show, type Violation } from "./violation";

/** The name part of a label's key, and a label's value when it is not empty. */
const WORD = "[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?";
const LABEL_VALUE = new RegExp(`^(${WORD})?$`);
const LABEL_KEY = new RegExp(`^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?/)?${WORD}$`);
const OBJECT_NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

/** Every name of a map that `allowed` does not match. */
export function wrongKeys(
    path: string,
    map: object | undefined,
    allowed: RegExp,
    expected: string,
) {
    return Object.keys(map ?? {})
        .filter((key) => !allowed.test(key))
        .map((key): Violation => ({ path, got: `the key ${show(key)}`, expected }));
}

/** Labels or annotations: their keys. */
export function wrongLabelKeys(path: string, map: object | undefined): Violation[] {
    return wrongKeys(path, map, LABEL_KEY, `a key like "team" or "example.com/team"`);
}

/** Labels: their keys, and those of their values that are known already. */
export function wrongLabels(path: string, map: object | undefined): Violation[] {
    const expected = `at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`;
    const values = Object.entries<unknown>({ ...map })
        .filter(([, value]) => typeof value === "string" && !LABEL_VALUE.test(value))
        .map(([key, value]): Violation => {
            return { path: pathOf([...path.split("."), key]), got: show(value), expected };
        });
    return [...wrongLabelKeys(path, map), ...values];
}

/** The name of an object, if it is known already and is none. */
export function wrongObjectName(path: string, value: unknown, kind: string): Violation[] {
    if (typeof value !== "string" || OBJECT_NAME.test(value)) return [];
    const expected = `the name of a ${kind}: lower-case letters, digits, "-" and "."`;
    return [{ path, got: show(value), expected }];
}
