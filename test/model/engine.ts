import type { Cluster, Pick, Spec } from "./cluster";
import type { State } from "../../components/plan";

/** A resource as the program registers it. */
export interface Declared {
    urn: string;
    /** The object in the cluster: `<namespace>/<kind>/<name>`. */
    key: string;
    spec: Spec;
    dependsOn: readonly string[];
    /** `ignoreChanges` on `spec.replicas`. */
    ignoreReplicas?: boolean;
    /** `pulumi.com/patchForce`. */
    patchForce?: boolean;
    /** Whether Pulumi itself waits for its pods. */
    awaited?: boolean;
    retainOnDelete?: boolean;
    /** A hook before it is created or changed: what is wrong, if something is. */
    before?: () => string | undefined;
    /** Called when its step is over, whether or not there was anything to do. */
    over?: (what: "changed" | "same") => void;
}

/** What is in the state of one resource. */
interface Known {
    key: string;
    spec: Spec;
    dependsOn: readonly string[];
    retainOnDelete: boolean;
    awaited: boolean;
    /** The last create or update was done, but its pods did not get ready in time. */
    unready: boolean;
}

/** Where an `up` is cut short: at its n-th operation. */
export interface Fault {
    kind: "fails" | "killed";
    at: number;
    /** Of a kill: whether the cluster did what was asked for all the same. */
    applied: boolean;
}

export interface UpOptions {
    fault?: Fault;
    /** Called after every change of the cluster, with the resource that it was for. */
    step: (what: string, key: string) => void;
    /** Called before an object gives way to another one that is made for the same resource. */
    replaces: (resource: Declared, key: string) => void;
    pick: Pick;
    /** `upsertExistingObjects` of the provider. */
    upsert: boolean;
}

/** Pulumi: its state, and an `up` of whatever the program declares. */
export class Engine {
    readonly known = new Map<string, Known>();
    /** The stack's outputs, as far as the next program reads them. */
    outputs: State | undefined;
    locked = false;
    /** Creates, updates and deletes of the last `up`. */
    operations = 0;
    private pending: Declared | undefined;

    constructor(private readonly cluster: Cluster) {}

    /** Carries the declared resources out in an order that their dependencies allow; what failed, if something did. */
    up(declared: readonly Declared[], options: UpOptions): string | undefined {
        if (this.locked) return "the stack is locked: run `pulumi cancel`";
        if (this.pending !== undefined) {
            return `${this.pending.urn}, interrupted while creating: run \`pulumi refresh\``;
        }
        const run = new Run(this, this.cluster, declared, options);
        const failed = run.all();
        this.operations = run.operations;
        if (run.killed) this.locked = true;
        if (run.killed && run.creating !== undefined) this.pending = run.creating;
        return failed;
    }

    /** What the documents say to do after a kill: `cancel`, then a refresh with what was in flight. */
    recover({ refresh }: { refresh: boolean }): void {
        this.locked = false;
        const { pending } = this;
        this.pending = undefined;
        if (!refresh) return;
        if (pending !== undefined && this.cluster.specs.has(pending.key)) {
            const { urn, key, spec, dependsOn, awaited = false } = pending;
            const rest = { awaited, retainOnDelete: false, unready: false };
            this.known.set(urn, { key, spec, dependsOn, ...rest });
        }
        for (const [urn, known] of this.known) {
            const live = this.cluster.specs.get(known.key);
            if (live === undefined) this.known.delete(urn);
            else {
                known.spec = { ...live };
                // What is read is waited for as well.
                known.unready = known.awaited && !this.cluster.isRolledOut(known.key);
            }
        }
    }
}

/** One `up`. */
class Run {
    killed = false;
    creating: Declared | undefined;
    operations = 0;
    private readonly replaced: Known[] = [];

    constructor(
        private readonly engine: Engine,
        private readonly cluster: Cluster,
        private readonly declared: readonly Declared[],
        private readonly options: UpOptions,
    ) {}

    all(): string | undefined {
        const waiting = new Map(this.declared.map((resource) => [resource.urn, resource]));
        while (waiting.size > 0) {
            const startable = [...waiting.values()].filter(({ dependsOn }) =>
                dependsOn.every((urn) => !waiting.has(urn)),
            );
            const next = startable[this.options.pick(startable.length)];
            if (next === undefined) throw new Error("resources depend on each other in a circle");
            const failed = this.step(next);
            if (failed !== undefined) return failed;
            waiting.delete(next.urn);
        }
        return this.deleteTheRest();
    }

    private step(resource: Declared): string | undefined {
        const { urn, key } = resource;
        const known = this.engine.known.get(urn);
        if (known === undefined) return this.create(resource);
        if (mustReplace(known, resource)) {
            this.options.replaces(resource, known.key);
            // In the same place a second object of the same name cannot be made before the first one goes.
            if (known.key === key) {
                this.cluster.delete(key);
                this.options.step(`${urn} deleted, to be created anew`, key);
                this.engine.known.delete(urn);
            } else this.replaced.push(known);
            return this.create(resource);
        }
        const spec = wantedSpec(known, resource);
        if (!known.unready && sameSpec(known.spec, spec)) {
            known.dependsOn = resource.dependsOn;
            resource.over?.("same");
            return undefined;
        }
        return this.update(resource, spec);
    }

    private create(resource: Declared): string | undefined {
        const { urn, key, spec } = resource;
        const refused = resource.before?.();
        if (refused !== undefined) return refused;
        const exists = this.cluster.specs.has(key);
        if (exists && !this.options.upsert) return `${urn}: AlreadyExists ${key}`;
        this.creating = resource;
        const cut = this.cut();
        if (done(cut)) {
            if (exists) this.cluster.update(key, spec, false);
            else this.cluster.create(key, spec);
            resource.over?.("changed");
            this.options.step(`${urn} created`, key);
        }
        if (cut !== undefined) return `${urn}: ${cut.kind}`;
        this.creating = undefined;
        return this.finish(resource, spec);
    }

    private update(resource: Declared, spec: Spec): string | undefined {
        const { urn, key } = resource;
        const refused = resource.before?.();
        if (refused !== undefined) return refused;
        const ignored = resource.ignoreReplicas ?? false;
        const live = this.cluster.specs.get(key);
        if (live === undefined) return `${urn}: not found`;
        const taken =
            spec.kind === "Deployment" &&
            live.kind === "Deployment" &&
            !ignored &&
            live.replicas !== spec.replicas &&
            this.cluster.pods.get(key)?.owner === "autoscaler";
        if (taken && resource.patchForce !== true) return `${urn}: conflict over replicas`;
        const cut = this.cut();
        if (done(cut)) {
            this.cluster.update(key, spec, ignored);
            resource.over?.("changed");
            this.options.step(`${urn} updated`, key);
        }
        if (cut !== undefined) return `${urn}: ${cut.kind}`;
        return this.finish(resource, spec);
    }

    private finish(resource: Declared, spec: Spec): string | undefined {
        const { urn, key, dependsOn, retainOnDelete = false, awaited = false } = resource;
        if (awaited) {
            this.cluster.settle();
            this.options.step(`${urn} awaited`, key);
        }
        const unready = awaited && !this.cluster.isRolledOut(key);
        const rest = { retainOnDelete, awaited, unready };
        this.engine.known.set(urn, { key, spec, dependsOn, ...rest });
        return unready ? `${urn}: timed out waiting for its pods` : undefined;
    }

    /** What is declared no more, and what was replaced: at the very end, dependents first. */
    private deleteTheRest(): string | undefined {
        for (const { key } of this.replaced) {
            this.cluster.delete(key);
            this.options.step(`${key} deleted, replaced`, key);
        }
        const urns = new Set(this.declared.map(({ urn }) => urn));
        const gone = new Map([...this.engine.known].filter(([urn]) => !urns.has(urn)));
        while (gone.size > 0) {
            const needed = new Set([...gone.values()].flatMap(({ dependsOn }) => dependsOn));
            const free = [...gone].filter(([urn]) => !needed.has(urn));
            const [urn, known] = free[this.options.pick(free.length)] ?? [];
            if (urn === undefined || known === undefined) throw new Error("a circle of deletes");
            const cut = this.cut();
            // The object may belong to another resource by now: Pulumi deletes by name.
            if (done(cut) && !known.retainOnDelete) {
                this.cluster.delete(known.key);
                this.options.step(`${urn} deleted`, known.key);
            }
            if (cut !== undefined) return `${urn}: ${cut.kind}`;
            this.engine.known.delete(urn);
            gone.delete(urn);
        }
        return undefined;
    }

    private cut(): Fault | undefined {
        const { fault } = this.options;
        this.operations += 1;
        if (fault === undefined || this.operations !== fault.at) return undefined;
        this.killed = fault.kind === "killed";
        return fault;
    }
}

/** What fails changes nothing; a kill comes before or after the change. */
function done(cut: Fault | undefined): boolean {
    return cut === undefined || (cut.kind === "killed" && cut.applied);
}

/** A name or namespace, or a selector: what Kubernetes lets nobody change. */
function mustReplace(known: Known, { key, spec }: Declared): boolean {
    if (known.key !== key) return true;
    return (
        known.spec.kind === "Deployment" &&
        spec.kind === "Deployment" &&
        JSON.stringify(known.spec.selector) !== JSON.stringify(spec.selector)
    );
}

function wantedSpec({ spec: before }: Known, { spec, ignoreReplicas }: Declared): Spec {
    if (ignoreReplicas !== true || spec.kind !== "Deployment" || before.kind !== "Deployment") {
        return spec;
    }
    return { ...spec, replicas: before.replicas };
}

function sameSpec(a: Spec, b: Spec): boolean {
    return JSON.stringify(a) === JSON.stringify(b);
}
