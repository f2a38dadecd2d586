import { ResourceState } from "../backend/state";
import { unwrap } from "../values/values";
import { Context } from "./context";
import { runHooks } from "./hooks";
import { makeStep, perform, providerOf, runAfterHook } from "./steps";

/**
 * Deletes `old` from the world, unless it is retained, external, or goes with another one. With
 * `pendingReplacement` it stays in the state until its replacement exists.
 */
export async function remove(
    context: Context,
    old: ResourceState,
    op: "delete" | "delete-replaced",
    options: { pendingReplacement?: boolean } = {},
): Promise<void> {
    const shown = old.external === true ? (op === "delete" ? "discard" : "discard-replaced") : op;
    await perform(context, makeStep(shown, { old }), async () => {
        await runHooks(context, "BeforeDelete", old, { old });
        if (op === "delete" && old.protect === true) throw new Error(protectMessage(old.urn));
        await context.journal.begin("deleting", old);
        try {
            if (!context.dryRun && mustDelete(context, old)) await deleteFromWorld(context, old);
        } catch (error) {
            await context.journal.end(old, {});
            throw error;
        }
        if (options.pendingReplacement === true) old.pendingReplacement = true;
        await context.journal.end(old, old.pendingReplacement === true ? {} : { old });
        await runAfterHook(context, () => runHooks(context, "AfterDelete", old, { old }), old.urn);
    });
}

function protectMessage(urn: string): string {
    return (
        `resource ${JSON.stringify(urn)} cannot be deleted\n` +
        "because it is protected. To unprotect the resource, either remove the `protect` flag from " +
        "the resource in your Pulumi program and run `pulumi up`, or use the command:\n" +
        `\`pulumi state unprotect '${urn}'\``
    );
}

function mustDelete(context: Context, old: ResourceState): boolean {
    if (!old.custom || old.external === true || old.retainOnDelete === true) return false;
    return old.deletedWith === undefined || !context.deletedUrns.has(old.deletedWith);
}

async function deleteFromWorld(context: Context, old: ResourceState): Promise<void> {
    const provider = await providerOf(context, old);
    const timeoutSeconds = old.customTimeouts?.delete;
    await provider.delete(context.providerContext(old.urn), {
        id: old.id ?? "",
        inputs: unwrap(old.inputs),
        outputs: unwrap(old.outputs),
        ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    });
}

/** A resource whose replacement never came: its state goes, the world has nothing of it. */
export async function removePending(context: Context, old: ResourceState): Promise<void> {
    await perform(context, makeStep("remove-pending-replace", { old }), async () => {
        await context.journal.end(old, { old });
    });
}
