import assert from "node:assert/strict";
import fc from "fast-check";
import { plan, type Color, type Desired, type State } from "../../components/plan";

const color = fc.constantFrom<Color>("blue", "green");
const size = fc.integer({ min: 1, max: 12 });

/** Every input that the rules let through. */
const desired: fc.Arbitrary<Desired> = fc
    .record({
        releases: fc.constant(["1.0.0", "2.0.0", "3.0.0"]),
        active: color,
        live: fc.constantFrom("1.0.0", "2.0.0", "3.0.0"),
        other: fc.option(fc.constantFrom("1.0.0", "2.0.0", "3.0.0"), { nil: undefined }),
        replicas: size,
        idle: fc.oneof(
            fc.constant("warm" as const),
            fc.constant("cold" as const),
            fc.integer({ min: 0, max: 12 }),
        ),
        autoscaling: fc.option(fc.tuple(size, size), { nil: undefined }),
        floor: fc.option(size, { nil: undefined }),
    })
    .map(({ active, live, other, autoscaling, idle, floor, releases, replicas }) => {
        const bounds = autoscaling && {
            minReplicas: Math.min(...autoscaling),
            maxReplicas: Math.max(...autoscaling),
        };
        return {
            name: "flask-api",
            namespace: "endpoint-stats",
            serviceName: "flask-api",
            servicePort: 9999,
            port: 9999,
            strategy: "blueGreen",
            routing: "service",
            isolation: "shared",
            releases,
            sides: active === "blue" ? { blue: live, green: other } : { green: live, blue: other },
            activeColor: active,
            canaryWeight: 0,
            replicas,
            idle: bounds && (idle === "cold" || idle === 0) ? "warm" : idle,
            autoscaling: bounds,
            capacityFloor: bounds && floor ? Math.min(floor, bounds.maxReplicas) : floor,
        } satisfies Desired;
    });

/** What a stack can have run with last: nothing, or what some sequence of changes left behind. */
const previous: fc.Arbitrary<State | undefined> = fc
    .array(desired, { maxLength: 3 })
    .map((history) =>
        history.reduce<State | undefined>((state, next) => plan(state, next).state, undefined),
    );

const holds = (claim: (state: State | undefined, next: Desired) => void) => () =>
    fc.assert(fc.property(previous, desired, claim), { numRuns: 1000 });

describe("plan, whatever came before", () => {
    it(
        "hands out all of the traffic, and only to sides with pods",
        holds((state, next) => {
            const { sides } = plan(state, next);
            const total = sides.reduce((sum, { weight }) => sum + weight, 0);
            assert.equal(total, 100);
            for (const { weight, size, seed } of sides) {
                if (weight > 0) assert.ok(size.replicas >= 1 && seed >= 1);
            }
        }),
    );

    it(
        "touches what loses traffic, or has none, only after the route",
        holds((state, next) => {
            const { sides, order } = plan(state, next);
            for (const { side, weight } of sides) {
                const loses = weight < (state?.weights[side] ?? 0);
                assert.equal(order.afterRoute.includes(side), loses || weight === 0);
            }
        }),
    );

    it(
        "puts every side on exactly one side of the route, its target before it",
        holds((state, next) => {
            const { sides, order, route } = plan(state, next);
            const ordered = [...order.beforeRoute, ...order.afterRoute].sort();
            assert.deepEqual(ordered, sides.map(({ side }) => side).sort());
            assert.ok(route.live.every((side) => order.beforeRoute.includes(side)));
        }),
    );

    it(
        "never leaves `replicas` alone where that could be zero",
        holds((state, next) => {
            for (const { side, ignoreReplicas, size } of plan(state, next).sides) {
                if (!ignoreReplicas) continue;
                assert.ok(size.bounds !== undefined && size.bounds.minReplicas >= 1);
                assert.ok((state?.sides[side]?.replicas ?? 0) >= 1);
            }
        }),
    );

    it(
        "keeps sizes within an autoscaler's bounds, and these in order",
        holds((state, next) => {
            for (const { size, seed } of plan(state, next).sides) {
                if (size.bounds === undefined) continue;
                const { minReplicas, maxReplicas } = size.bounds;
                assert.ok(1 <= minReplicas && minReplicas <= seed && seed <= maxReplicas);
            }
        }),
    );

    it(
        "never gives the live side less than the capacity floor",
        holds((state, next) => {
            const live = plan(state, next).sides.find(({ weight }) => weight > 0);
            assert.ok((live?.size.replicas ?? 0) >= (next.capacityFloor ?? 0));
        }),
    );

    it(
        "has nothing to say about a second `up` of the same",
        holds((state, next) => {
            const first = plan(state, next);
            const second = plan(first.state, next);
            assert.deepEqual(second.notes, []);
            assert.deepEqual(second.state, first.state);
        }),
    );
});
