import { stripVTControlCharacters } from "node:util";
import { qualifiedName, StackReference } from "../backend/backend";
import { ResourceState } from "../backend/state";
import { Diagnostic, isInternal, Listener, OperationKind, Step, Summary } from "../deploy/events";
import { isStackUrn, parseUrn } from "../deploy/urn";
import { redact, unwrap } from "../values/values";
import { diffLines, label, phrase, PREFIX, seconds, summaryLines } from "./text";

export interface DisplayOptions {
    showSecrets: boolean;
    showOutputs: boolean;
    showProgress: boolean;
}

const TITLES: Record<OperationKind, [string, string]> = {
    preview: ["Previewing update", "Previewing update"],
    update: ["Previewing update", "Updating"],
    refresh: ["Previewing refresh", "Refreshing"],
    destroy: ["Previewing destroy", "Destroying"],
};

/** One line when a step starts and one when it is done: readable live, in a log and by a test. */
export class LineDisplay implements Listener {
    readonly #diagnostics = new Map<string, Diagnostic[]>();
    readonly #started = new Map<string, number>();
    #lastStatus = "";
    #stack: ResourceState | undefined;
    /** Before the key of an output: a deleted stack shows what it had, as the CLI does. */
    #outputPrefix = "    ";

    constructor(
        private readonly kind: OperationKind,
        protected readonly dryRun: boolean,
        private readonly ref: StackReference,
        protected readonly options: DisplayOptions,
    ) {}

    begin(): void {
        process.stderr.write("stand-in engine, not the Pulumi CLI (see docs/stand-in.md)\n");
        this.print(`${TITLES[this.kind][this.dryRun ? 0 : 1]} (${qualifiedName(this.ref)}):`);
    }

    before(step: Step): void {
        this.#started.set(`${step.op} ${step.urn}`, Date.now());
        if (!this.options.showProgress || !isShown(step) || step.op === "replace") return;
        if (this.dryRun && step.op !== "refresh") return;
        this.print(` ${PREFIX[step.op]} ${label(step)} ${phrase(step.op, "running")}`);
    }

    after(step: Step): void {
        if (isStackUrn(step.urn)) {
            this.#stack = step.next ?? step.old;
            if (step.op === "delete") this.#outputPrefix = "  - ";
        }
        if (!isShown(step) || (step.op === "refresh" && step.resultOp === "same")) return;
        const op = step.resultOp ?? step.op;
        if (this.dryRun) {
            this.print(` ${PREFIX[op]} ${label(step)} ${phrase(op, "planned")}`);
            this.printDiff(step);
        } else {
            const since = this.#started.get(`${step.op} ${step.urn}`) ?? Date.now();
            const took = Math.floor((Date.now() - since) / 1000);
            const suffix = took > 0 ? ` (${took}s)` : "";
            this.print(` ${PREFIX[op]} ${label(step)} ${phrase(op, "done")}${suffix}`);
        }
    }

    failed(step: Step): void {
        this.print(` ${PREFIX[step.op]} ${label(step)} **${phrase(step.op, "running")} failed**`);
    }

    diagnostic(diagnostic: Diagnostic): void {
        if (diagnostic.ephemeral === true) {
            const status = `    ${name(diagnostic)}${diagnostic.message}`;
            if (status !== this.#lastStatus && this.options.showProgress) this.print(status);
            this.#lastStatus = status;
            return;
        }
        const news = diagnostic.severity === "info" || diagnostic.severity === "warning";
        if (news && !this.dryRun && this.options.showProgress) {
            this.print(`    ${name(diagnostic)}${diagnostic.message.trimEnd()}`);
        }
        const urn = diagnostic.urn ?? "";
        this.#diagnostics.set(urn, [...(this.#diagnostics.get(urn) ?? []), diagnostic]);
    }

    summary(summary: Summary): void {
        this.#printDiagnostics();
        this.#printOutputs();
        const lines = summaryLines(summary.changes, summary.isPreview);
        if (lines.length > 0) this.print(`\n${lines.join("\n")}`);
        if (!summary.isPreview) this.print(`\nDuration: ${seconds(summary.durationSeconds)}`);
    }

    protected printDiff(step: Step): void {
        if (step.op === "create" || step.op === "delete") return;
        for (const line of diffLines(step, this.options.showSecrets)) this.print(`      ${line}`);
    }

    protected print(text: string): void {
        process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
    }

    #printDiagnostics(): void {
        if (this.#diagnostics.size === 0) return;
        this.print("\nDiagnostics:");
        for (const [urn, list] of this.#diagnostics) {
            const { type, name } = parseUrn(urn);
            this.print(urn === "" ? `  ${qualifiedName(this.ref)}:` : `  ${type} (${name}):`);
            for (const { severity, message } of list) {
                const prefix =
                    severity === "error" || severity === "warning" ? `${severity}: ` : "";
                const text = `${prefix}${message}`.trimEnd().replace(/\n/g, "\n    ");
                this.print(`    ${text}`);
                // Whoever only keeps stderr (as the Automation API does for errors) must see why.
                if (severity === "error")
                    process.stderr.write(`error: ${stripVTControlCharacters(message.trimEnd())}\n`);
            }
        }
    }

    #printOutputs(): void {
        const entries = Object.entries(this.#stack?.outputs ?? {});
        if (entries.length === 0 || !this.options.showOutputs) return;
        this.print("\nOutputs:");
        for (const [key, value] of entries) {
            const shown = this.options.showSecrets ? unwrap({ value }) : { value: redact(value) };
            const text = JSON.stringify(shown["value"], undefined, 2);
            this.print(`${this.#outputPrefix}${key}: ${text}`);
        }
    }
}

function isShown(step: Step): boolean {
    return step.op !== "same" && !isInternal(step);
}

function name(diagnostic: Diagnostic): string {
    return diagnostic.urn === undefined ? "" : `${parseUrn(diagnostic.urn).name}: `;
}
