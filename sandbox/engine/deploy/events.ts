import { ResourceState } from "../backend/state";
import { Severity } from "../providers/types";
import { Detailed } from "../values/diff";

export type Op =
    | "same"
    | "create"
    | "update"
    | "delete"
    | "replace"
    | "create-replacement"
    | "delete-replaced"
    | "read"
    | "read-replacement"
    | "refresh"
    | "discard"
    | "discard-replaced"
    | "remove-pending-replace"
    | "import"
    | "import-replacement";

/** The halves of a replacement. */
const PHYSICAL: ReadonlySet<Op> = new Set([
    "create-replacement",
    "delete-replaced",
    "discard-replaced",
    "import-replacement",
]);

/** One thing done, or about to be done, to one resource. */
export interface Step {
    op: Op;
    urn: string;
    type: string;
    old?: ResourceState;
    next?: ResourceState;
    /** Properties that force the replacement. */
    keys?: string[];
    detailed?: Detailed;
    /** For a refresh: what it found (`same`, `update` or `delete`). */
    resultOp?: Op;
    provider?: string;
}

export interface Diagnostic {
    urn?: string;
    severity: Severity | "info#err";
    message: string;
    ephemeral?: boolean;
}

export type OperationKind = "preview" | "update" | "refresh" | "destroy";

export interface Summary {
    changes: Partial<Record<Op, number>>;
    durationSeconds: number;
    isPreview: boolean;
    result: "succeeded" | "failed";
}

/** Who listens to an operation: the display, the event log, the counters. */
export interface Listener {
    begin?(config: Record<string, string>): void;
    before?(step: Step): void;
    after?(step: Step): void;
    failed?(step: Step): void;
    diagnostic?(diagnostic: Diagnostic): void;
    summary?(summary: Summary): void;
    end?(): Promise<void> | void;
}

/** Passes everything on to several listeners and counts what was done. */
export class Events {
    readonly changes: Partial<Record<Op, number>> = {};
    #errors = 0;

    /** @param debug whether debug messages are of interest to anyone */
    constructor(
        private readonly kind: OperationKind,
        private readonly listeners: Listener[],
        private readonly debug = false,
    ) {}

    get sawError(): boolean {
        return this.#errors > 0;
    }

    begin(config: Record<string, string>): void {
        for (const listener of this.listeners) listener.begin?.(config);
    }

    before(step: Step): void {
        for (const listener of this.listeners) listener.before?.(step);
    }

    after(step: Step): void {
        const op = step.resultOp ?? step.op;
        if (this.#isCounted(step)) this.changes[op] = (this.changes[op] ?? 0) + 1;
        for (const listener of this.listeners) listener.after?.(step);
    }

    /** A replacement counts once, by its logical step; a refresh only where it is the operation. */
    #isCounted(step: Step): boolean {
        if (isInternal(step) || PHYSICAL.has(step.op)) return false;
        return step.op !== "refresh" || this.kind === "refresh";
    }

    failed(step: Step): void {
        for (const listener of this.listeners) listener.failed?.(step);
    }

    diagnostic(diagnostic: Diagnostic): void {
        if (diagnostic.severity === "debug" && !this.debug) return;
        if (diagnostic.severity === "error") this.#errors++;
        for (const listener of this.listeners) listener.diagnostic?.(diagnostic);
    }

    error(message: string, urn?: string): void {
        this.diagnostic({ severity: "error", message, ...(urn === undefined ? {} : { urn }) });
    }

    summary(summary: Summary): void {
        for (const listener of this.listeners) listener.summary?.(summary);
    }

    async end(): Promise<void> {
        for (const listener of this.listeners) await listener.end?.();
    }
}

/** Default providers are the engine's own affair: they are in the state, not in the numbers. */
export function isInternal(step: Step): boolean {
    return step.type.startsWith("pulumi:providers:") && /::default(_[^:]*)?$/.test(step.urn);
}
