import { Inputs, ProviderPlugin, ResourceProvider } from "../providers/types";
import { containsSecret } from "../values/values";
import { OperationOptions } from "./context";

const STACK_REFERENCE = "pulumi:pulumi:StackReference";

/** The engine's own package: references to the outputs of stacks in the same backend. */
export function builtinPlugin(options: Pick<OperationOptions, "stackOutputs">): ProviderPlugin {
    const refuse = async (): Promise<never> => {
        throw new Error(
            "only StackReference of the package 'pulumi' is known, and it is only read",
        );
    };
    const provider: ResourceProvider = {
        check: refuse,
        diff: refuse,
        create: refuse,
        update: refuse,
        delete: async () => undefined,
        read: async ({ type }, { id }) => {
            if (type !== STACK_REFERENCE) return refuse();
            const outputs = await options.stackOutputs(id);
            if (outputs === undefined) throw new Error(`unknown stack "${id}"`);
            return { id, inputs: { name: id }, outputs: describe(id, outputs) };
        },
    };
    return { name: "pulumi", version: "", configure: async () => provider };
}

function describe(name: string, outputs: Inputs): Inputs {
    const secretOutputNames = Object.keys(outputs).filter((key) => containsSecret(outputs[key]));
    return { name, outputs, secretOutputNames: secretOutputNames.sort() };
}
