import { ResourceState } from "../backend/state";
import { splitReference } from "./urn";

/** Everything a state refers to: parent, dependencies, provider and the one it is deleted with. */
export function dependsOn(state: ResourceState): string[] {
    const urns = [
        ...(state.dependencies ?? []),
        ...Object.values(state.propertyDependencies ?? {}).flat(),
    ];
    if (state.parent !== undefined) urns.push(state.parent);
    if (state.deletedWith !== undefined) urns.push(state.deletedWith);
    if (state.provider !== undefined && state.provider !== "") {
        urns.push(splitReference(state.provider).urn);
    }
    return urns;
}

/** The states that depend on `root`, directly or not, in the order of the state. */
export function dependentsOf(
    root: ResourceState,
    states: readonly ResourceState[],
): ResourceState[] {
    const reached = new Set([root.urn]);
    const found: ResourceState[] = [];
    // A state comes after all it depends on, so one pass in order finds every level.
    for (const state of states) {
        if (state === root || state.delete === true) continue;
        if (!dependsOn(state).some((urn) => reached.has(urn))) continue;
        reached.add(state.urn);
        found.push(state);
    }
    return found;
}
