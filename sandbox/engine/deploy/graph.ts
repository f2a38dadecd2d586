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

/**
 * The states with everything a state refers to before it, which is what every reader of a state
 * relies on; otherwise in the given order.
 */
export function inDependencyOrder(states: readonly ResourceState[]): ResourceState[] {
    const byUrn = new Map<string, ResourceState[]>();
    for (const state of states) byUrn.set(state.urn, [...(byUrn.get(state.urn) ?? []), state]);
    const ordered = new Set<ResourceState>();
    const visiting = new Set<ResourceState>();
    const visit = (state: ResourceState): void => {
        if (ordered.has(state) || visiting.has(state)) return;
        visiting.add(state);
        for (const urn of dependsOn(state)) for (const other of byUrn.get(urn) ?? []) visit(other);
        ordered.add(state);
    };
    for (const state of states) visit(state);
    return [...ordered];
}

/** The URNs of some states and of everything they depend on, directly or not. */
export function withDependencies(
    roots: readonly ResourceState[],
    states: readonly ResourceState[],
): Set<string> {
    const needed = new Set(roots.map(({ urn }) => urn));
    // What a state depends on comes before it, so one pass from the end finds every level.
    for (const state of [...states].reverse()) {
        if (needed.has(state.urn)) for (const urn of dependsOn(state)) needed.add(urn);
    }
    return needed;
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
