import { Inputs } from "../providers/types";
import { lowerOutputValues } from "../values/values";
import { Context } from "./context";
import { runHooks } from "./hooks";
import { isStackUrn } from "./urn";

/** Sets the outputs of a component; the stack's own wait until the operation ends. */
export async function registerOutputs(context: Context, urn: string, raw: Inputs): Promise<void> {
    const outputs = lowerOutputValues(raw);
    if (isStackUrn(urn)) {
        context.stackOutputs = { urn, outputs };
        return;
    }
    const state = context.news.get(urn);
    if (state === undefined) {
        throw new Error(`cannot complete a resource '${urn}' whose registration isn't pending`);
    }
    if (context.skipped.has(urn)) return;
    state.outputs = outputs;
    context.journal.touch();
    const old = context.olds.get(urn);
    const operation = context.operations.get(urn);
    if (operation === undefined || operation === "same") return;
    const point = operation === "create" ? "AfterCreate" : "AfterUpdate";
    try {
        await runHooks(context, point, state, {
            next: state,
            ...(old === undefined ? {} : { old }),
        });
    } catch (error) {
        context.events.error((error as Error).message, urn);
        context.stop();
    }
}

/**
 * Ends with the stack's outputs. After a failure an output that is missing cannot be told from one
 * that was not reached, so the old ones stay under the new.
 */
export function finishStackOutputs(context: Context, failed: boolean): Inputs {
    const registered = context.stackOutputs;
    if (registered === undefined) return {};
    const state = context.news.get(registered.urn);
    if (state === undefined) return {};
    const old = context.olds.get(registered.urn)?.outputs ?? {};
    state.outputs = failed ? { ...old, ...registered.outputs } : registered.outputs;
    context.journal.touch();
    return state.outputs;
}
