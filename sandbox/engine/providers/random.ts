import { isDeepStrictEqual } from "node:util";
import { KINDS, type Kind } from "./random-kinds";
import {
    type DiffKind,
    type Inputs,
    type ProviderPlugin,
    type ResourceProvider,
    UNKNOWN,
} from "./types";

function kindOf(type: string): Kind {
    const kind = KINDS[type];
    if (kind !== undefined) return kind;
    throw new Error(`${type} is not supported by the stand-in engine; install the Pulumi CLI`);
}

/** Inputs as the provider's state has them: with defaults, and `number` as the old name of `numeric`. */
function withDefaults(kind: Kind, inputs: Inputs): Inputs {
    const given = Object.fromEntries(
        Object.entries(inputs).filter(([, value]) => value !== null && value !== undefined),
    );
    const filled: Inputs = { ...kind.defaults, ...given };
    if ("numeric" in kind.defaults) {
        const numeric = given.numeric ?? given.number ?? true;
        filled.numeric = numeric;
        filled.number = numeric;
    }
    return filled;
}

/** Everything is generated once: any change of an input, `keepers` too, makes the value anew. */
const provider: ResourceProvider = {
    async check(context, { newInputs }) {
        const kind = kindOf(context.type);
        const failures = kind.required
            .filter((property) => newInputs[property] === undefined || newInputs[property] === null)
            .map((property) => ({ property, reason: "a required property is missing" }));
        const filled = withDefaults(kind, newInputs);
        const known = !Object.values(filled).includes(UNKNOWN);
        if (failures.length === 0 && known) failures.push(...(kind.validate?.(filled) ?? []));
        return { inputs: newInputs, failures };
    },
    async diff(context, { oldInputs, newInputs }) {
        const kind = kindOf(context.type);
        const before = withDefaults(kind, oldInputs);
        const after = withDefaults(kind, newInputs);
        const detailed: Record<string, { kind: DiffKind }> = {};
        for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
            if (isDeepStrictEqual(before[key], after[key])) continue;
            const change =
                after[key] === undefined ? "delete" : before[key] === undefined ? "add" : "update";
            detailed[key] = { kind: `${change}-replace` };
        }
        const replaceKeys = Object.keys(detailed);
        return {
            changes: replaceKeys.length > 0,
            replaceKeys,
            deleteBeforeReplace: false,
            detailed,
        };
    },
    async create(context, { inputs, preview }) {
        const kind = kindOf(context.type);
        const filled = withDefaults(kind, inputs);
        if (preview) {
            const unknown = Object.fromEntries(kind.generated.map((key) => [key, UNKNOWN]));
            return { id: "", outputs: { ...filled, ...unknown } };
        }
        const { id, outputs } = kind.generate(filled);
        return { id, outputs: { ...filled, ...outputs, id } };
    },
    async update(_context, { oldOutputs }) {
        return { outputs: oldOutputs };
    },
    async delete() {
        // Nothing exists outside the state.
    },
    async read(context, { id, inputs, outputs }) {
        if (inputs !== undefined && outputs !== undefined) return { id, inputs, outputs };
        throw new Error(
            `importing ${context.type} is not supported by the stand-in engine; install the Pulumi CLI`,
        );
    },
    secretOutputs: (type) => kindOf(type).secretOutputs,
};

/** The random provider: values made once, kept in the state, made anew when an input changes. */
export const random: ProviderPlugin = {
    name: "random",
    version: "4.21.2",
    configure: async () => provider,
};
