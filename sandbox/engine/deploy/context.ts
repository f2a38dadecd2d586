import { ResourceState } from "../backend/state";
import { Inputs, ProviderContext } from "../providers/types";
import { DeploymentOver, Goal } from "./goal";
import { Events } from "./events";
import { HookRegistry } from "./hooks";
import { Journal } from "./journal";
import { ProviderRegistry } from "./providers";
import { parseUrn } from "./urn";

export interface OperationOptions {
    project: string;
    stack: string;
    dryRun: boolean;
    /** Steps that may run at the same time. */
    parallel: number;
    /** URNs, with `*` and `**` as wildcards; empty: everything. */
    targets: string[];
    targetDependents: boolean;
    excludes: string[];
    /** Deletions leave protected resources, and what they depend on, alone. */
    excludeProtected: boolean;
    replace: string[];
    continueOnError: boolean;
    /** Outputs of another stack of the backend, or of this one as they were; undefined: no such stack. */
    stackOutputs(name: string): Promise<Inputs | undefined>;
    /** Stack config of a package (`kubernetes:context`), for its default provider. */
    packageConfig(pkg: string): Inputs;
}

/** What every part of a running operation shares. */
export class Context {
    /** States of the last operation by URN, without those that only wait for their deletion. */
    readonly olds = new Map<string, ResourceState>();
    readonly news = new Map<string, ResourceState>();
    readonly goals = new Map<string, Goal>();
    /** References of default providers by `package@version`. */
    readonly defaultProviders = new Map<string, Promise<string>>();
    /** URN → the former URNs it was found under. */
    readonly aliases = new Map<string, string[]>();
    readonly replaced = new Set<string>();
    /** States already deleted in this operation, to make room for their replacements. */
    readonly deleted = new Set<ResourceState>();
    /** URNs deleted in this operation: `deletedWith` looks here. */
    readonly deletedUrns = new Set<string>();
    /** What was done to each resource of the program. */
    readonly operations = new Map<string, "same" | "create" | "update">();
    /** URNs that failed, or that depend on one that did: with `--continue-on-error` the rest goes on. */
    readonly failed = new Set<string>();
    /** URNs not created because they are no target. */
    readonly skipped = new Set<string>();
    /** What the program registered as the stack's outputs. */
    stackOutputs: { urn: string; outputs: Inputs } | undefined;
    readonly cancellation = new AbortController();
    readonly #slots: Slots;
    #stopped: (() => void)[] | undefined = [];
    #running = 0;
    #idle: (() => void)[] = [];

    constructor(
        readonly options: OperationOptions,
        readonly journal: Journal,
        readonly events: Events,
        readonly providers: ProviderRegistry,
        readonly hooks: HookRegistry,
        readonly before: ResourceState[],
    ) {
        this.#slots = new Slots(options.parallel);
        for (const state of before) if (state.delete !== true) this.olds.set(state.urn, state);
    }

    get dryRun(): boolean {
        return this.options.dryRun;
    }

    get stopped(): boolean {
        return this.#stopped === undefined;
    }

    /** No new step begins from now on; those that run are left to end. */
    stop(): void {
        const listeners = this.#stopped ?? [];
        this.#stopped = undefined;
        for (const listener of listeners) listener();
    }

    /** Resolves when the operation is stopped. */
    untilStopped(): Promise<void> {
        return new Promise((resolve) => {
            if (this.#stopped === undefined) resolve();
            else this.#stopped.push(resolve);
        });
    }

    /** Runs a step when there is a free slot. @throws DeploymentOver once the operation is stopped. */
    async slot<T>(work: () => Promise<T>): Promise<T> {
        this.#running++;
        try {
            return await this.#slots.run(async () => {
                if (this.stopped) throw new DeploymentOver();
                return work();
            });
        } finally {
            this.#running--;
            if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
        }
    }

    async untilIdle(): Promise<void> {
        while (this.#running > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    }

    providerContext(urn: string): ProviderContext {
        return {
            urn,
            type: parseUrn(urn).type,
            signal: this.cancellation.signal,
            log: (severity, message, ephemeral) =>
                this.events.diagnostic({
                    urn,
                    severity,
                    message,
                    ...(ephemeral === true ? { ephemeral } : {}),
                }),
        };
    }
}

/** At most `count` at a time, in the order of arrival. */
class Slots {
    #free: number;
    readonly #waiting: (() => void)[] = [];

    constructor(count: number) {
        this.#free = count;
    }

    async run<T>(work: () => Promise<T>): Promise<T> {
        if (this.#free > 0) this.#free--;
        else await new Promise<void>((resolve) => this.#waiting.push(resolve));
        try {
            return await work();
        } finally {
            const next = this.#waiting.shift();
            if (next === undefined) this.#free++;
            else next();
        }
    }
}
