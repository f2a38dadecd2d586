import { ResourceState } from "../backend/state";
import { Context } from "./context";
import { DeploymentOver } from "./goal";
import { dependsOn } from "./graph";
import { remove, removePending } from "./delete-step";
import { StepFailed } from "./steps";
import { isTargeted } from "./targets";

/**
 * Deletes what the last state has and the program did not declare, and what was replaced: each when
 * all that depends on it is gone, as many at a time as allowed.
 */
export async function runDeletes(context: Context): Promise<void> {
    const condemned = context.before.filter((state) => isCondemned(context, state));
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

function isCondemned(context: Context, state: ResourceState): boolean {
    if (context.deleted.has(state) && state.pendingReplacement !== true) return false;
    if (state.delete !== true) {
        if (context.goals.has(state.urn)) return false;
        // Read again, such as a StackReference: no goal, and yet wanted by the program.
        if (context.news.has(state.urn)) return false;
        if (context.journal.renamed.has(state.urn)) return false;
    }
    return isTargeted(context, state);
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
