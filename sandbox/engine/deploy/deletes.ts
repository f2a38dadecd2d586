import { ResourceState } from "../backend/state";
import { Context } from "./context";
import { DeploymentOver } from "./goal";
import { dependentsOf, dependsOn, withDependencies } from "./graph";
import { remove, removePending } from "./delete-step";
import { StepFailed } from "./steps";
import { matches } from "./targets";

/**
 * Deletes what the last state has and the program did not declare, and what was replaced: each when
 * all that depends on it is gone, as many at a time as allowed.
 */
export async function runDeletes(context: Context): Promise<void> {
    const condemned = chooseCondemned(context);
    if (condemned === undefined) return;
    for (const state of condemned) context.deletedUrns.add(state.urn);
    const done = new Map<ResourceState, Promise<boolean>>();
    const dependents = new Map<ResourceState, ResourceState[]>();
    for (const state of condemned) {
        const urns = new Set(dependsOn(state));
        for (const other of condemned) {
            if (other === state || !urns.has(other.urn)) continue;
            dependents.set(other, [...(dependents.get(other) ?? []), state]);
        }
    }
    const finish = (state: ResourceState): Promise<boolean> => {
        const known = done.get(state);
        if (known !== undefined) return known;
        const promise = Promise.all((dependents.get(state) ?? []).map(finish)).then((gone) =>
            gone.every(Boolean) ? deleteOne(context, state) : false,
        );
        done.set(state, promise);
        return promise;
    };
    // The state lists what others depend on first, so the walk from its end starts at the leaves.
    await Promise.all([...condemned].reverse().map(finish));
}

function isUnwanted(context: Context, state: ResourceState): boolean {
    if (context.deleted.has(state) && state.pendingReplacement !== true) return false;
    if (state.delete !== true) {
        if (context.goals.has(state.urn)) return false;
        // Read again, such as a StackReference: no goal, and yet wanted by the program.
        if (context.news.has(state.urn)) return false;
        if (context.journal.renamed.has(state.urn)) return false;
    }
    return true;
}

/**
 * What is to be deleted, within `--target`, `--exclude` and `--exclude-protected`.
 *
 * @returns undefined if that would take something along that is not named: that is reported
 */
function chooseCondemned(context: Context): ResourceState[] | undefined {
    const { targets, excludes, excludeProtected, targetDependents } = context.options;
    const unwanted = context.before.filter((state) => isUnwanted(context, state));
    if (targets.length > 0) {
        const named = (state: ResourceState): boolean => matches(targets, state.urn);
        const reached = new Set(
            unwanted.filter(named).flatMap((root) => [root, ...dependentsOf(root, unwanted)]),
        );
        const along = [...reached].filter((state) => !named(state));
        if (along.length === 0 || targetDependents) return [...reached];
        for (const { urn } of along) {
            context.events.error(
                `Resource '${urn}' will be destroyed but was not specified in --target list.`,
                urn,
            );
        }
        context.stop();
        return undefined;
    }
    const kept = unwanted.filter(
        (state) => matches(excludes, state.urn) || (excludeProtected && state.protect === true),
    );
    const needed = withDependencies(kept, context.before);
    return unwanted.filter((state) => !needed.has(state.urn));
}

async function deleteOne(context: Context, state: ResourceState): Promise<boolean> {
    try {
        await context.slot(() => {
            if (state.pendingReplacement === true) return removePending(context, state);
            return remove(context, state, state.delete === true ? "delete-replaced" : "delete");
        });
        return true;
    } catch (error) {
        if (error instanceof StepFailed || error instanceof DeploymentOver) return false;
        throw error;
    }
}
