import { createHash } from "node:crypto";
import { ResourceState } from "../backend/state";
import { Inputs } from "../providers/types";
import { applyIgnoreChanges } from "../values/paths";
import { unwrap } from "../values/values";
import { Context } from "./context";
import { ensureProvider } from "./default-providers";
import { planDiff } from "./diff";
import { DeploymentOver, Goal, Registered } from "./goal";
import { replace } from "./replace";
import { adopt } from "./read-step";
import { markInputs } from "./marks";
import { create, providerOf, same, StepFailed, update } from "./steps";
import { isTargeted } from "./targets";
import { aliasUrns, makeUrn } from "./urn";

/**
 * Brings one declared resource about: finds its old state, lets the provider check the inputs and
 * tell what differs, then does the one step (or the replacement) that follows from it.
 */
export async function register(context: Context, goal: Goal): Promise<Registered> {
    const urn = urnOf(context, goal);
    if (context.stopped) throw new DeploymentOver();
    if (context.goals.has(urn)) {
        context.events.error(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
        context.stop();
        throw new DeploymentOver();
    }
    context.goals.set(urn, goal);
    if ([goal.parent ?? "", ...goal.dependencies].some((other) => context.failed.has(other))) {
        context.failed.add(urn);
        throw new StepFailed("a resource it depends on failed");
    }
    const provider = goal.custom ? await ensureProvider(context, goal) : undefined;
    const old = findOld(context, urn, goal);
    const next = newState(urn, goal, provider);
    try {
        const state = await context.slot(() => bring(context, goal, next, old));
        context.news.set(urn, state);
        return { urn, id: state.id ?? "", outputs: state.outputs };
    } catch (error) {
        context.failed.add(urn);
        if (error instanceof StepFailed || error instanceof DeploymentOver) throw error;
        context.events.error((error as Error).message, urn);
        if (!context.options.continueOnError) context.stop();
        throw new StepFailed((error as Error).message);
    }
}

export function urnOf(context: Context, goal: Goal): string {
    const { stack, project } = context.options;
    return makeUrn(stack, project, goal.parent, goal.type, goal.name);
}

/** The old state under the resource's URN, or under one of its aliases. */
function findOld(context: Context, urn: string, goal: Goal): ResourceState | undefined {
    const { stack, project } = context.options;
    const { type, name, parent } = goal;
    const formerParents = parent === undefined ? [] : (context.aliases.get(parent) ?? []);
    const aliases = aliasUrns({ stack, project, type, name, parent }, goal.aliases, formerParents);
    context.aliases.set(
        urn,
        aliases.filter((alias) => alias !== urn),
    );
    const direct = context.olds.get(urn);
    if (direct !== undefined) return direct;
    for (const alias of aliases) {
        const former = context.olds.get(alias);
        if (former === undefined || context.news.has(alias)) continue;
        if (context.journal.renamed.has(alias)) continue;
        context.journal.renamed.set(alias, urn);
        return former;
    }
    return undefined;
}

function newState(urn: string, goal: Goal, provider: string | undefined): ResourceState {
    const state: ResourceState = {
        urn,
        custom: goal.custom,
        type: goal.type,
        inputs: goal.inputs,
        outputs: {},
        dependencies: goal.dependencies,
        propertyDependencies: goal.propertyDependencies,
        additionalSecretOutputs: goal.additionalSecretOutputs,
        customTimeouts: goal.customTimeouts,
        ignoreChanges: goal.ignoreChanges,
        replaceOnChanges: goal.replaceOnChanges,
        replaceWith: goal.replaceWith,
        resourceHooks: goal.hooks,
    };
    if (goal.parent !== undefined) state.parent = goal.parent;
    if (goal.protect !== undefined) state.protect = goal.protect;
    if (goal.retainOnDelete !== undefined) state.retainOnDelete = goal.retainOnDelete;
    if (goal.deletedWith !== undefined) state.deletedWith = goal.deletedWith;
    if (goal.importId !== "") state.importID = goal.importId;
    if (goal.replacementTrigger !== undefined) state.replacementTrigger = goal.replacementTrigger;
    if (provider !== undefined) state.provider = provider;
    return state;
}

async function bring(
    context: Context,
    goal: Goal,
    next: ResourceState,
    old: ResourceState | undefined,
): Promise<ResourceState> {
    const recreating = old !== undefined && context.deleted.has(old);
    if (!isTargeted(context, next)) return keep(context, next, old);
    if (goal.importId !== "" && (old === undefined || old.id !== goal.importId)) {
        if (old?.importID !== goal.importId) return importResource(context, goal, next, old);
    }
    const fresh = old === undefined || recreating || old.external === true;
    next.inputs = await check(context, goal, next, fresh ? undefined : old);
    if (old === undefined) {
        await create(context, next);
        return next;
    }
    if (recreating || old.external === true) {
        context.replaced.add(next.urn);
        context.deletedUrns.delete(next.urn);
        await create(context, next, old);
        return next;
    }
    const diff = await planDiff(context, goal, old, next);
    if (diff.replace) {
        next.inputs = await check(context, goal, next, undefined);
        await replace(context, goal, old, next, diff);
    } else if (diff.changes || (old.initErrors ?? []).length > 0) {
        await update(context, old, next, diff.detailed);
    } else {
        await same(context, old, next);
    }
    return next;
}

/** What is no target stays as it was; if it is new it is not made, and unknown to the program. */
async function keep(
    context: Context,
    next: ResourceState,
    old: ResourceState | undefined,
): Promise<ResourceState> {
    if (old === undefined) {
        context.skipped.add(next.urn);
        return next;
    }
    const unchanged = { ...old, urn: next.urn };
    await same(context, old, unchanged);
    return unchanged;
}

/** The provider's own view of the inputs: defaults filled in, secrets still marked. */
export async function check(
    context: Context,
    goal: Goal,
    next: ResourceState,
    old: ResourceState | undefined,
): Promise<Inputs> {
    const wanted =
        old === undefined
            ? goal.inputs
            : (applyIgnoreChanges(goal.inputs, old.inputs, goal.ignoreChanges) as Inputs);
    if (!next.custom) return wanted;
    const missing = next.dependencies?.find((urn) => context.skipped.has(urn));
    if (missing !== undefined) {
        throw new Error(
            `Resource depends on '${missing}' which was was not specified in --target list.`,
        );
    }
    const provider = await providerOf(context, next);
    const { inputs, failures } = await provider.check(context.providerContext(next.urn), {
        ...(old === undefined ? {} : { oldInputs: unwrap(old.inputs) }),
        newInputs: unwrap(wanted),
        randomSeed: seedOf(context, next.urn),
    });
    if (failures.length > 0) {
        const list = failures.map(({ property, reason }) =>
            property === ""
                ? `${next.type} resource '${goal.name}' has a problem: ${reason}`
                : `${next.type} resource '${goal.name}' has a problem: ${reason}. ` +
                  `Examine values at '${goal.name}.${property}'.`,
        );
        throw new Error(list.join("\n"));
    }
    return markInputs(inputs, wanted, next.type, provider);
}

/** The same bytes in the preview and in the `up` that follows it, other ones after a replacement. */
function seedOf(context: Context, urn: string): Buffer {
    const generation = context.olds.get(urn)?.id ?? "";
    return createHash("sha256").update(`${urn}\n${generation}`).digest();
}

async function importResource(
    context: Context,
    goal: Goal,
    next: ResourceState,
    old: ResourceState | undefined,
): Promise<ResourceState> {
    if (old !== undefined && old.id === goal.importId) return next;
    const adopted = await adopt(context, next);
    const wanted = applyIgnoreChanges(goal.inputs, adopted.inputs, goal.ignoreChanges) as Inputs;
    next.inputs = await check(context, { ...goal, inputs: wanted }, next, adopted);
    const diff = await planDiff(context, goal, adopted, next);
    if (diff.changes) {
        const keys = Object.keys(diff.detailed).join(", ");
        throw new Error(
            `inputs to import do not match the existing resource: ${keys}; ` +
                "importing this resource will fail",
        );
    }
    next.id = adopted.id ?? goal.importId;
    next.outputs = adopted.outputs;
    next.created = adopted.created ?? "";
    next.modified = adopted.modified ?? "";
    const op = old === undefined ? "import" : "import-replacement";
    const step = { op, urn: next.urn, type: next.type, next } as const;
    context.events.before(step);
    if (old !== undefined) old.delete = true;
    await context.journal.end(next, { next });
    context.events.after(step);
    return next;
}
