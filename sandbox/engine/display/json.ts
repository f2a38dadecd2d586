import { ResourceState } from "../backend/state";
import { Diagnostic, isInternal, Listener, Step, Summary } from "../deploy/events";
import { Json } from "../providers/types";
import { mapSecrets } from "../values/values";

/** `--json`: one document at the end, in the form of the real CLI's preview digest. */
export class JsonDisplay implements Listener {
    #config: Record<string, string> = {};
    readonly #steps: unknown[] = [];
    readonly #diagnostics: Diagnostic[] = [];

    begin(config: Record<string, string>): void {
        this.#config = config;
        process.stderr.write("stand-in engine, not the Pulumi CLI (see docs/stand-in.md)\n");
    }

    after(step: Step): void {
        if (isInternal(step)) return;
        this.#steps.push({
            op: step.resultOp ?? step.op,
            urn: step.urn,
            ...(step.provider === undefined ? {} : { provider: step.provider }),
            ...(step.old === undefined ? {} : { oldState: redacted(step.old) }),
            ...(step.next === undefined ? {} : { newState: redacted(step.next) }),
            ...(step.keys === undefined ? {} : { replaceReasons: step.keys }),
            detailedDiff: step.detailed ?? null,
        });
    }

    diagnostic(diagnostic: Diagnostic): void {
        if (diagnostic.severity === "debug" || diagnostic.ephemeral === true) return;
        this.#diagnostics.push(diagnostic);
        if (diagnostic.severity === "error") process.stderr.write(`error: ${diagnostic.message}\n`);
    }

    summary(summary: Summary): void {
        const digest = {
            config: this.#config,
            steps: this.#steps,
            ...(this.#diagnostics.length > 0 ? { diagnostics: this.#diagnostics } : {}),
            // Nanoseconds, as Go writes a duration.
            duration: summary.durationSeconds * 1e9,
            changeSummary: summary.changes,
        };
        process.stdout.write(`${JSON.stringify(digest, undefined, 2)}\n`);
    }
}

function redacted(state: ResourceState): unknown {
    const hide = (value: Json): Json => mapSecrets(value, () => "[secret]");
    return { ...state, inputs: hide(state.inputs), outputs: hide(state.outputs) };
}
