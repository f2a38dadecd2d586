import { Current, Isolation, type Desired, type Side } from "./types";

/** The only side of a rolling update has the API's own name; the others have theirs added. */
export function deploymentName(name: string, side: Side): string {
    return side === Current.current ? name : `${name}-${side}`;
}

/** The namespace of what belongs to one side alone. */
export function sideNamespace(
    { namespace, isolation }: Pick<Desired, "namespace" | "isolation">,
    side: Side,
): string {
    return isolation === Isolation.namespaces ? `${namespace}-${side}` : namespace;
}
