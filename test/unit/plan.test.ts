import assert from "node:assert/strict";
import { parseState, plan, type Desired, type State } from "../../components/plan";

const base: Desired = {
    name: "flask-api",
    namespace: "endpoint-stats",
    serviceName: "flask-api-bg",
    servicePort: 9999,
    port: 9999,
    strategy: "blueGreen",
    routing: "service",
    isolation: "shared",
    releases: ["1.0.0", "2.0.0"],
    sides: { blue: "1.0.0", green: "2.0.0" },
    activeColor: "blue",
    canaryWeight: 0,
    replicas: 3,
    idle: "warm",
};

const desired = (changes: Partial<Desired> = {}): Desired => ({ ...base, ...changes });

/** The state after an `up` of what was desired. */
const after = (changes: Partial<Desired> = {}, previous?: State): State =>
    plan(previous, desired(changes)).state;

describe("plan of a blue/green pair", () => {
    it("gives all traffic to the active color", () => {
        const { sides, route } = plan(undefined, desired());
        assert.deepEqual(
            sides.map(({ side, deployment, release, weight }) => ({
                side,
                deployment,
                release,
                weight,
            })),
            [
                {
                    side: "blue",
                    deployment: "flask-api-blue",
                    release: "1.0.0",
                    weight: 100,
                },
                {
                    side: "green",
                    deployment: "flask-api-green",
                    release: "2.0.0",
                    weight: 0,
                },
            ],
        );
        assert.deepEqual(route, { weights: { blue: 100 }, live: ["blue"], before: {} });
    });

    it("has no workload for a color without a release", () => {
        const { sides, order } = plan(undefined, desired({ sides: { blue: "1.0.0" } }));
        assert.deepEqual(
            sides.map(({ side }) => side),
            ["blue"],
        );
        assert.deepEqual(order, { beforeRoute: ["blue"], afterRoute: [] });
    });

    describe("sizes", () => {
        const cases: [string, Partial<Desired>, { blue: object; green: object }][] = [
            [
                "warm: as many pods as the live color",
                { idle: "warm" },
                { blue: { replicas: 3 }, green: { replicas: 3 } },
            ],
            ["cold: none", { idle: "cold" }, { blue: { replicas: 3 }, green: { replicas: 0 } }],
            ["a number", { idle: 1 }, { blue: { replicas: 3 }, green: { replicas: 1 } }],
            ["zero as a number", { idle: 0 }, { blue: { replicas: 3 }, green: { replicas: 0 } }],
            [
                "a capacity floor above the size raises the live and the warm color",
                { capacityFloor: 5 },
                { blue: { replicas: 5 }, green: { replicas: 5 } },
            ],
            [
                "a capacity floor below the size changes nothing",
                { capacityFloor: 2 },
                { blue: { replicas: 3 }, green: { replicas: 3 } },
            ],
            [
                "a capacity floor leaves a cold color cold",
                { capacityFloor: 5, idle: "cold" },
                { blue: { replicas: 5 }, green: { replicas: 0 } },
            ],
            [
                "autoscaling: bounds for the live color, equal ones for the idle one",
                { autoscaling: { minReplicas: 2, maxReplicas: 10 } },
                {
                    blue: { replicas: 2, bounds: { minReplicas: 2, maxReplicas: 10 } },
                    green: { replicas: 2, bounds: { minReplicas: 2, maxReplicas: 2 } },
                },
            ],
            [
                "autoscaling with an idle number",
                { autoscaling: { minReplicas: 2, maxReplicas: 10 }, idle: 1 },
                {
                    blue: { replicas: 2, bounds: { minReplicas: 2, maxReplicas: 10 } },
                    green: { replicas: 1, bounds: { minReplicas: 1, maxReplicas: 1 } },
                },
            ],
            [
                "autoscaling with a capacity floor",
                { autoscaling: { minReplicas: 2, maxReplicas: 10 }, capacityFloor: 8 },
                {
                    blue: { replicas: 8, bounds: { minReplicas: 8, maxReplicas: 10 } },
                    green: { replicas: 8, bounds: { minReplicas: 8, maxReplicas: 8 } },
                },
            ],
        ];
        for (const [name, changes, expected] of cases) {
            it(name, () => {
                const { sides } = plan(undefined, desired(changes));
                const sizes = Object.fromEntries(sides.map(({ side, size }) => [side, size]));
                assert.deepEqual(sizes, expected);
            });
        }
    });

    describe("order", () => {
        it("puts the active color before the route and the idle one after it, at first", () => {
            assert.deepEqual(plan(undefined, desired()).order, {
                beforeRoute: ["blue"],
                afterRoute: ["green"],
            });
        });

        it("is the other way round for a switch, and again for the way back", () => {
            const there = plan(after(), desired({ activeColor: "green" }));
            assert.deepEqual(there.order, { beforeRoute: ["green"], afterRoute: ["blue"] });
            const back = plan(there.state, desired());
            assert.deepEqual(back.order, { beforeRoute: ["blue"], afterRoute: ["green"] });
        });

        it("is right even when the last outputs are older than the cluster", () => {
            // The route had moved to green when the last `up` failed; its outputs still say blue.
            const stale = after();
            assert.deepEqual(plan(stale, desired({ activeColor: "green" })).order.beforeRoute, [
                "green",
            ]);
            assert.deepEqual(plan(stale, desired()).order.beforeRoute, ["blue"]);
        });
    });

    describe("replicas under an autoscaler", () => {
        const autoscaling = { minReplicas: 2, maxReplicas: 10 };
        const blueOf = (previous: State | undefined, changes: Partial<Desired>) => {
            const blue = plan(previous, desired(changes)).sides.find(({ side }) => side === "blue");
            return { seed: blue?.seed, ignoreReplicas: blue?.ignoreReplicas };
        };

        it("are a seed at creation", () => {
            assert.deepEqual(blueOf(undefined, { autoscaling }), {
                seed: 2,
                ignoreReplicas: false,
            });
        });

        it("are left alone ever after", () => {
            const scaled = after({ autoscaling });
            assert.equal(blueOf(scaled, { autoscaling }).ignoreReplicas, true);
            assert.equal(
                blueOf(scaled, { autoscaling, activeColor: "green" }).ignoreReplicas,
                true,
            );
        });

        it("start from the running size when the autoscaler takes over, inside its bounds", () => {
            assert.equal(blueOf(after({ replicas: 6 }), { autoscaling }).seed, 6);
            assert.equal(blueOf(after({ replicas: 16 }), { autoscaling }).seed, 10);
            assert.equal(blueOf(after({ replicas: 1 }), { autoscaling }).seed, 2);
        });

        it("are set once more where the Deployment was at zero, or it would stay there", () => {
            const cold = after({ idle: "cold" });
            const green = plan(cold, desired({ autoscaling })).sides.find(
                ({ side }) => side === "green",
            );
            assert.deepEqual([green?.seed, green?.ignoreReplicas], [2, false]);
        });

        it("are the user's again when autoscaling is taken away", () => {
            assert.deepEqual(blueOf(after({ autoscaling }), {}), {
                seed: 3,
                ignoreReplicas: false,
            });
        });
    });

    describe("notes", () => {
        const cases: [string, State | undefined, Partial<Desired>, string[]][] = [
            [
                "a first up",
                undefined,
                { sides: { blue: "1.0.0" } },
                ["blue 0 → 3, then the route to blue"],
            ],
            ["nothing to do", after(), {}, []],
            ["a warm switch", after(), { activeColor: "green" }, ["the route blue → green"]],
            [
                "a cold switch",
                after({ idle: "cold" }),
                { idle: "cold", activeColor: "green" },
                ["green 0 → 3, then the route blue → green, then blue 3 → 0"],
            ],
            [
                "a release that changes in place",
                after(),
                { sides: { blue: "1.0.0", green: "1.0.0" } },
                ["green 2.0.0 → 1.0.0"],
            ],
            ["a color that goes", after(), { sides: { blue: "1.0.0" } }, ["green is removed"]],
            [
                "autoscaling",
                after(),
                { autoscaling: { minReplicas: 2, maxReplicas: 10 } },
                ["blue 3 → 2–10, then green 3 → 2"],
            ],
        ];
        for (const [name, previous, changes, expected] of cases) {
            it(name, () => assert.deepEqual(plan(previous, desired(changes)).notes, expected));
        }
    });
});

describe("state in the stack's outputs", () => {
    it("survives the way through JSON", () => {
        const state = after({ autoscaling: { minReplicas: 2, maxReplicas: 10 } });
        assert.deepEqual(parseState(JSON.parse(JSON.stringify(state))), state);
    });

    const broken: [string, unknown][] = [
        ["nothing", undefined],
        ["a text", "blue"],
        ["a list", [after()]],
        ["another version", { ...after(), version: 2 }],
        ["an unknown strategy", { ...after(), strategy: "yolo" }],
        ["no name", { ...after(), name: undefined }],
        ["weights that are none", { ...after(), weights: 100 }],
        ["no sides", { ...after(), sides: null }],
    ];
    for (const [name, value] of broken) {
        it(`is not believed: ${name}`, () => assert.equal(parseState(value), undefined));
    }

    it("leaves out a side that makes no sense", () => {
        const state = { ...after(), sides: { blue: { release: "1.0.0" }, green: 3 } };
        assert.deepEqual(parseState(state)?.sides, {});
    });
});
