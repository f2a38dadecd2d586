import { ResourceState } from "../backend/state";
import { Diff, DiffKind } from "../providers/types";
import { Detailed, detailedDiff } from "../values/diff";
import { covers, parsePath } from "../values/paths";
import { equal, unwrap } from "../values/values";
import { Context } from "./context";
import { Goal } from "./goal";
import { providerOf } from "./steps";
import { matches } from "./targets";
import { packageOf, splitReference } from "./urn";

export interface Planned {
    changes: boolean;
    replace: boolean;
    keys: string[];
    deleteBeforeReplace: boolean;
    detailed: Detailed;
}

/** What must happen to a resource that exists: nothing, an update, or a replacement and why. */
export async function planDiff(
    context: Context,
    goal: Goal,
    old: ResourceState,
    next: ResourceState,
): Promise<Planned> {
    const reason = await replaceReason(context, goal, old, next);
    if (reason !== undefined) {
        const detailed = detailedDiff(old.inputs, next.inputs);
        return { changes: true, replace: true, keys: reason, deleteBeforeReplace: false, detailed };
    }
    const diff = await providerDiff(context, old, next);
    const { detailed, keys } = withReplaceOnChanges(
        diff,
        goal.replaceOnChanges,
        (old.initErrors ?? []).length > 0,
    );
    const replace =
        (keys.length > 0 && (diff.changes || keys.includes("#initerror"))) ||
        old.pendingReplacement === true;
    return {
        changes: diff.changes || replace,
        replace,
        keys,
        deleteBeforeReplace: diff.deleteBeforeReplace,
        detailed,
    };
}

/** Reasons for a replacement that the provider is not asked about. */
async function replaceReason(
    context: Context,
    goal: Goal,
    old: ResourceState,
    next: ResourceState,
): Promise<string[] | undefined> {
    if (matches(context.options.replace, next.urn)) return ["id"];
    if (goal.replaceWith.some((urn) => context.replaced.has(urn))) return ["replaceWith"];
    if (goal.deletedWith !== undefined && context.replaced.has(goal.deletedWith)) {
        return ["deletedWith"];
    }
    const { replacementTrigger: trigger } = goal;
    if (trigger !== undefined && !equal(trigger, old.replacementTrigger))
        return ["replacementTrigger"];
    if (old.custom !== next.custom) return ["provider"];
    if (await providerChanged(context, old, next)) return ["provider"];
    return undefined;
}

/** Another provider only matters when it points at another place. */
async function providerChanged(
    context: Context,
    old: ResourceState,
    next: ResourceState,
): Promise<boolean> {
    if (old.provider === next.provider || old.provider === undefined) return false;
    if (next.provider === undefined) return true;
    const before = splitReference(old.provider).urn;
    const after = splitReference(next.provider).urn;
    const oldProvider = context.before.find((state) => state.urn === before);
    const newProvider = context.news.get(after);
    if (oldProvider === undefined || newProvider === undefined) return true;
    return context.providers.mustReplace(
        packageOf(next.type),
        oldProvider.inputs,
        newProvider.inputs,
    );
}

export async function providerDiff(
    context: Context,
    old: ResourceState,
    next: ResourceState,
): Promise<Diff> {
    if (!next.custom) {
        const detailed = detailedDiff(old.inputs, next.inputs);
        return {
            changes: Object.keys(detailed).length > 0,
            replaceKeys: [],
            deleteBeforeReplace: false,
            detailed,
        };
    }
    const provider = await providerOf(context, next);
    return provider.diff(context.providerContext(next.urn), {
        id: old.id ?? "",
        oldInputs: unwrap(old.inputs),
        oldOutputs: unwrap(old.outputs),
        newInputs: unwrap(next.inputs),
        ignoreChanges: next.ignoreChanges ?? [],
    });
}

/** Turns changes under `replaceOnChanges` into reasons for a replacement. */
export function withReplaceOnChanges(
    diff: Diff,
    replaceOnChanges: readonly string[],
    hasInitErrors: boolean,
): { detailed: Detailed; keys: string[] } {
    const patterns = replaceOnChanges.map(parsePath);
    const detailed: Detailed = {};
    const keys = new Set(diff.replaceKeys);
    for (const [path, { kind }] of Object.entries(diff.detailed)) {
        const parts = parsePath(path);
        const forced = diff.changes && patterns.some((pattern) => covers(pattern, parts));
        if (forced) keys.add(String(parts[0]));
        detailed[path] = { kind: forced ? toReplace(kind) : kind };
    }
    if (hasInitErrors && patterns.some((pattern) => covers(pattern, ["#initerror"]))) {
        keys.add("#initerror");
    }
    return { detailed, keys: [...keys] };
}

function toReplace(kind: DiffKind): DiffKind {
    return kind.endsWith("-replace") ? kind : (`${kind}-replace` as DiffKind);
}
