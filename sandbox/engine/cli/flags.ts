import { Exit, NotSupportedError, UserError } from "./errors";

export type FlagKind = "boolean" | "value" | "list";

export interface ParsedFlags {
    has(name: string): boolean;
    /** A boolean flag's value; undefined when it was not given. */
    flag(name: string): boolean | undefined;
    value(name: string): string | undefined;
    list(name: string): string[];
    arguments: string[];
}

/** Accepted by every command; those that only shape the real CLI's logging do nothing here. */
export const GLOBAL_FLAGS: Record<string, FlagKind> = {
    color: "value",
    cwd: "value",
    emoji: "boolean",
    help: "boolean",
    logflow: "boolean",
    logtostderr: "boolean",
    "non-interactive": "boolean",
    verbose: "value",
};

const SHORT_NAMES: Record<string, string> = {
    C: "cwd",
    c: "config",
    d: "debug",
    e: "emoji",
    f: "skip-preview",
    h: "help",
    i: "show-secrets",
    j: "json",
    m: "message",
    p: "parallel",
    r: "refresh",
    s: "stack",
    t: "target",
    v: "verbose",
    y: "yes",
};

/**
 * Parses what follows a command's name. `--name=value`, `--name value`, `-n value`; everything after
 * `--` is an argument. A flag that the command does not know is refused by name.
 */
export function parseFlags(
    command: string,
    tokens: readonly string[],
    known: Record<string, FlagKind>,
): ParsedFlags {
    const kinds = { ...GLOBAL_FLAGS, ...known };
    const values = new Map<string, string[]>();
    const rest: string[] = [];
    for (let i = 0; i < tokens.length; i++) {
        const token = tokens[i] ?? "";
        if (token === "--") {
            rest.push(...tokens.slice(i + 1));
            break;
        }
        if (!token.startsWith("-") || token === "-") {
            rest.push(token);
            continue;
        }
        const [written = "", ...inline] = token.split("=");
        const name = nameOf(written);
        const kind = kinds[name];
        if (kind === undefined) throw new NotSupportedError(`${written} of 'pulumi ${command}'`);
        let value = inline.length > 0 ? inline.join("=") : undefined;
        if (value === undefined && kind === "boolean") value = "true";
        if (value === undefined) {
            value = tokens[++i];
            if (value === undefined)
                throw new UserError(`flag needs an argument: ${written}`, Exit.usage);
        }
        values.set(name, [...(values.get(name) ?? []), value]);
    }
    const last = (name: string): string | undefined => values.get(name)?.at(-1);
    return {
        has: (name) => values.has(name),
        flag: (name) => {
            const value = last(name);
            if (value === undefined) return undefined;
            if (value !== "true" && value !== "false") {
                throw new UserError(`invalid argument "${value}" for "--${name}" flag`, Exit.usage);
            }
            return value === "true";
        },
        value: last,
        list: (name) => values.get(name) ?? [],
        arguments: rest,
    };
}

function nameOf(written: string): string {
    if (written.startsWith("--")) return written.slice(2);
    return SHORT_NAMES[written.slice(1)] ?? written;
}
