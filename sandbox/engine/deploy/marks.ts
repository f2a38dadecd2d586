import { ResourceState } from "../backend/state";
import { Inputs, ResourceProvider } from "../providers/types";
import { annotateSecrets, isObject, makeSecret } from "../values/values";

/** Provider outputs with their secrets marked: like the inputs, and those the type or user names. */
export function markOutputs(
    outputs: Inputs,
    state: ResourceState,
    provider: ResourceProvider,
): Inputs {
    const marked = annotateSecrets(outputs, state.inputs) as Inputs;
    // The kubernetes provider keeps a copy of the inputs beside what it read back.
    if (isObject(marked.__inputs)) {
        marked.__inputs = markInputs(marked.__inputs, state.inputs, state.type, provider);
    }
    return markKeys(marked, [
        ...(state.additionalSecretOutputs ?? []),
        ...(provider.secretOutputs?.(state.type) ?? []),
    ]);
}

/** Inputs as a provider hands them back, with their secrets marked: as declared, and by type. */
export function markInputs(
    inputs: Inputs,
    declared: Inputs,
    type: string,
    provider: ResourceProvider,
): Inputs {
    const marked = annotateSecrets(inputs, declared) as Inputs;
    return markKeys(marked, provider.secretInputs?.(type) ?? []);
}

function markKeys(values: Inputs, keys: string[]): Inputs {
    for (const key of keys) {
        const value = values[key];
        if (value !== undefined && value !== null) values[key] = makeSecret(value);
    }
    return values;
}
