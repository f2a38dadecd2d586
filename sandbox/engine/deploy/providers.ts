import { randomUUID } from "node:crypto";
import { ResourceState } from "../backend/state";
import { NotSupportedError } from "../cli/errors";
import { Diff, Inputs, Json, PluginTable, ResourceProvider, UNKNOWN } from "../providers/types";
import { detailedDiff } from "../values/diff";
import { unwrap } from "../values/values";
import { providerPackage, splitReference } from "./urn";

/** Keys that the engine keeps in a provider's inputs and no plugin sees. */
const INTERNAL_KEYS = ["__internal", "version"];

/**
 * The providers of an operation by reference (`<urn>::<id>`): those the program registered, and
 * those of the last state, configured only when one of their resources must be read or deleted.
 */
export class ProviderRegistry {
    readonly #configured = new Map<string, Promise<ResourceProvider>>();

    constructor(private readonly plugins: PluginTable) {}

    async #plugin(pkg: string): ReturnType<NonNullable<PluginTable[string]>> {
        const load = this.plugins[pkg];
        if (load === undefined) throw new NotSupportedError(`provider '${pkg}'`);
        return load();
    }

    /** Configures a registered provider under its reference. */
    async configure(state: ResourceState): Promise<void> {
        const reference = `${state.urn}::${state.id ?? UNKNOWN}`;
        const inputs = pluginInputs(state.inputs);
        const plugin = await this.#plugin(providerPackage(state.type));
        this.#configured.set(reference, plugin.configure(inputs));
    }

    /** @param states where a provider that this operation did not register is looked up. */
    async get(reference: string, states: Iterable<ResourceState>): Promise<ResourceProvider> {
        const known = this.#configured.get(reference);
        if (known !== undefined) return known;
        const { urn, id } = splitReference(reference);
        for (const state of states) {
            if (state.urn === urn && state.id === id) {
                await this.configure(state);
                return this.get(reference, []);
            }
        }
        throw new Error(`unknown provider '${reference}'`);
    }

    /** Whether what the new inputs point at is another place, so that nothing can be kept. */
    async mustReplace(pkg: string, old: Inputs, next: Inputs): Promise<boolean> {
        const plugin = await this.#plugin(pkg);
        if (plugin.replaces === undefined) return false;
        return plugin.replaces(pluginInputs(old), pluginInputs(next));
    }

    /** A provider resource's own life cycle, which every package shares. */
    lifeCycle(pkg: string): ResourceProvider {
        return {
            check: async (_context, { newInputs }) => {
                await this.#plugin(pkg);
                return { inputs: newInputs, failures: [] };
            },
            diff: async (_context, { oldInputs, newInputs }): Promise<Diff> => {
                const detailed = detailedDiff(oldInputs, newInputs);
                const keys = Object.keys(detailed);
                const replace =
                    keys.length > 0 && (await this.mustReplace(pkg, oldInputs, newInputs));
                return {
                    changes: keys.length > 0,
                    replaceKeys: replace ? keys : [],
                    deleteBeforeReplace: false,
                    detailed,
                };
            },
            create: async (_context, { inputs, preview }) => ({
                id: preview ? UNKNOWN : randomUUID(),
                outputs: withoutInternal(inputs),
            }),
            update: async (_context, { inputs }) => ({ outputs: withoutInternal(inputs) }),
            delete: async () => undefined,
            read: async () => undefined,
        };
    }
}

function withoutInternal(inputs: Inputs): Inputs {
    const { __internal, ...rest } = inputs;
    return rest;
}

/** What a plugin is configured with; SDKs send a provider's booleans as text. */
function pluginInputs(inputs: Inputs): Inputs {
    return Object.fromEntries(
        Object.entries(unwrap(inputs))
            .filter(([key]) => !INTERNAL_KEYS.includes(key))
            .map(([key, value]) => [key, decodeBoolean(value)]),
    );
}

function decodeBoolean(value: Json): Json {
    return value === "true" ? true : value === "false" ? false : value;
}

/** The provider resource's id is what its resources refer to. */
export function referenceOf(state: ResourceState): string {
    return `${state.urn}::${state.id === undefined || state.id === "" ? UNKNOWN : state.id}`;
}
