import { ResourceState } from "../backend/state";
import { Context } from "./context";
import { dependsOn } from "./graph";
import { isProviderType, isStackUrn } from "./urn";

/** Whether a URN fits one of the patterns; `*` stands for one part, `**` for any. */
export function matches(patterns: readonly string[], urn: string): boolean {
    return patterns.some((pattern) => {
        if (!pattern.includes("*")) return pattern === urn;
        const source = pattern
            .split(/(\*\*|\*)/)
            .map((part) => {
                if (part === "**") return ".*";
                if (part === "*") return "[^:]*";
                return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
            })
            .join("");
        return new RegExp(`^${source}$`).test(urn);
    });
}

/** Whether an operation is about this resource; providers and the stack always are. */
export function isTargeted(context: Context, state: ResourceState): boolean {
    const { targets, excludes, targetDependents } = context.options;
    if (isProviderType(state.type) || isStackUrn(state.urn)) return true;
    if (targets.length === 0) return !matches(excludes, state.urn);
    if (matches(targets, state.urn)) return true;
    if (!targetDependents) return false;
    return dependsOn(state).some((urn) => {
        const state = context.news.get(urn) ?? context.olds.get(urn);
        return (
            state !== undefined &&
            !isStackUrn(urn) &&
            isTargeted(context, state) &&
            !isProviderType(state.type)
        );
    });
}
