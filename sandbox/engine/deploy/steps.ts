import { ResourceState } from "../backend/state";
import { InitError, ResourceProvider } from "../providers/types";
import { Detailed } from "../values/diff";
import { unwrap } from "../values/values";
import { Context } from "./context";
import { Op, Step } from "./events";
import { runHooks } from "./hooks";
import { markOutputs } from "./marks";
import { isProviderType, providerPackage } from "./urn";

/** A step that failed and whose reason is reported: the operation stops. */
export class StepFailed extends Error {}

/** The provider that a state's operations go to. */
export function providerOf(context: Context, state: ResourceState): Promise<ResourceProvider> {
    if (isProviderType(state.type)) {
        return Promise.resolve(context.providers.lifeCycle(providerPackage(state.type)));
    }
    return context.providers.get(state.provider ?? "", [
        ...context.news.values(),
        ...context.before,
    ]);
}

/**
 * Runs one step: announces it, records it as in flight, does it, records what came of it. A failure
 * is reported here, stops the operation and goes on as {@link StepFailed}.
 */
export async function perform(
    context: Context,
    step: Step,
    work: () => Promise<void>,
): Promise<void> {
    context.events.before(step);
    try {
        await work();
    } catch (error) {
        context.events.failed(step);
        reportFailure(context, step, error);
        if (!context.options.continueOnError) context.stop();
        throw new StepFailed((error as Error).message);
    }
    context.events.after(step);
}

function reportFailure(context: Context, step: Step, error: unknown): void {
    if (error instanceof InitError) {
        const done = step.op === "update" ? "updated" : "created";
        const list = error.reasons.map((reason) => `\n  * ${reason}`).join("");
        context.events.error(
            `resource ${error.id} was successfully ${done}, but failed to become ready:${list}`,
            step.urn,
        );
    } else {
        context.events.error((error as Error).message, step.urn);
    }
}

/** After the world changed, a failing after-hook fails the operation, but not the record of it. */
export async function runAfterHook(
    context: Context,
    work: () => Promise<void>,
    urn: string,
): Promise<void> {
    try {
        await work();
    } catch (error) {
        context.events.error((error as Error).message, urn);
        if (!context.options.continueOnError) context.stop();
    }
}

export function makeStep(
    op: Op,
    states: Pick<Step, "old" | "next">,
    more: Partial<Step> = {},
): Step {
    const state = (states.next ?? states.old) as ResourceState;
    const step: Step = { op, urn: state.urn, type: state.type, ...states, ...more };
    if (state.provider !== undefined) step.provider = state.provider;
    return step;
}

const now = (): string => new Date().toISOString();

export async function same(
    context: Context,
    old: ResourceState,
    next: ResourceState,
): Promise<void> {
    next.outputs = old.outputs;
    context.operations.set(next.urn, "same");
    copyIdentity(old, next);
    const step = makeStep("same", { old, next });
    context.events.before(step);
    if (isProviderType(next.type)) await context.providers.configure(next);
    context.journal.carry(old, next);
    context.events.after(step);
}

function copyIdentity(old: ResourceState, next: ResourceState): void {
    if (old.id !== undefined) next.id = old.id;
    if (old.created !== undefined) next.created = old.created;
    if (old.modified !== undefined) next.modified = old.modified;
}

export interface Change {
    keys?: string[];
    detailed?: Detailed;
}

/**
 * Creates `next`. With `old` it is the replacement of it, which is deleted at the end, or was
 * deleted before (`pendingReplacement`).
 */
export async function create(
    context: Context,
    next: ResourceState,
    old?: ResourceState,
    change: Change = {},
): Promise<void> {
    const op = old === undefined ? "create" : "create-replacement";
    const step = makeStep(op, old === undefined ? { next } : { old, next }, change);
    context.operations.set(next.urn, "create");
    await perform(context, step, async () => {
        await runHooks(context, "BeforeCreate", next, { next });
        await context.journal.begin("creating", next);
        try {
            await createInWorld(context, next);
        } catch (error) {
            const exists = error instanceof InitError && !context.dryRun;
            if (exists && old !== undefined && old.pendingReplacement !== true) old.delete = true;
            await context.journal.end(next, exists ? finished(next, old) : {});
            throw error;
        }
        if (old !== undefined && old.pendingReplacement !== true) old.delete = true;
        await context.journal.end(next, finished(next, old));
        if (next.custom) {
            const after = (): Promise<void> => runHooks(context, "AfterCreate", next, { next });
            await runAfterHook(context, after, next.urn);
        }
    });
    if (old !== undefined) {
        const replace = makeStep("replace", { old, next }, change);
        context.events.before(replace);
        context.events.after(replace);
    }
}

function finished(
    next: ResourceState,
    old: ResourceState | undefined,
): { old?: ResourceState; next: ResourceState } {
    // An old state that was deleted first goes with its replacement; another waits for its deletion.
    return old?.pendingReplacement === true ? { old, next } : { next };
}

async function createInWorld(context: Context, next: ResourceState): Promise<void> {
    next.created = next.modified = now();
    if (!next.custom) return;
    const provider = await providerOf(context, next);
    const timeoutSeconds = next.customTimeouts?.create;
    try {
        const { id, outputs } = await provider.create(context.providerContext(next.urn), {
            inputs: unwrap(next.inputs),
            preview: context.dryRun,
            ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        });
        next.id = id;
        next.outputs = markOutputs(outputs, next, provider);
    } catch (error) {
        if (error instanceof InitError) {
            next.id = error.id;
            next.outputs = markOutputs(error.outputs, next, provider);
            next.initErrors = error.reasons;
        }
        throw error;
    }
    if (!context.dryRun && next.id === "")
        throw new Error("provider did not return an ID from Create");
    if (isProviderType(next.type)) await context.providers.configure(next);
}

export async function update(
    context: Context,
    old: ResourceState,
    next: ResourceState,
    detailed: Detailed,
): Promise<void> {
    copyIdentity(old, next);
    context.operations.set(next.urn, "update");
    await perform(context, makeStep("update", { old, next }, { detailed }), async () => {
        await runHooks(context, "BeforeUpdate", next, { old, next });
        await context.journal.begin("updating", next);
        try {
            if (next.custom) await updateInWorld(context, old, next);
        } catch (error) {
            const changed = error instanceof InitError && !context.dryRun;
            await context.journal.end(next, changed ? { old, next } : {});
            throw error;
        }
        await context.journal.end(next, { old, next });
        if (next.custom) {
            const after = (): Promise<void> =>
                runHooks(context, "AfterUpdate", next, { old, next });
            await runAfterHook(context, after, next.urn);
        }
    });
}

async function updateInWorld(
    context: Context,
    old: ResourceState,
    next: ResourceState,
): Promise<void> {
    const provider = await providerOf(context, next);
    const timeoutSeconds = next.customTimeouts?.update;
    try {
        const { outputs } = await provider.update(context.providerContext(next.urn), {
            id: old.id ?? "",
            oldInputs: unwrap(old.inputs),
            oldOutputs: unwrap(old.outputs),
            inputs: unwrap(next.inputs),
            ignoreChanges: next.ignoreChanges ?? [],
            preview: context.dryRun,
            ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
        });
        next.outputs = markOutputs(outputs, next, provider);
    } catch (error) {
        if (error instanceof InitError) {
            next.outputs = markOutputs(error.outputs, next, provider);
            next.initErrors = error.reasons;
        }
        throw error;
    }
    next.modified = now();
    if (isProviderType(next.type)) await context.providers.configure(next);
}
