import type { Inputs } from "../../types";
import { type KubeObject, maps, pluck, text } from "../objects";

/** `.spec.selector` of a workload as the API server takes it in a query. */
export function selectorText(workload: KubeObject): string {
    const labels = Object.entries(
        (pluck(workload, "spec", "selector", "matchLabels") ?? {}) as Record<string, string>,
    ).map(([key, value]) => `${key}=${value}`);
    const expressions = maps(workload, "spec", "selector", "matchExpressions").map(expression);
    return [...labels, ...expressions].join(",");
}

function expression(term: Inputs): string {
    const key = text(term, "key");
    const values = ((pluck(term, "values") ?? []) as string[]).join(",");
    switch (text(term, "operator")) {
        case "In":
            return `${key} in (${values})`;
        case "NotIn":
            return `${key} notin (${values})`;
        case "Exists":
            return key;
        default:
            return `!${key}`;
    }
}
