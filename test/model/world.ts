import type { Desired, State } from "../../components/plan";
import { Cluster, type Pick, type Shares } from "./cluster";
import { Engine, type Fault } from "./engine";
import { BROKEN, intentOf, programOf, routeKey, serviceKey, sideKey, type Intent } from "./program";
import type { Rules } from "./rules";

/** What is claimed; a counterexample names the one that does not hold. */
export const Claim = {
    served: "live traffic always has ready pods",
    sum: "weights sum to 100",
    order: "the route moves before anything shrinks",
    identity: "nothing is replaced, and no selector changes",
    service: "the public Service stays",
    refusal: "a refused step leaves the route where it was",
    heals: "an update to good releases succeeds, whatever came before",
    truth: "an update that succeeds has every live side on its release",
    still: "a second update of the same changes nothing",
} as const;
export type Claim = (typeof Claim)[keyof typeof Claim];

export class Violation extends Error {
    constructor(
        readonly claim: Claim,
        detail: string,
    ) {
        super(`${claim}: ${detail}`);
    }
}

export interface UpCircumstances {
    fault?: Fault;
    pick: Pick;
}

/** A cluster, its stack, and all that must hold of them at every moment. */
export class World {
    readonly cluster = new Cluster();
    readonly engine = new Engine(this.cluster);
    /** What was last carried out to the end, or nearly: the config that a user goes on from. */
    accepted: Desired | undefined;
    readonly log: string[] = [];
    /** Where the traffic goes, once there is any, and what it needs there. */
    private serving: Intent | undefined;
    private coming: Intent | undefined;
    /** The route has moved, and the `up` that moved it was cut short before it wrote its outputs. */
    private outdated = false;
    /** An autoscaler is to go, which it does last: until then it has its way with the size. */
    private unsized = false;
    /** Live sides that were changed after the route, so that nobody waited for them. */
    private readonly unproven = new Set<string>();

    constructor(private readonly rules: Rules) {}

    /** One `pulumi up`; false when it failed or was refused. */
    up(desired: Desired, { fault, pick }: UpCircumstances): boolean {
        const { rules, engine, cluster } = this;
        const previous = engine.outputs;
        const refused = rules.transitions(previous, desired);
        if (refused.length > 0) {
            this.log.push(`refused: ${refused.map(({ path }) => path).join(", ")}`);
            return false;
        }
        this.accepted = desired;
        const plan = rules.plan(previous, desired);
        const coming = intentOf(plan, desired);
        this.coming = coming;
        this.unsized ||= desired.autoscaling === undefined && this.hasAutoscaler();
        sumsTo100(coming.shares);
        const before = this.route(desired);
        const gated = plan.order.beforeRoute.map((side) => sideKey(desired, side));
        const moved = (changed: boolean) => {
            const needs = Object.entries(coming.needs).map(([key, need]) => {
                if (changed && gated.includes(key)) {
                    this.unproven.delete(key);
                    return [key, need];
                }
                return [key, Math.min(this.serving?.needs[key] ?? 1, need)];
            });
            this.serving = { ...coming, needs: Object.fromEntries(needs) };
            this.coming = undefined;
            this.unsized &&= !changed || this.hasAutoscaler();
        };
        const failed = engine.up(programOf(plan, desired, { cluster, rules, moved }), {
            fault,
            pick,
            upsert: rules.upsert,
            replaces: ({ urn, spec }, key) => {
                const live = spec.kind === "Service" || (this.serving?.needs[key] ?? 0) > 0;
                if (live && this.serving !== undefined) throw new Violation(Claim.identity, urn);
            },
            step: (what, key) => {
                this.log.push(what);
                if (coming.needs[key] !== undefined) this.unproven.add(key);
                this.check(desired);
            },
        });
        this.log.push(failed ?? "done");
        this.remember(previous, plan.state, failed, pick);
        if (failed === undefined) this.mustBeTrue(desired);
        else this.mustHaveReason(desired, failed, fault, before);
        this.giveUp();
        return failed === undefined;
    }

    /** What goes on while nobody runs an `up`. */
    timePasses(pick: Pick): void {
        if (pick(2) === 0) this.cluster.settle();
        if (pick(2) === 0) {
            this.cluster.scale((_now, { min, max }) => min + pick(max - min + 1));
            if (pick(2) === 0) this.cluster.settle();
        }
        if (this.accepted !== undefined) this.check(this.accepted);
    }

    /** What a user does before the next `up` after a killed one. */
    recover(): void {
        if (!this.engine.locked) return;
        this.log.push("cancel and refresh");
        this.engine.recover({ refresh: this.rules.refreshAfterKill });
    }

    private remember(
        previous: State | undefined,
        next: State,
        failed: string | undefined,
        pick: Pick,
    ): void {
        const routed = this.coming === undefined;
        if (routed) this.outdated = failed !== undefined;
        if (this.engine.locked) return;
        // An `up` that failed behind the route may have written its outputs, or not.
        const written = failed === undefined || (routed && pick(2) === 0);
        const constant = this.rules.outputs === "constants";
        this.engine.outputs = written || constant ? next : previous;
        if (written) this.outdated = false;
    }

    /** An `up` that did not move the route may have shrunk what it kept live, as it was told to. */
    private giveUp(): void {
        const { serving, coming } = this;
        if (serving !== undefined && coming !== undefined) {
            const needs = Object.keys(serving.needs).map((key) => [key, this.floor(key)]);
            this.serving = { ...serving, needs: Object.fromEntries(needs) };
        }
        this.coming = undefined;
    }

    /** Ready pods that a side must have now. What gains traffic or keeps its share may be resized at once. */
    private floor(key: string): number {
        const need = this.serving?.needs[key] ?? 0;
        const share = this.serving?.shares[key] ?? 0;
        const next = this.coming?.shares[key] ?? 0;
        // Nothing but the outputs says what an `up` finds: without them no side loses its last pod.
        if (this.outdated || this.unsized) return 1;
        if (this.coming === undefined || next < share) return need;
        return Math.min(need, this.coming.needs[key] ?? 0);
    }

    private check(desired: Desired): void {
        if (this.serving === undefined) return;
        if (!this.cluster.specs.has(serviceKey(desired))) {
            throw new Violation(Claim.service, serviceKey(desired));
        }
        for (const shares of this.destinations(desired)) {
            sumsTo100(shares);
            for (const [key, share] of Object.entries(shares)) {
                if (share > 0 && this.cluster.ready(key) === 0) {
                    throw new Violation(Claim.served, `${key} gets ${share} % and has no pod`);
                }
            }
        }
        for (const key of Object.keys(this.serving.needs)) {
            const [ready, floor] = [this.cluster.ready(key), this.floor(key)];
            if (ready < floor) {
                throw new Violation(Claim.order, `${key} has ${ready} pods, needs ${floor}`);
            }
        }
    }

    /** Everywhere that requests are sent now: by the Service, by every pod of a router, by an HTTPRoute. */
    private destinations(desired: Desired): Shares[] {
        const { cluster } = this;
        const route = cluster.specs.get(routeKey(desired));
        // One that an `up` left behind which failed to bring the Gateway in is nobody's door yet.
        const open = desired.routing === "gateway" || this.serving?.routing === "gateway";
        const split = route?.kind === "HTTPRoute" && open ? [route.shares] : [];
        const key = serviceKey(desired);
        if (!cluster.specs.has(key)) return split;
        const behind = cluster.behind(key);
        // A Service cannot reach into the colors' own namespaces: all clients come by the HTTPRoute.
        if (split.length > 0 && desired.isolation === "namespaces") return split;
        const ready = behind.reduce((sum, workload) => sum + cluster.ready(workload), 0);
        if (ready === 0) {
            if (this.serving === undefined) return split;
            throw new Violation(Claim.served, "no pod behind the public Service");
        }
        const routers = behind.flatMap((workload) => [
            ...(cluster.pods.get(workload)?.ready.values() ?? []),
        ]);
        const routed = routers.flatMap(({ shares }) => (shares === undefined ? [] : [shares]));
        if (routed.length > 0) return routed;
        // Of several sides behind one selector those with pods share the traffic by their numbers.
        const share = (workload: string) => (100 * cluster.ready(workload)) / ready;
        return [
            ...split,
            Object.fromEntries(behind.map((workload) => [workload, share(workload)])),
        ];
    }

    private mustBeTrue(desired: Desired): void {
        for (const [key, need] of Object.entries(this.serving?.needs ?? {})) {
            if (this.unproven.has(key)) continue;
            if (need > 0 && this.cluster.current(key) === 0) {
                throw new Violation(Claim.truth, `${key} has no pod of its release`);
            }
        }
        const wanted = this.serving?.shares ?? {};
        const reached = this.destinations(desired).flatMap((shares) =>
            Object.keys(shares).filter((key) => (shares[key] ?? 0) > 0),
        );
        for (const key of new Set([...reached, ...Object.keys(wanted)])) {
            if (reached.includes(key) && key in wanted) continue;
            throw new Violation(Claim.truth, `${key} is to get ${wanted[key] ?? 0} %`);
        }
    }

    /** What decides where the traffic goes, as the cluster has it. */
    private route(desired: Desired): string {
        const key = desired.routing === "gateway" ? routeKey(desired) : serviceKey(desired);
        const route = this.cluster.specs.get(key);
        return route === undefined ? "" : JSON.stringify(route);
    }

    private hasAutoscaler(): boolean {
        return [...this.cluster.specs.values()].some(({ kind }) => kind === "Autoscaler");
    }

    private mustHaveReason(
        desired: Desired,
        failed: string,
        fault: Fault | undefined,
        before: string,
    ): void {
        const broken = liveReleases(desired).includes(BROKEN);
        if (fault === undefined && !broken && !this.unsized)
            throw new Violation(Claim.heals, failed);
        if (!failed.startsWith("the gate")) return;
        if (before !== "" && this.route(desired) !== before) {
            throw new Violation(Claim.refusal, failed);
        }
    }
}

function liveReleases({
    strategy,
    sides,
    activeColor,
    canaryWeight,
}: Desired): (string | undefined)[] {
    switch (strategy) {
        case "rolling":
            return [sides.current];
        case "blueGreen": {
            const other = activeColor === "blue" ? "green" : "blue";
            return [sides[activeColor], ...(canaryWeight > 0 ? [sides[other]] : [])];
        }
        case "canary":
            return [
                ...(canaryWeight < 100 ? [sides.stable] : []),
                ...(canaryWeight > 0 ? [sides.canary] : []),
            ];
    }
}

function sumsTo100(shares: Shares): void {
    const sum = Object.values(shares).reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 100) > 1e-6) throw new Violation(Claim.sum, JSON.stringify(shares));
}
