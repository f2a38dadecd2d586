import * as pulumi from "@pulumi/pulumi";

/** What every output has at run time, and the SDK's types leave out. */
interface Internals {
    promise(withUnknowns: boolean): Promise<unknown>;
    readonly isKnown: Promise<boolean>;
}

/**
 * The same value, whose outputs come from no resource any more. When a resource is replaced delete
 * first, the engine also replaces whatever has a property that came from it, if its provider would
 * replace that for a change of the property: a new Secret of the same name would delete the
 * Deployment whose template mounts it, and the public Service that says what the Deployment runs.
 * Order is kept by {@link dependingOn}, which does not have that effect.
 */
export function detached<T>(value: T): T {
    return detach(value) as T;
}

/** `dependsOn` with all that the outputs in `value` come from, besides what is there already. */
export function dependingOn(
    explicit: pulumi.ResourceOptions["dependsOn"],
    value: unknown,
): pulumi.Input<pulumi.Input<pulumi.Resource>[]> {
    const sources = pulumi.output([value]).apply((): pulumi.Resource[] => []);
    // The SDK gathers from lists in lists and from what an output came from; its types do not say so.
    return [explicit ?? [], sources] as pulumi.Input<pulumi.Resource>[];
}

function detach(value: unknown): unknown {
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return pulumi.output(settled(pulumi.output(value)));
    }
    if (Array.isArray(value)) return value.map(detach);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, detach(inner)]));
}

/** What is not known in a preview stays unknown, and what is secret stays secret. */
async function settled(output: pulumi.Output<unknown>): Promise<unknown> {
    const internals = output as unknown as Internals;
    const [value, known, secret] = await Promise.all([
        internals.promise(true),
        internals.isKnown,
        pulumi.isSecret(output),
    ]);
    const plain = known ? value : pulumi.unknown;
    return secret ? pulumi.secret(plain) : plain;
}
