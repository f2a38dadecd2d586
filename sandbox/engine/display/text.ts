import { Op, Step } from "../deploy/events";
import { parseUrn } from "../deploy/urn";
import { Json } from "../providers/types";
import { valueAt } from "../values/diff";
import { redact, unwrapValue } from "../values/values";

export const PREFIX: Record<Op, string> = {
    same: "  ",
    create: "+ ",
    update: "~ ",
    delete: "- ",
    replace: "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
    read: "> ",
    "read-replacement": ">>",
    refresh: "~ ",
    discard: "< ",
    "discard-replaced": "<<",
    "remove-pending-replace": "~ ",
    import: "= ",
    "import-replacement": "=>",
};

const DOING: Partial<Record<Op, [string, string, string]>> = {
    create: ["create", "creating", "created"],
    update: ["update", "updating", "updated"],
    delete: ["delete", "deleting", "deleted"],
    replace: ["replace", "replacing", "replaced"],
    "create-replacement": ["create replacement", "creating replacement", "created replacement"],
    "delete-replaced": ["delete original", "deleting original", "deleted original"],
    read: ["read", "reading", "read"],
    refresh: ["refresh", "refreshing", "refreshed"],
    import: ["import", "importing", "imported"],
    discard: ["discard", "discarding", "discarded"],
};

/** How a step is called: before it, while it runs, when it is done. */
export function phrase(op: Op, moment: "planned" | "running" | "done"): string {
    const words = DOING[op] ?? [op, op, op];
    return words[moment === "planned" ? 0 : moment === "running" ? 1 : 2];
}

export function label(step: Pick<Step, "urn" | "type">): string {
    return `${step.type} ${parseUrn(step.urn).name}`;
}

/** One line per changed property, old → new; secrets are never shown unless asked for. */
export function diffLines(step: Step, showSecrets: boolean): string[] {
    return Object.entries(step.detailed ?? {}).map(([path, { kind }]) => {
        const mark = kind.startsWith("add") ? "+" : kind.startsWith("delete") ? "-" : "~";
        const before = show(step.old?.inputs ?? {}, path, showSecrets);
        const after = show(step.next?.inputs ?? {}, path, showSecrets);
        const forces = kind.endsWith("-replace") ? "  (forces replacement)" : "";
        if (mark === "+") return `${mark} ${path}: ${after}${forces}`;
        if (mark === "-") return `${mark} ${path}: ${before}${forces}`;
        return `${mark} ${path}: ${before} => ${after}${forces}`;
    });
}

function show(root: Json, path: string, showSecrets: boolean): string {
    const { value, secret } = valueAt(root, path);
    if (value === undefined) return "(absent)";
    if (secret && !showSecrets) return "[secret]";
    return JSON.stringify(showSecrets ? unwrapValue(value) : redact(value));
}

export function seconds(count: number): string {
    return count < 60 ? `${count}s` : `${Math.floor(count / 60)}m${count % 60}s`;
}

const SUMMARY: [Op, string][] = [
    ["create", "+ %d"],
    ["update", "~ %d"],
    ["delete", "- %d"],
    ["replace", "+-%d"],
    ["read", "> %d"],
    ["import", "= %d"],
    ["discard", "< %d"],
];
const NOUNS: Partial<Record<Op, [string, string]>> = {
    create: ["to create", "created"],
    update: ["to update", "updated"],
    delete: ["to delete", "deleted"],
    replace: ["to replace", "replaced"],
    read: ["to read", "read"],
    import: ["to import", "imported"],
    discard: ["to discard", "discarded"],
};

/** The `Resources:` block of the end. */
export function summaryLines(changes: Partial<Record<Op, number>>, isPreview: boolean): string[] {
    const lines = SUMMARY.flatMap(([op, form]) => {
        const count = changes[op] ?? 0;
        const noun = NOUNS[op]?.[isPreview ? 0 : 1] ?? op;
        return count === 0 ? [] : [`    ${form.replace("%d", String(count))} ${noun}`];
    });
    const same = changes.same ?? 0;
    const changed = lines.length;
    if (changed > 1) {
        const total = SUMMARY.reduce((sum, [op]) => sum + (changes[op] ?? 0), 0);
        const rest = same === 0 ? "" : `. ${same} unchanged`;
        return ["Resources:", ...lines, `    ${total} changes${rest}`];
    }
    if (same > 0) lines.push(`    ${same} unchanged`);
    return lines.length === 0 ? [] : ["Resources:", ...lines];
}
