import { ResourceState } from "../backend/state";
import { Diagnostic, isInternal, Step, Summary } from "../deploy/events";
import { Json } from "../providers/types";
import { mapSecrets } from "../values/values";

/** Pulumi's `apitype.EngineEvent` in JSON, without its sequence and time. */
export type EventBody = Record<string, unknown>;

/** Secrets never leave the process through events. */
function hide(value: Json): Json {
    return mapSecrets(value, () => "[secret]");
}

function stateMetadata(state: ResourceState | undefined): unknown {
    if (state === undefined) return null;
    return {
        type: state.type,
        urn: state.urn,
        custom: state.custom,
        delete: state.delete,
        id: state.id ?? "",
        parent: state.parent ?? "",
        protect: state.protect,
        external: state.external,
        retainOnDelete: state.retainOnDelete,
        inputs: hide(state.inputs),
        outputs: hide(state.outputs),
        provider: state.provider ?? "",
        initErrors: (state.initErrors ?? []).length > 0 ? state.initErrors : undefined,
    };
}

function stepMetadata(step: Step): unknown {
    const paths = Object.keys(step.detailed ?? {});
    const detailedDiff = Object.fromEntries(
        Object.entries(step.detailed ?? {}).map(([path, { kind }]) => [
            path,
            { diffKind: kind, inputDiff: true },
        ]),
    );
    return {
        op: step.resultOp ?? step.op,
        urn: step.urn,
        type: step.type,
        old: stateMetadata(step.old),
        new: stateMetadata(step.next),
        keys: step.keys,
        diffs:
            paths.length > 0 ? [...new Set(paths.map((path) => path.split(/[.[]/)[0]))] : undefined,
        detailedDiff: paths.length > 0 ? detailedDiff : null,
        logical: !["create-replacement", "delete-replaced"].includes(step.op),
        provider: step.provider ?? "",
    };
}

export function preEvent(step: Step, planning: boolean): EventBody | undefined {
    if (isInternal(step)) return undefined;
    return { resourcePreEvent: { metadata: stepMetadata(step), planning } };
}

export function outputsEvent(step: Step, planning: boolean): EventBody | undefined {
    if (isInternal(step)) return undefined;
    return { resOutputsEvent: { metadata: stepMetadata(step), planning } };
}

export function failedEvent(step: Step): EventBody {
    return { resOpFailedEvent: { metadata: stepMetadata(step), status: 0, steps: 0 } };
}

export function diagnosticEvent(diagnostic: Diagnostic): EventBody {
    const { urn, severity, message, ephemeral } = diagnostic;
    const prefix = severity === "error" || severity === "warning" ? `${severity}: ` : "";
    return {
        diagnosticEvent: {
            ...(urn === undefined ? {} : { urn }),
            prefix,
            message: message.endsWith("\n") ? message : `${message}\n`,
            color: "never",
            severity,
            ...(ephemeral === true ? { ephemeral } : {}),
        },
    };
}

export function summaryEvent(summary: Summary): EventBody {
    return {
        summaryEvent: {
            maybeCorrupt: false,
            durationSeconds: summary.durationSeconds,
            resourceChanges: summary.changes,
            PolicyPacks: {},
            isPreview: summary.isPreview,
            result: summary.result,
        },
    };
}
