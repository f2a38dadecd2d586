import { Deployment, newManifest, OperationType, ResourceState } from "../backend/state";
import { inDependencyOrder } from "./graph";
import { Crypter } from "../secrets/passphrase";
import { encodeDeployment } from "../backend/state";
import { VERSION } from "../version";

/** Where a journal writes the state; a preview has none. */
export interface StateStore {
    write(deployment: Deployment): Promise<void>;
    crypter(): Promise<Crypter>;
}

/**
 * The state while an operation runs: what was there before (`base`), less what steps have dealt
 * with, plus what they produced. It is written before and after every step that touches the world,
 * so that at any kill the file says what exists and what was in flight.
 */
export class Journal {
    readonly #dealtWith = new Set<ResourceState>();
    readonly #produced: ResourceState[] = [];
    readonly #inFlight = new Map<ResourceState, OperationType>();
    readonly #keptOperations: NonNullable<Deployment["pending_operations"]>;
    /** Former URN → present one, for references in states that are not dealt with yet. */
    readonly renamed = new Map<string, string>();
    #base: ResourceState[];
    #writing: Promise<void> | undefined;
    #queued: Promise<void> | undefined;
    #dirty = false;

    constructor(
        private readonly before: Deployment,
        private readonly store: StateStore | undefined,
    ) {
        this.#base = before.resources ?? [];
        // Only the user can say what became of a create that was interrupted; every other kind of
        // operation is settled by doing it again.
        this.#keptOperations = (before.pending_operations ?? []).filter(
            (operation) => operation.type === "creating",
        );
    }

    async begin(type: OperationType, state: ResourceState): Promise<void> {
        this.#inFlight.set(state, type);
        await this.flush();
    }

    /** Ends an operation: on success `old` is dealt with and `next`, if any, is in the state. */
    async end(
        operation: ResourceState,
        outcome: { old?: ResourceState; next?: ResourceState },
    ): Promise<void> {
        this.#inFlight.delete(operation);
        if (outcome.old !== undefined) this.#dealtWith.add(outcome.old);
        if (outcome.next !== undefined) this.#produced.push(outcome.next);
        await this.flush();
    }

    /** Carries a state over without a write: the next write, or the last one, has it. */
    carry(old: ResourceState, next: ResourceState): void {
        this.#dealtWith.add(old);
        this.#produced.push(next);
        this.#dirty = true;
    }

    /** A component's or the stack's outputs changed in place. */
    touch(): void {
        this.#dirty = true;
    }

    /** Replaces what was there before, after a refresh. */
    rebase(resources: ResourceState[]): void {
        this.#base = resources;
        this.#dirty = true;
    }

    get resources(): ResourceState[] {
        return [...this.#produced, ...this.#base].filter((state) => !this.#dealtWith.has(state));
    }

    /** Writes the last state, if anything changed since the last write. */
    async close(): Promise<void> {
        await this.#queued;
        await this.#writing;
        if (this.#dirty || this.#keptOperations.length > 0) await this.flush();
    }

    /** Writes are one at a time; those that come during a write share the next one. */
    async flush(): Promise<void> {
        if (this.store === undefined) return;
        if (this.#writing === undefined) {
            this.#writing = this.#write(this.store).finally(() => (this.#writing = undefined));
            return this.#writing;
        }
        this.#queued ??= this.#writing
            .catch(() => undefined)
            .then(() => {
                this.#queued = undefined;
                return this.flush();
            });
        return this.#queued;
    }

    async #write(store: StateStore): Promise<void> {
        this.#dirty = false;
        const crypter = await store.crypter();
        await store.write(encodeDeployment(this.snapshot(), crypter));
    }

    snapshot(): Deployment {
        const inFlight = [...this.#inFlight].map(([resource, type]) => ({ resource, type }));
        return {
            ...this.before,
            manifest: newManifest(VERSION),
            resources: inDependencyOrder(this.resources.map((state) => this.#rename(state))),
            pending_operations: [...inFlight, ...this.#keptOperations],
        };
    }

    #rename(state: ResourceState): ResourceState {
        if (this.renamed.size === 0) return state;
        const now = (urn: string): string => this.renamed.get(urn) ?? urn;
        const renamed = { ...state };
        if (state.parent !== undefined) renamed.parent = now(state.parent);
        if (state.deletedWith !== undefined) renamed.deletedWith = now(state.deletedWith);
        if (state.dependencies !== undefined) renamed.dependencies = state.dependencies.map(now);
        if (state.propertyDependencies !== undefined) {
            renamed.propertyDependencies = Object.fromEntries(
                Object.entries(state.propertyDependencies).map(([key, urns]) => [
                    key,
                    urns.map(now),
                ]),
            );
        }
        if (state.provider !== undefined) {
            const at = state.provider.lastIndexOf("::");
            renamed.provider = now(state.provider.slice(0, at)) + state.provider.slice(at);
        }
        return renamed;
    }
}
