import { ResourceState } from "../backend/state";
import { Inputs } from "../providers/types";
import { Context } from "./context";
import { providerReference } from "./default-providers";
import { DeploymentOver } from "./goal";
import { read } from "./read-step";
import { StepFailed } from "./steps";
import { makeUrn, packageOf } from "./urn";

export interface ReadGoal {
    id: string;
    type: string;
    name: string;
    parent: string;
    provider: string;
    version: string;
    inputs: Inputs;
    dependencies: string[];
    additionalSecretOutputs: string[];
}

/** `X.get(name, id)`: something that exists and that this stack does not own. */
export async function readResource(
    context: Context,
    goal: ReadGoal,
): Promise<{ urn: string; outputs: Inputs }> {
    if (context.stopped) throw new DeploymentOver();
    const { stack, project } = context.options;
    const urn = makeUrn(stack, project, goal.parent, goal.type, goal.name);
    const pkg = packageOf(goal.type);
    const provider = await providerReference(context, pkg, goal.provider, goal.version);
    const next: ResourceState = {
        urn,
        custom: true,
        external: true,
        id: goal.id,
        type: goal.type,
        inputs: goal.inputs,
        outputs: {},
        dependencies: goal.dependencies,
        additionalSecretOutputs: goal.additionalSecretOutputs,
        provider,
    };
    if (goal.parent !== "") next.parent = goal.parent;
    try {
        await context.slot(() => read(context, next, context.olds.get(urn)));
    } catch (error) {
        if (error instanceof StepFailed || error instanceof DeploymentOver) throw error;
        context.events.error((error as Error).message, urn);
        context.stop();
        throw new StepFailed((error as Error).message);
    }
    context.news.set(urn, next);
    return { urn, outputs: next.outputs };
}
