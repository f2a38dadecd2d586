import { Deployment, PendingOperation, ResourceState } from "../backend/state";
import { InitError, ReadResult, ResourceProvider } from "../providers/types";
import { equal, unwrap } from "../values/values";
import { detailedDiff } from "../values/diff";
import { Context } from "./context";
import { DeploymentOver } from "./goal";
import { Step } from "./events";
import { markInputs, markOutputs } from "./marks";
import { providerOf } from "./steps";
import { isTargeted } from "./targets";
import { isProviderType } from "./urn";

/**
 * Reads every resource as it is now. What is gone leaves the state; what changed is taken over, so
 * that the next `up` repairs it.
 */
export async function refresh(context: Context): Promise<ResourceState[]> {
    const refreshed = await Promise.all(context.before.map((state) => refreshOne(context, state)));
    const kept = refreshed.filter((state) => state !== undefined);
    const urns = new Set(kept.map((state) => state.urn));
    return kept.map((state) => withoutMissing(state, urns));
}

async function refreshOne(
    context: Context,
    state: ResourceState,
): Promise<ResourceState | undefined> {
    if (!isTargeted(context, state)) return state;
    const step: Step = { op: "refresh", urn: state.urn, type: state.type, old: state };
    const still = !state.custom || isProviderType(state.type) || state.pendingReplacement === true;
    if (still || state.delete === true) {
        context.events.before(step);
        context.events.after({ ...step, next: state, resultOp: "same" });
        return state;
    }
    try {
        return await context.slot(() => readAgain(context, state, step));
    } catch (error) {
        if (error instanceof DeploymentOver) return state;
        context.events.failed(step);
        context.events.error((error as Error).message, state.urn);
        context.stop();
        return state;
    }
}

async function readAgain(
    context: Context,
    state: ResourceState,
    step: Step,
): Promise<ResourceState | undefined> {
    context.events.before(step);
    const provider = await providerOf(context, state);
    const { found, initErrors } = await readTolerantly(context, state, provider);
    if (found === undefined) {
        context.events.after({ ...step, resultOp: "delete" });
        return undefined;
    }
    const next: ResourceState = {
        ...state,
        id: found.id,
        inputs: markInputs(found.inputs, state.inputs, state.type, provider),
        outputs: {},
        initErrors,
    };
    next.outputs = markOutputs(found.outputs, { ...next, inputs: state.inputs }, provider);
    const same = equal(next.inputs, state.inputs) && equal(next.outputs, state.outputs);
    if (!same) next.modified = new Date().toISOString();
    const detailed = detailedDiff(state.inputs, next.inputs);
    const drifted = Object.keys(detailed).length > 0;
    context.events.after({ ...step, next, detailed, resultOp: drifted ? "update" : "same" });
    return next;
}

/** An object that is there but unhealthy is no failure of the refresh: the next `up` looks at it. */
async function readTolerantly(
    context: Context,
    state: ResourceState,
    provider: ResourceProvider,
): Promise<{ found: ReadResult | undefined; initErrors: string[] }> {
    try {
        const found = await provider.read(context.providerContext(state.urn), {
            id: state.id ?? "",
            inputs: unwrap(state.inputs),
            outputs: unwrap(state.outputs),
        });
        return { found, initErrors: [] };
    } catch (error) {
        if (!(error instanceof InitError)) throw error;
        const list = error.reasons.map((reason) => `\n* ${reason}`).join("");
        context.events.diagnostic({
            urn: state.urn,
            severity: "warning",
            message: `Refreshed resource is in an unhealthy state:${list}`,
        });
        const inputs = error.inputs ?? unwrap(state.inputs);
        const found = { id: error.id, inputs, outputs: error.outputs };
        return { found, initErrors: error.reasons };
    }
}

function withoutMissing(state: ResourceState, present: ReadonlySet<string>): ResourceState {
    const keep = (urns: string[]): string[] => urns.filter((urn) => present.has(urn));
    const result = { ...state };
    if (state.dependencies !== undefined) result.dependencies = keep(state.dependencies);
    if (state.propertyDependencies !== undefined) {
        result.propertyDependencies = Object.fromEntries(
            Object.entries(state.propertyDependencies).map(([key, urns]) => [key, keep(urns)]),
        );
    }
    return result;
}

/** What the user says about creates that were interrupted. */
export interface PendingCreates {
    clear: boolean;
    /** URN → id of the object that the interrupted create made. */
    imports: ReadonlyMap<string, string>;
}

/**
 * Settles interrupted creates: an imported one becomes a resource as it is in the world, a cleared
 * one is forgotten; any other stays pending.
 */
export async function settlePendingCreates(
    context: Context,
    deployment: Deployment,
    decision: PendingCreates,
): Promise<Deployment> {
    const pending: PendingOperation[] = [];
    const adopted: ResourceState[] = [];
    for (const operation of deployment.pending_operations ?? []) {
        const id = decision.imports.get(operation.resource.urn);
        if (operation.type !== "creating") continue;
        if (id !== undefined) adopted.push(await adoptPending(context, operation.resource, id));
        else if (!decision.clear) pending.push(operation);
    }
    const resources = [...(deployment.resources ?? []), ...adopted];
    return { ...deployment, resources, pending_operations: pending };
}

async function adoptPending(
    context: Context,
    state: ResourceState,
    id: string,
): Promise<ResourceState> {
    const step: Step = { op: "import", urn: state.urn, type: state.type, next: state };
    context.events.before(step);
    const provider = await providerOf(context, state);
    const { found, initErrors } = await readTolerantly(context, { ...state, id }, provider);
    if (found === undefined) throw new Error(`resource '${id}' does not exist`);
    const time = new Date().toISOString();
    const next: ResourceState = {
        ...state,
        id: found.id,
        outputs: markOutputs(found.outputs, state, provider),
        initErrors,
        created: time,
        modified: time,
    };
    context.events.after({ ...step, next });
    return next;
}
