import type { EngineEvent } from "@pulumi/pulumi/automation";

/** One resource that an update changes. */
export interface Change {
    /** `create`, `update`, `delete`, `replace`, … as the engine names it. */
    op: string;
    /** Type token, for example `kubernetes:core/v1:Service`. */
    type: string;
    /** The resource's name in the program. */
    name: string;
    /** What differs, for an update: paths with the value before and after. */
    fields: { path: string; from: unknown; to: unknown }[];
}

/** Steps that leave a resource as it is. */
const NOT_A_CHANGE = new Set(["same", "read", "refresh"]);

/** The change that an engine event announces, if it announces one. */
export function changeOf(event: EngineEvent): Change | undefined {
    const step = event.resourcePreEvent?.metadata;
    if (!step || NOT_A_CHANGE.has(step.op)) return undefined;
    // Components change with their arguments, the stack with its outputs; neither is in the cluster.
    if ((step.new ?? step.old)?.custom === false) return undefined;
    return {
        op: step.op,
        type: step.type,
        name: step.urn.split("::").at(-1) ?? step.urn,
        fields: Object.keys(step.detailedDiff ?? {}).map((path) => ({
            path,
            from: valueAt(step.old?.inputs, path),
            to: valueAt(step.new?.inputs, path),
        })),
    };
}

/** `~ Service flask-api-bg: spec.selector.deployment "blue" → "green"` */
export function describeChange(change: Change): string {
    const sign = { create: "+", delete: "-", update: "~" }[change.op] ?? `[${change.op}]`;
    const kind = change.type.split(":").at(-1);
    const fields = change.fields.map(({ path, from, to }) =>
        from === undefined && to === undefined ? path : `${path} ${show(from)} → ${show(to)}`,
    );
    return `${sign} ${kind} ${change.name}${fields.length > 0 ? `: ${fields.join(", ")}` : ""}`;
}

/**
 * True when nothing changes but the selectors of Services, the public one's first: what a switch is.
 * The preview Service follows it to the other color.
 */
export function movesOnlyTheRoute(changes: readonly Change[]): boolean {
    return changes.length > 0 && changes.length <= 2 && changes.every(movesRoute);
}

/** True for an update of a Service that changes its selector. */
export function movesRoute(change: Change): boolean {
    return (
        change.op === "update" &&
        change.type === "kubernetes:core/v1:Service" &&
        change.fields.some(({ path }) => path.startsWith("spec.selector"))
    );
}

/** Follows a diff path such as `spec.ports[0].port` or `data["a.b"]`. */
function valueAt(value: unknown, path: string): unknown {
    const keys = path.match(/[^.[\]"]+|"[^"]*"/g) ?? [];
    return keys.reduce<unknown>(
        (at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll('"', "")],
        value,
    );
}

function show(value: unknown): string {
    return value === undefined ? "(none)" : JSON.stringify(value);
}
