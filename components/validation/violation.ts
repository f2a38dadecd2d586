/** One thing wrong with the input: where, what was found there, and what belongs there. */
export interface Violation {
    /** Path of the input: `replicas`, `releases["1.0.0"].image`. */
    path: string;
    /** What was found, as {@link show} prints it; `undefined` when nothing was. */
    got: string | undefined;
    /** What belongs there, and where it helps, how to get it: "a whole number of at least 1". */
    expected: string;
}

/** Longest value that an error message repeats, in characters. */
const SHOWN_CHARACTERS = 80;

/** A value as an error message shows it: JSON, cut when long. */
export function show(value: unknown): string {
    const text = JSON.stringify(value) ?? String(value);
    return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`;
}

/** `"a", "b" or "c"` */
export function oneOf(values: readonly string[]): string {
    const quoted = values.map((value) => JSON.stringify(value));
    const last = quoted.pop() ?? "nothing";
    return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

/** `a.b["1.0.0"][2]`: a path that can be typed into `pulumi config set --path`. */
export function pathOf(keys: readonly PropertyKey[]): string {
    return keys
        .map((key, index) => {
            if (typeof key === "number") return `[${key}]`;
            const word = String(key);
            if (!/^[A-Za-z_][\w:-]*$/.test(word)) return `[${JSON.stringify(word)}]`;
            return index === 0 ? word : `.${word}`;
        })
        .join("");
}

/** One line per violation, in the order of the paths as given. */
export function describe(violation: Violation): string {
    const { path, got, expected } = violation;
    return got === undefined
        ? `${path}: missing, expected ${expected}`
        : `${path}: got ${got}, expected ${expected}`;
}

/** `<subject> has 2 problems:` and a line for each. */
export function describeAll(subject: string, violations: readonly Violation[]): string {
    const count = violations.length === 1 ? "a problem" : `${violations.length} problems`;
    return [`${subject} has ${count}:`, ...violations.map((v) => `  ${describe(v)}`)].join("\n");
}
