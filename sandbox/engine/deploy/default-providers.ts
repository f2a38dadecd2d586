import { Inputs } from "../providers/types";
import { Context } from "./context";
import { Goal } from "./goal";
import { referenceOf } from "./providers";
import { register } from "./register";
import { isProviderType, packageOf, providerType } from "./urn";

/** The provider reference of a custom resource; the default provider is made when first needed. */
export async function ensureProvider(context: Context, goal: Goal): Promise<string | undefined> {
    if (isProviderType(goal.type)) return undefined;
    return providerReference(context, packageOf(goal.type), goal.provider, goal.version);
}

export async function providerReference(
    context: Context,
    pkg: string,
    explicit: string,
    version: string,
): Promise<string> {
    if (explicit !== "") return explicit;
    const key = `${pkg}@${version}`;
    const reference = context.defaultProviders.get(key) ?? registerDefault(context, pkg, version);
    context.defaultProviders.set(key, reference);
    return reference;
}

async function registerDefault(context: Context, pkg: string, version: string): Promise<string> {
    const suffix = version === "" ? "" : `_${version.replace(/[^A-Za-z0-9]/g, "_")}`;
    const inputs: Inputs = { ...context.options.packageConfig(pkg), __internal: {} };
    if (version !== "") inputs["version"] = version;
    const { urn } = await register(context, {
        type: providerType(pkg),
        name: `default${suffix}`,
        custom: true,
        parent: undefined,
        inputs,
        dependencies: [],
        propertyDependencies: {},
        provider: "",
        version,
        protect: undefined,
        deleteBeforeReplace: undefined,
        ignoreChanges: [],
        replaceOnChanges: [],
        additionalSecretOutputs: [],
        aliases: [],
        importId: "",
        customTimeouts: {},
        retainOnDelete: undefined,
        deletedWith: undefined,
        replaceWith: [],
        replacementTrigger: undefined,
        hooks: {},
    });
    const state = context.news.get(urn);
    if (state === undefined) throw new Error(`the default provider of '${pkg}' was not made`);
    return referenceOf(state);
}
