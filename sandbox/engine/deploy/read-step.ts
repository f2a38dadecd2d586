import { ResourceState } from "../backend/state";
import { equal, unwrap } from "../values/values";
import { Context } from "./context";
import { markInputs, markOutputs } from "./marks";
import { makeStep, perform, providerOf } from "./steps";

const now = (): string => new Date().toISOString();

/** Reads something that exists outside this stack (`X.get`) into the state. */
export async function read(
    context: Context,
    next: ResourceState,
    old: ResourceState | undefined,
): Promise<void> {
    const op = old !== undefined && old.external !== true ? "read-replacement" : "read";
    const step = makeStep(op, old === undefined ? { next } : { old, next });
    await perform(context, step, async () => {
        const provider = await providerOf(context, next);
        const found = await provider.read(context.providerContext(next.urn), {
            id: next.id ?? "",
            inputs: unwrap(next.inputs),
        });
        if (found === undefined) throw new Error(`resource '${next.id ?? ""}' does not exist`);
        next.outputs = markOutputs(found.outputs, next, provider);
        next.created = old?.created ?? now();
        next.modified =
            old !== undefined && equal(old.outputs, next.outputs) ? (old.modified ?? now()) : now();
        if (op === "read-replacement" && old !== undefined) old.delete = true;
        if (old !== undefined && op === "read") context.journal.carry(old, next);
        else await context.journal.end(next, { next });
    });
}

/** Adopts an existing object as a resource (`import`), to be compared with the program's inputs. */
export async function adopt(context: Context, next: ResourceState): Promise<ResourceState> {
    const provider = await providerOf(context, next);
    const found = await provider.read(context.providerContext(next.urn), {
        id: next.importID ?? "",
    });
    if (found === undefined) throw new Error(`resource '${next.importID ?? ""}' does not exist`);
    const time = now();
    return {
        ...next,
        id: found.id,
        inputs: markInputs(found.inputs, next.inputs, next.type, provider),
        outputs: markOutputs(found.outputs, next, provider),
        created: time,
        modified: time,
    };
}
