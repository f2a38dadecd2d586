/**
 * What the stand-in engine asks of a provider: the part of Pulumi's provider protocol that this
 * project needs, in plain JSON. Secrets are unwrapped before a call (the core re-marks the outputs);
 * a value that is not known yet, in previews, is the string {@link UNKNOWN}.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Inputs = { [key: string]: Json };

/** Pulumi's own wire sentinel for a value that a preview cannot know. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export type Severity = "debug" | "info" | "warning" | "error";

/** The resource a call is about, how to stop the call, and where it reports. */
export interface ProviderContext {
    urn: string;
    /** Pulumi's type token, such as `kubernetes:apps/v1:Deployment`. */
    type: string;
    /** Aborted on Ctrl-C: stop waiting and throw. */
    signal: AbortSignal;
    /** An ephemeral message is a status line; any other stays in the operation's diagnostics. */
    log(severity: Severity, message: string, ephemeral?: boolean): void;
}

export interface CheckRequest {
    /** The last inputs, if the resource exists. */
    oldInputs?: Inputs;
    newInputs: Inputs;
    /** 32 bytes, for generated names: the same in preview and `up`. */
    randomSeed: Buffer;
}

export interface CheckFailure {
    property: string;
    reason: string;
}

export type DiffKind =
    "add" | "delete" | "update" | "add-replace" | "delete-replace" | "update-replace";

export interface Diff {
    changes: boolean;
    /** Top-level properties or paths whose change forces a replacement; empty: update in place. */
    replaceKeys: string[];
    deleteBeforeReplace: boolean;
    /** Property path, such as `spec.replicas`, to what happens to it; for display. */
    detailed: Record<string, { kind: DiffKind }>;
}

export interface DiffRequest {
    id: string;
    oldInputs: Inputs;
    oldOutputs: Inputs;
    newInputs: Inputs;
    ignoreChanges: string[];
}

export interface CreateRequest {
    inputs: Inputs;
    preview: boolean;
    /** From `customTimeouts`, in seconds; absent: the provider's own default. */
    timeoutSeconds?: number;
}

export interface UpdateRequest {
    id: string;
    oldInputs: Inputs;
    oldOutputs: Inputs;
    inputs: Inputs;
    ignoreChanges: string[];
    preview: boolean;
    timeoutSeconds?: number;
}

export interface DeleteRequest {
    id: string;
    inputs: Inputs;
    outputs: Inputs;
    timeoutSeconds?: number;
}

export interface ReadRequest {
    id: string;
    inputs?: Inputs;
    outputs?: Inputs;
}

export interface ReadResult {
    id: string;
    inputs: Inputs;
    outputs: Inputs;
}

export interface ResourceProvider {
    /** Fills defaults in and validates; in a preview `newInputs` may hold {@link UNKNOWN}. */
    check(
        context: ProviderContext,
        request: CheckRequest,
    ): Promise<{ inputs: Inputs; failures: CheckFailure[] }>;
    diff(context: ProviderContext, request: DiffRequest): Promise<Diff>;
    /** In a preview nothing is written; the id may be "" and outputs may hold {@link UNKNOWN}. */
    create(
        context: ProviderContext,
        request: CreateRequest,
    ): Promise<{ id: string; outputs: Inputs }>;
    update(context: ProviderContext, request: UpdateRequest): Promise<{ outputs: Inputs }>;
    /** An object that is gone already counts as deleted. */
    delete(context: ProviderContext, request: DeleteRequest): Promise<void>;
    /** The object as it is now; undefined when it is gone. */
    read(context: ProviderContext, request: ReadRequest): Promise<ReadResult | undefined>;
    invoke?(context: ProviderContext, token: string, args: Inputs): Promise<Inputs>;
    /** Top-level outputs of `type` that are secret even if no input was, such as a password. */
    secretOutputs?(type: string): string[];
    /** Top-level inputs of `type` that are secret whatever the program said, such as a Secret's data. */
    secretInputs?(type: string): string[];
}

/**
 * Thrown by `create` and `update` when the object exists but did not become ready: the state is
 * saved with the reasons, and the step fails. Thrown by `read` it means the same for a refresh.
 */
export class InitError extends Error {
    constructor(
        readonly id: string,
        readonly outputs: Inputs,
        readonly reasons: string[],
        /** From `read` only: the inputs as the live object has them. */
        readonly inputs?: Inputs,
    ) {
        super(`resource ${id} was created or updated but failed to become ready`);
        this.name = "InitError";
    }
}

export interface ProviderPlugin {
    name: string;
    /** The version of the real provider whose behaviour this one stands in for. */
    version: string;
    /**
     * @param inputs the provider resource's inputs (kubernetes: kubeconfig, context, namespace …),
     * with values of stack config `<name>:<key>` for the default provider; values may be
     * {@link UNKNOWN} in a preview.
     */
    configure(inputs: Inputs): Promise<ResourceProvider>;
    /**
     * Whether the new configuration points at another place (such as another cluster), so that every
     * resource must be made anew there; absent: never.
     */
    replaces?(oldInputs: Inputs, newInputs: Inputs): boolean | Promise<boolean>;
}

/** Plugins by package name, each loaded only when a program uses it. */
export type PluginTable = Record<string, () => Promise<ProviderPlugin>>;
