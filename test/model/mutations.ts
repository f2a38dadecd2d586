import type { Plan, SidePlan } from "../../components/plan";
import { ownedByAutoscaler } from "../../components/plan/sizes";
import { RULES, type Rules } from "./rules";
import { Claim } from "./world";

/** A rule taken away: what must be found without it. */
export interface Mutation {
    /** The rule, and what goes wrong without it. */
    name: string;
    rules: Partial<Rules>;
    /** Any of these claims may be the first to fall. */
    claims: readonly Claim[];
}

const withSides = (change: (side: SidePlan, plan: Plan) => Partial<SidePlan>): Partial<Rules> => ({
    plan: (previous, desired) => {
        const plan = RULES.plan(previous, desired);
        return { ...plan, sides: plan.sides.map((side) => ({ ...side, ...change(side, plan) })) };
    },
});

const everywhere = ({ beforeRoute, afterRoute }: Plan["order"]) => [...beforeRoute, ...afterRoute];

/** What the real engine does to a naive program: each was tried with it. */
export const OUTAGES: readonly Mutation[] = [
    {
        name: "replicas of the live side ignored, idle at 0, and nobody waits: it gets the traffic with no pods",
        rules: { ...withSides(() => ({ ignoreReplicas: true })), gate: false },
        claims: [Claim.served],
    },
    {
        name: "replicas of the live side ignored: an update waits for pods that never come",
        rules: withSides(() => ({ ignoreReplicas: true })),
        claims: [Claim.heals],
    },
    {
        name: "no patchForce: what an autoscaler scaled cannot be changed any more",
        rules: { patchForce: false },
        claims: [Claim.heals],
    },
    {
        name: "a public Service whose URN has the strategy in it: AlreadyExists",
        rules: { routeUrn: ({ strategy }) => `Service::${strategy}` },
        claims: [Claim.heals],
    },
    {
        name: "the same with upsertExistingObjects: the live Service is deleted",
        rules: { routeUrn: ({ strategy }) => `Service::${strategy}`, upsert: true },
        claims: [Claim.service],
    },
    {
        name: "an idle side that Pulumi waits for: while it is broken, every update fails",
        rules: { awaits: { ...RULES.awaits, idle: true } },
        claims: [Claim.heals],
    },
    {
        name: "a killed update without a refresh: AlreadyExists",
        rules: { refreshAfterKill: false },
        claims: [Claim.heals],
    },
    {
        name: "retainOnDelete: what comes back AlreadyExists",
        rules: { retainOnDelete: true },
        claims: [Claim.heals],
    },
    {
        name: "constant outputs, which a failed update changes: the next one compares with what never was",
        rules: { outputs: "constants" },
        claims: [Claim.order, Claim.heals, Claim.identity, Claim.served, Claim.truth],
    },
    {
        name: "no gate: the route moves to pods that are not ready",
        rules: { gate: false },
        claims: [Claim.served],
    },
];

/** The rules of the core, one by one. */
export const MUTATIONS: readonly Mutation[] = [
    {
        name: "no edges: the idle side shrinks before the route has moved",
        rules: { edges: false },
        claims: [Claim.order, Claim.served, Claim.heals],
    },
    {
        name: "everything before the route: what loses its traffic shrinks first",
        rules: { order: (order) => ({ beforeRoute: everywhere(order), afterRoute: [] }) },
        claims: [Claim.order, Claim.served],
    },
    {
        name: "everything after the route: the target grows too late",
        rules: { order: (order) => ({ beforeRoute: [], afterRoute: everywhere(order) }) },
        claims: [Claim.heals],
    },
    {
        name: "the order turned around: shrink, route, grow",
        rules: {
            order: ({ beforeRoute, afterRoute }) => ({
                beforeRoute: afterRoute,
                afterRoute: beforeRoute,
            }),
        },
        claims: [Claim.heals, Claim.order, Claim.served],
    },
    {
        name: "the order by weights alone: a gate waits for what grows only after it",
        rules: {
            plan: (previous, desired) => {
                const plan = RULES.plan(previous, desired);
                const grows = ({ side, share }: SidePlan) =>
                    share > 0 && share >= (previous?.weights[side] ?? 0);
                const sides = (those: boolean) =>
                    plan.sides.filter((side) => grows(side) === those).map(({ side }) => side);
                return { ...plan, order: { beforeRoute: sides(true), afterRoute: sides(false) } };
            },
            needs: (_plan, { size }) => ({ pods: size.replicas, anyTemplate: false }),
        },
        claims: [Claim.heals],
    },
    {
        name: "the gate asks what shrinks for pods of its newest template: a broken one is never mended",
        rules: { needs: (_plan, { size }) => ({ pods: size.replicas, anyTemplate: false }) },
        claims: [Claim.heals],
    },
    {
        name: "the gate is content with one pod: the target is too small for its traffic",
        rules: { needs: (plan, side) => ({ ...RULES.needs(plan, side), pods: 1 }) },
        claims: [Claim.order],
    },
    {
        name: "the gate counts pods of older templates: a broken release passes",
        rules: { needs: (_plan, { size }) => ({ pods: size.replicas, anyTemplate: true }) },
        claims: [Claim.truth],
    },
    {
        name: "the route does not say what runs behind it: a broken release of the live side passes",
        rules: { serves: () => "" },
        claims: [Claim.truth, Claim.order],
    },
    {
        name: "the route says it only of what comes before it: a second update changes something",
        rules: {
            serves: (plan, sides) =>
                RULES.serves(
                    plan,
                    sides.filter((side) => plan.order.beforeRoute.includes(side)),
                ),
        },
        claims: [Claim.still],
    },
    {
        name: "a router that nobody waits for: its old pods send traffic to what has gone",
        rules: { awaits: { ...RULES.awaits, router: false } },
        claims: [Claim.served, Claim.truth],
    },
    {
        name: "replicas of what comes to traffic ignored: a side that a failed update left at 0 stays there",
        rules: {
            plan: (previous, desired) => {
                const plan = RULES.plan(previous, desired);
                const sides = plan.sides.map((side) => ({
                    ...side,
                    ignoreReplicas: ownedByAutoscaler(side.size, previous?.sides[side.side]),
                }));
                return { ...plan, sides };
            },
        },
        claims: [Claim.heals],
    },
    {
        name: "an autoscaler on a cold side: it is switched off, and the side stays at 0",
        rules: withSides(({ share, size }) =>
            size.bounds === undefined ? {} : share === 0 ? { seed: 0 } : { ignoreReplicas: true },
        ),
        claims: [Claim.heals],
    },
    {
        name: "a live side without pods",
        rules: withSides(({ share, size }) =>
            share > 0 && share < 50 ? { size: { ...size, replicas: 0 }, seed: 0 } : {},
        ),
        claims: [Claim.served, Claim.heals, Claim.order],
    },
    {
        name: "weights that do not sum to 100",
        rules: {
            plan: (previous, desired) => {
                const plan = RULES.plan(previous, desired);
                const weights = { ...plan.route.weights };
                const [most] = plan.route.live;
                if (most !== undefined && plan.route.live.length > 1) weights[most] = 100;
                return { ...plan, route: { ...plan.route, weights } };
            },
        },
        claims: [Claim.sum],
    },
    {
        name: "the release in a selector: the live side is replaced, and deleted first",
        rules: { selector: (selector, release) => ({ ...selector, version: release }) },
        claims: [Claim.identity, Claim.served],
    },
    {
        name: "any name and namespace on a running stack",
        rules: { transitions: () => [] },
        claims: [Claim.identity, Claim.service, Claim.served],
    },
    {
        name: "the same logical names in the colors' own namespaces: the live side is replaced",
        rules: { isolatedNames: false },
        claims: [Claim.identity],
    },
];
