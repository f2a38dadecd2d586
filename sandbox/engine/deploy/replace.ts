import { ResourceState } from "../backend/state";
import { Inputs, UNKNOWN } from "../providers/types";
import { Context } from "./context";
import { Planned, providerDiff, withReplaceOnChanges } from "./diff";
import { Goal } from "./goal";
import { dependentsOf } from "./graph";
import { remove } from "./delete-step";
import { create } from "./steps";
import { splitReference } from "./urn";

/**
 * Replaces a resource: by default the new one is created now and the old one deleted when all else
 * is done; with delete-before-replace the old one goes first, after everything that would have to be
 * replaced because of it.
 */
export async function replace(
    context: Context,
    goal: Goal,
    old: ResourceState,
    next: ResourceState,
    plan: Planned,
): Promise<void> {
    if (next.protect === true && old.protect === true) {
        throw new Error(
            `unable to replace resource ${JSON.stringify(next.urn)}\n` +
                "as it is currently marked for protection. To unprotect the resource, remove the " +
                "`protect` flag from the resource in your Pulumi program and run `pulumi up`",
        );
    }
    context.replaced.add(next.urn);
    const change = { keys: plan.keys, detailed: plan.detailed };
    if (!(goal.deleteBeforeReplace ?? plan.deleteBeforeReplace)) {
        await create(context, next, old, change);
        return;
    }
    const dependents = await dependentReplacements(context, old);
    for (const dependent of dependents.reverse()) {
        if (context.deleted.has(dependent)) continue;
        if (dependent.protect === true) {
            throw new Error(
                `unable to replace resource ${JSON.stringify(dependent.urn)} as part of replacing ` +
                    `${JSON.stringify(next.urn)} as it is currently marked for protection`,
            );
        }
        await removeForReplacement(context, dependent);
    }
    if (old.pendingReplacement !== true) await removeForReplacement(context, old);
    await create(context, next, old, change);
}

async function removeForReplacement(context: Context, old: ResourceState): Promise<void> {
    context.deleted.add(old);
    context.deletedUrns.add(old.urn);
    await remove(context, old, "delete-replaced", { pendingReplacement: true });
}

/**
 * The dependents that a replacement of `root` forces to be replaced too: those whose provider would
 * replace them if the properties that come from a replaced resource changed.
 */
async function dependentReplacements(
    context: Context,
    root: ResourceState,
): Promise<ResourceState[]> {
    const replaced = new Set([root.urn]);
    const found: ResourceState[] = [];
    for (const state of dependentsOf(root, context.before)) {
        // What is registered already cannot depend on a resource that is only now.
        if (context.goals.has(state.urn) || context.deleted.has(state)) continue;
        if (!(await mustReplace(context, state, replaced))) continue;
        replaced.add(state.urn);
        found.push(state);
    }
    return found;
}

async function mustReplace(
    context: Context,
    state: ResourceState,
    replaced: ReadonlySet<string>,
): Promise<boolean> {
    if (!state.custom || state.external === true) return false;
    if (state.provider !== undefined && replaced.has(splitReference(state.provider).urn))
        return true;
    if (state.deletedWith !== undefined && replaced.has(state.deletedWith)) return true;
    if ((state.replaceWith ?? []).some((urn) => replaced.has(urn))) return true;
    const inputs: Inputs = { ...state.inputs };
    let depends = false;
    for (const [key, urns] of Object.entries(state.propertyDependencies ?? {})) {
        if (!(key in inputs) || !urns.some((urn) => replaced.has(urn))) continue;
        inputs[key] = UNKNOWN;
        depends = true;
    }
    if (!depends) return false;
    const diff = await providerDiff(context, state, { ...state, inputs });
    const { keys } = withReplaceOnChanges(diff, state.replaceOnChanges ?? [], false);
    return diff.changes && keys.length > 0;
}
