import fc from "fast-check";
import type { Desired, Side } from "../../components/plan";
import type { Pick } from "./cluster";
import type { Fault } from "./engine";
import { BROKEN } from "./program";
import type { Rules } from "./rules";
import { Claim, Violation, World } from "./world";

/** What a user writes in the stack config, as far as the plan looks at it. */
export type Edit = Partial<Omit<Desired, "sides" | "releases">> & { promote?: true } & {
    sides?: Partial<Record<Side, string>>;
};

export interface Change {
    edits: Edit[];
    fault: Fault | undefined;
    /** Decides what Kubernetes and Pulumi leave open: the order of what can run at the same time. */
    seed: number;
}

const RELEASES = ["1.0.0", "2.0.0", BROKEN] as const;

const START: Desired = {
    name: "flask-api",
    namespace: "endpoint-stats",
    serviceName: "flask-api-bg",
    servicePort: 9999,
    port: 9999,
    strategy: "blueGreen",
    routing: "service",
    isolation: "shared",
    releases: [...RELEASES, "repaired"],
    sides: { blue: "1.0.0", stable: "1.0.0", current: "1.0.0" },
    activeColor: "blue",
    canaryWeight: 0,
    replicas: 3,
    idle: "warm",
};

const bounds = fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 5 }))
    .map(([minReplicas, more]) => ({ minReplicas, maxReplicas: minReplicas + more }));
const release = fc.constantFrom(...RELEASES, "1.0.0", "2.0.0", undefined);

const edit: fc.Arbitrary<Edit> = fc.oneof(
    {
        weight: 5,
        arbitrary: fc.record({ activeColor: fc.constantFrom("blue" as const, "green" as const) }),
    },
    {
        weight: 5,
        arbitrary: fc
            .tuple(fc.constantFrom<Side>("blue", "green", "stable", "canary", "current"), release)
            .map(([side, name]) => ({ sides: { [side]: name } })),
    },
    {
        weight: 4,
        arbitrary: fc.record({
            canaryWeight: fc.constantFrom(0, 0, 0.1, 10, 20, 50, 80, 99.9, 100),
        }),
    },
    { weight: 1, arbitrary: fc.constant({ promote: true as const }) },
    { weight: 2, arbitrary: fc.record({ replicas: fc.integer({ min: 1, max: 6 }) }) },
    {
        weight: 3,
        arbitrary: fc.record({
            idle: fc.constantFrom("warm" as const, "cold" as const, "cold" as const, 0, 1, 2, 5),
        }),
    },
    { weight: 3, arbitrary: fc.record({ autoscaling: fc.option(bounds, { nil: undefined }) }) },
    {
        weight: 1,
        arbitrary: fc.record({
            capacityFloor: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        }),
    },
    {
        weight: 2,
        arbitrary: fc.record({
            strategy: fc.constantFrom("blueGreen" as const, "canary" as const, "rolling" as const),
        }),
    },
    {
        weight: 2,
        arbitrary: fc.record({
            routing: fc.constantFrom("service" as const, "nginx" as const, "gateway" as const),
        }),
    },
    {
        weight: 1,
        arbitrary: fc.record({
            isolation: fc.constantFrom("shared" as const, "namespaces" as const),
        }),
    },
    {
        weight: 1,
        arbitrary: fc.constantFrom<Edit>(
            { namespace: "elsewhere" },
            { serviceName: "other" },
            { name: "shop" },
        ),
    },
);

const fault: fc.Arbitrary<Fault> = fc.record({
    kind: fc.constantFrom("fails" as const, "fails" as const, "killed" as const),
    at: fc.integer({ min: 1, max: 9 }),
    applied: fc.boolean(),
});

const change = (edits: number): fc.Arbitrary<Change> =>
    fc.record({
        edits: fc.array(edit, { minLength: 1, maxLength: edits }),
        fault: fc.option(fault, { nil: undefined, freq: 2 }),
        seed: fc.nat(),
    });

/** Two to six changes of config, the first of which starts a stack. */
export const sequences: fc.Arbitrary<Change[]> = fc
    .tuple(change(5), fc.array(change(3), { minLength: 1, maxLength: 5 }))
    .map(([first, rest]) => [{ ...first, fault: undefined }, ...rest]);

/** What a few changes of config ask for, one after the other. */
export const desiredConfigs: fc.Arbitrary<Desired[]> = sequences.map((changes) => {
    let config = START;
    return changes.map(({ edits }) => (config = valid(edits.reduce(apply, config))));
});

/** Runs the changes one after the other, and a good one at the end; throws at the first violation. */
export function play(changes: readonly Change[], rules: Rules): World {
    const world = new World(rules);
    let config = START;
    for (const { edits, fault, seed } of changes) {
        const pick = picker(seed);
        world.recover();
        const edited = valid(edits.reduce(apply, config));
        // Before its first outputs a stack does not know what it must not become.
        const { name, namespace, serviceName } = world.engine.outputs ?? config;
        const desired = world.engine.outputs ? edited : { ...edited, name, namespace, serviceName };
        world.log.push(`up: ${JSON.stringify(edits)} ${fault ? JSON.stringify(fault) : ""}`);
        world.up(desired, { fault, pick });
        if (world.accepted === desired) config = desired;
        world.timePasses(pick);
    }
    world.recover();
    const pick = picker(changes.length);
    const good = repaired(config);
    world.log.push("up: repaired");
    world.up(good, { pick });
    world.cluster.settle();
    world.up(good, { pick });
    if (world.engine.operations > 0) throw new Violation(Claim.still, world.log.at(-2) ?? "");
    return world;
}

function apply(config: Desired, { promote, sides, ...values }: Edit): Desired {
    const merged = { ...config, ...values, sides: { ...config.sides, ...sides } };
    if (promote === undefined || merged.sides.canary === undefined) return merged;
    return { ...merged, canaryWeight: 0, sides: { ...merged.sides, stable: merged.sides.canary } };
}

/** The nearest config that the rules let through. */
export function valid(config: Desired): Desired {
    const { strategy, activeColor } = config;
    const routing = strategy === "rolling" ? "service" : config.routing;
    const splits = routing !== "service";
    const isolation = strategy === "blueGreen" && splits ? config.isolation : "shared";
    const counted = strategy === "canary" && !splits;
    const autoscaling = counted ? undefined : config.autoscaling;
    const live: Side = { rolling: "current", blueGreen: activeColor, canary: "stable" }[
        strategy
    ] as Side;
    const other: Side =
        strategy === "canary" ? "canary" : activeColor === "blue" ? "green" : "blue";
    const sides = { ...config.sides, [live]: config.sides[live] ?? "1.0.0" };
    const most = strategy === "canary" ? 100 : 99.9;
    const weightless =
        strategy === "rolling" ||
        (strategy === "blueGreen" && !splits) ||
        sides[other] === undefined;
    const { idle, capacityFloor } = config;
    return {
        ...config,
        routing,
        isolation,
        sides,
        autoscaling,
        canaryWeight: weightless ? 0 : Math.min(config.canaryWeight, most),
        replicas: counted ? Math.max(config.replicas, 2) : config.replicas,
        idle: autoscaling !== undefined && (idle === "cold" || idle === 0) ? "warm" : idle,
        capacityFloor: counted
            ? undefined
            : capacityFloor && autoscaling
              ? Math.min(capacityFloor, autoscaling.maxReplicas)
              : capacityFloor,
    };
}

function repaired(config: Desired): Desired {
    const sides = Object.entries(config.sides).map(([side, name]) => [
        side,
        name === BROKEN ? "repaired" : name,
    ]);
    return { ...config, sides: Object.fromEntries(sides) };
}

/** Mulberry32: small, fast, and the same from the same seed. */
export function picker(seed: number): Pick {
    let state = seed | 0;
    return (below) => {
        state = (state + 0x6d2b79f5) | 0;
        let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
    };
}
