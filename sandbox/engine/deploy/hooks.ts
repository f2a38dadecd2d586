import { ResourceState } from "../backend/state";
import { Inputs } from "../providers/types";
import { Context } from "./context";
import { parseUrn } from "./urn";

export interface HookCall {
    urn: string;
    id: string;
    name: string;
    type: string;
    newInputs?: Inputs;
    oldInputs?: Inputs;
    newOutputs?: Inputs;
    oldOutputs?: Inputs;
}

export interface Hook {
    onDryRun: boolean;
    ignoreErrors: boolean;
    /** Calls into the program; resolves to the error's text, or to "". */
    call(request: HookCall): Promise<string>;
}

export class HookRegistry {
    readonly #hooks = new Map<string, Hook>();

    register(name: string, hook: Hook): void {
        if (name === "") throw new Error("resource hook name cannot be empty");
        if (this.#hooks.has(name)) {
            throw new Error(`resource hook already registered for name "${name}"`);
        }
        this.#hooks.set(name, hook);
    }

    get(name: string): Hook | undefined {
        return this.#hooks.get(name);
    }
}

export type HookPoint =
    | "BeforeCreate"
    | "AfterCreate"
    | "BeforeUpdate"
    | "AfterUpdate"
    | "BeforeDelete"
    | "AfterDelete";

/** Runs a resource's hooks of one kind, one after the other; the first failure ends them. */
export async function runHooks(
    context: Context,
    point: HookPoint,
    owner: ResourceState,
    states: { old?: ResourceState; next?: ResourceState },
): Promise<void> {
    const before = point.startsWith("Before");
    for (const name of owner.resourceHooks?.[point] ?? []) {
        const hook = context.hooks.get(name);
        if (hook === undefined) throw new Error(`hook "${name}" was not registered`);
        if (context.dryRun && !hook.onDryRun) continue;
        const call: HookCall = {
            urn: owner.urn,
            id: owner.id ?? "",
            name: parseUrn(owner.urn).name,
            type: owner.type,
        };
        if (states.next !== undefined) call.newInputs = states.next.inputs;
        if (states.old !== undefined) {
            call.oldInputs = states.old.inputs;
            call.oldOutputs = states.old.outputs;
        }
        if (states.next !== undefined && !before) call.newOutputs = states.next.outputs;
        const problem = await hook.call(call);
        if (problem === "") continue;
        const kind = before ? "before" : "after";
        if (!hook.ignoreErrors) throw new Error(`${kind} hook "${name}" failed: ${problem}`);
        context.events.diagnostic({
            urn: owner.urn,
            severity: "warning",
            message: `${point} hook "${name}" failed: ${problem}`,
        });
    }
}
