import { Inputs } from "../providers/types";
import { containsSecret, makeSecret, unwrap } from "../values/values";
import { Context } from "./context";
import { providerReference } from "./default-providers";
import { DeploymentOver } from "./goal";
import { packageOf, stackUrn } from "./urn";

export interface InvokeRequest {
    token: string;
    args: Inputs;
    provider: string;
    version: string;
}

/** Calls a provider's function, or one of the engine's own. */
export async function invoke(context: Context, request: InvokeRequest): Promise<Inputs> {
    if (context.stopped) throw new DeploymentOver();
    if (request.token === "pulumi:pulumi:getResource") return getResource(context, request.args);
    const pkg = packageOf(request.token);
    const reference = await providerReference(context, pkg, request.provider, request.version);
    const provider = await context.providers.get(reference, [
        ...context.news.values(),
        ...context.before,
    ]);
    if (provider.invoke === undefined) throw new Error(`unknown function '${request.token}'`);
    const { stack, project } = context.options;
    const caller = context.providerContext(stackUrn(stack, project));
    const result = await provider.invoke(caller, request.token, unwrap(request.args));
    if (!containsSecret(request.args)) return result;
    return Object.fromEntries(
        Object.entries(result).map(([key, value]) => [key, makeSecret(value)]),
    );
}

/** A resource of this operation by its URN, for resource references. */
function getResource(context: Context, args: Inputs): Inputs {
    const { urn } = args;
    if (typeof urn !== "string") throw new Error("a resource reference needs a URN");
    const state = context.news.get(urn);
    if (state === undefined) throw new Error(`unknown resource ${urn}`);
    return { urn, id: state.id ?? "", provider: state.provider ?? "", state: state.outputs };
}
