import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { BlueGreen, InvalidArgs, type BlueGreenArgs, type State } from "../../components";
import { record, type Recording } from "../support/mocks";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const SERVICE = "kubernetes:core/v1:Service";
const HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler";
const SERVES = "cutover.local/serves";
const ROUTE = `${SERVICE}::flask-api`;

const base: BlueGreenArgs = {
    releases: { "1.0.0": { image: "api:1.0.0" }, "2.0.0": { image: "api:2.0.0" } },
    blue: "1.0.0",
    green: "2.0.0",
};

function deploy(
    args: Partial<BlueGreenArgs> = {},
    options: { preview?: boolean; opts?: () => pulumi.ComponentResourceOptions } = {},
): Promise<Recording> {
    return record(
        () => {
            const api = new BlueGreen("flask-api", { ...base, ...args }, options.opts?.());
            return { url: api.url, activeColor: api.activeColor, state: api.state };
        },
        { preview: options.preview ?? false },
    );
}

const workload = (recording: Recording, color: string) =>
    recording.one(DEPLOYMENT, `flask-api-${color}`);
const dependsOnRoute = (recording: Recording, color: string) =>
    workload(recording, color).dependsOn.includes(ROUTE);
const routeDependsOn = (recording: Recording, color: string) =>
    recording.one(SERVICE, "flask-api").dependsOn.includes(`${DEPLOYMENT}::flask-api-${color}`);

const servesOf = (recording: Recording) =>
    (recording.one(SERVICE, "flask-api").input("metadata.annotations") as Record<string, string>)[
        SERVES
    ] ?? "";

describe("BlueGreen", () => {
    it("registers these resources and no others", async () => {
        const { resources } = await deploy();
        assert.deepEqual(
            resources.map(({ id, parent }) => `${id} below ${parent || "the stack"}`).sort(),
            [
                "cutover:index:BlueGreen::flask-api below the stack",
                "cutover:index:Releases::flask-api below the stack",
                "cutover:index:Route::flask-api below the stack",
                "cutover:index:Workload::flask-api-blue below cutover:index:BlueGreen::flask-api",
                "cutover:index:Workload::flask-api-green below cutover:index:BlueGreen::flask-api",
                `${DEPLOYMENT}::flask-api-blue below cutover:index:Workload::flask-api-blue`,
                `${DEPLOYMENT}::flask-api-green below cutover:index:Workload::flask-api-green`,
                `${SERVICE}::flask-api below cutover:index:Route::flask-api`,
                `${SERVICE}::flask-api-blue below cutover:index:BlueGreen::flask-api`,
                `${SERVICE}::flask-api-green below cutover:index:BlueGreen::flask-api`,
                `${SERVICE}::flask-api-preview below cutover:index:BlueGreen::flask-api`,
                "cutover:index:Disruption::flask-api-blue-pdb below cutover:index:Workload::flask-api-blue",
                "cutover:index:Disruption::flask-api-green-pdb below cutover:index:Workload::flask-api-green",
                "kubernetes:policy/v1:PodDisruptionBudget::flask-api-blue-pdb below cutover:index:Disruption::flask-api-blue-pdb",
                "kubernetes:policy/v1:PodDisruptionBudget::flask-api-green-pdb below cutover:index:Disruption::flask-api-green-pdb",
                "kubernetes:core/v1:ServiceAccount::flask-api below cutover:index:Releases::flask-api",
            ].sort(),
        );
    });

    it("has no Deployment for a color without a release", async () => {
        const recording = await deploy({ green: undefined });
        assert.deepEqual(
            recording.all(DEPLOYMENT).map(({ name }) => name),
            ["flask-api-blue"],
        );
    });

    it("sends the traffic to blue at first, inside the cluster", async () => {
        const recording = await deploy();
        assert.deepEqual(recording.one(SERVICE, "flask-api").inputs, {
            apiVersion: "v1",
            kind: "Service",
            metadata: {
                name: "flask-api",
                namespace: "endpoint-stats",
                labels: {
                    app: "flask-api",
                    component: "api",
                    "app.kubernetes.io/name": "flask-api",
                    "app.kubernetes.io/instance": "flask-api",
                    "app.kubernetes.io/component": "api",
                    "app.kubernetes.io/part-of": "endpoint-stats",
                    "app.kubernetes.io/managed-by": "pulumi",
                },
                annotations: {
                    "pulumi.com/skipAwait": "true",
                    [SERVES]: servesOf(recording),
                },
            },
            spec: {
                type: "ClusterIP",
                selector: { app: "flask-api", deployment: "blue" },
                ports: [{ name: "http", port: 9999, targetPort: 9999 }],
            },
        });
        assert.equal(recording.outputs.url, "http://flask-api.endpoint-stats.svc:9999");
        assert.equal(recording.outputs.activeColor, "blue");
    });

    describe("order of one up: grow, route, shrink", () => {
        for (const [active, idle] of [
            ["blue", "green"],
            ["green", "blue"],
        ] as const) {
            for (const mode of ["warm", "cold"] as const) {
                it(`${active} live, ${idle} ${mode}`, async () => {
                    const recording = await deploy({ activeColor: active, idle: mode });
                    assert.ok(
                        routeDependsOn(recording, active),
                        "the route waits for the live color",
                    );
                    assert.ok(!routeDependsOn(recording, idle), "and for no other");
                    assert.ok(
                        dependsOnRoute(recording, idle),
                        "the idle color waits for the route",
                    );
                    assert.ok(!dependsOnRoute(recording, active), "and the live one does not");
                });
            }
        }

        it("has the autoscalers on the same side as their Deployments", async () => {
            const recording = await deploy({ autoscaling: {}, activeColor: "green" });
            const hpa = (color: string) => `${HPA}::flask-api-${color}-hpa`;
            assert.ok(recording.one(SERVICE, "flask-api").dependsOn.includes(hpa("green")));
            assert.ok(!recording.one(SERVICE, "flask-api").dependsOn.includes(hpa("blue")));
            assert.ok(recording.one(HPA, "flask-api-blue-hpa").dependsOn.includes(ROUTE));
        });

        it("brings accounts, files and secrets first, for both colors", async () => {
            const releases = {
                "1.0.0": { image: "api:1.0.0" },
                "2.0.0": { image: "api:2.0.0", files: { a: "1" } },
            };
            const recording = await deploy({ releases });
            const [files] = recording.all("kubernetes:core/v1:ConfigMap");
            assert.ok(files && !files.dependsOn.includes(ROUTE));
            assert.ok(workload(recording, "green").dependsOn.includes(files.id));
        });
    });

    describe("a switch", () => {
        it("changes no selector, and no pod of either color", async () => {
            const before = await deploy();
            const after = await deploy({ activeColor: "green" });
            for (const color of ["blue", "green"]) {
                const spec = (recording: Recording) => workload(recording, color).input("spec");
                assert.deepEqual(spec(after), spec(before));
            }
        });

        it("changes of the public Service its selector, and what it says runs there", async () => {
            const before = (await deploy()).one(SERVICE, "flask-api");
            const after = (await deploy({ activeColor: "green" })).one(SERVICE, "flask-api");
            assert.deepEqual(after.input("spec.selector"), {
                app: "flask-api",
                deployment: "green",
            });
            const rest = ({ inputs }: typeof after) => {
                const { metadata } = inputs as { metadata: { annotations: object } };
                const annotations = { ...metadata.annotations, [SERVES]: undefined };
                return { ...inputs, spec: undefined, metadata: { ...metadata, annotations } };
            };
            assert.deepEqual(rest(after), rest(before));
            assert.equal(after.id, before.id);
            assert.equal(after.parent, before.parent);
        });

        it("changes no Deployment at all, so that nothing but the route moves", async () => {
            const before = await deploy();
            const after = await deploy({ activeColor: "green" });
            for (const color of ["blue", "green"]) {
                const { inputs } = workload(after, color);
                assert.deepEqual(inputs, workload(before, color).inputs);
            }
        });
    });

    describe("what the route says runs behind it, for which the gate waits", () => {
        const serves = async (args: Partial<BlueGreenArgs> = {}) => servesOf(await deploy(args));

        it("names the live release, its pods and their template", async () => {
            assert.match(await serves(), /^release 1\.0\.0, 3 pods of template [0-9a-f]{10}$/);
            assert.match(
                await serves({ activeColor: "green", autoscaling: { minReplicas: 4 } }),
                /^release 2\.0\.0, 4 pods of template [0-9a-f]{10}$/,
            );
        });

        const changes: Record<string, Partial<BlueGreenArgs>> = {
            "another release": { blue: "2.0.0" },
            "more pods": { replicas: 4 },
            "another probe": { api: { probes: { readiness: { path: "/ready" } } } },
            "another variable": { api: { env: { LOG_LEVEL: pulumi.output("debug") } } },
        };
        for (const [name, args] of Object.entries(changes)) {
            it(`changes with ${name}`, async () => {
                assert.notEqual(await serves(args), await serves());
            });
        }

        it("stays with a change of the idle color or of the Deployment alone", async () => {
            const { "1.0.0": live, "2.0.0": idle } = base.releases;
            assert.ok(live && idle);
            const releases = {
                "1.0.0": { ...live, changeCause: "because" },
                "2.0.0": { ...idle, image: "api:2.0.0-patched" },
            };
            assert.equal(await serves({ releases, idle: "cold" }), await serves());
        });

        it("leaves no waiting to Pulumi, which would not give up early", async () => {
            const recording = await deploy();
            for (const color of ["blue", "green"]) {
                const annotations = workload(recording, color).input("metadata.annotations");
                assert.equal(
                    (annotations as Record<string, string>)["pulumi.com/skipAwait"],
                    "true",
                );
            }
        });
    });

    describe("sizes", () => {
        const cases: [string, Partial<BlueGreenArgs>, [number, number]][] = [
            ["by default three and three", {}, [3, 3]],
            ["a cold color", { idle: "cold" }, [3, 0]],
            ["an idle number, also of zero", { idleReplicas: 0 }, [3, 0]],
            ["another number of replicas", { replicas: 7 }, [7, 7]],
            ["a capacity floor", { capacityFloor: 5, idle: "cold" }, [5, 0]],
        ];
        for (const [name, args, [blue, green]] of cases) {
            it(name, async () => {
                const recording = await deploy(args);
                assert.equal(workload(recording, "blue").input("spec.replicas"), blue);
                assert.equal(workload(recording, "green").input("spec.replicas"), green);
                assert.deepEqual(workload(recording, "blue").ignoreChanges, []);
                assert.equal(recording.all(HPA).length, 0);
            });
        }
    });

    describe("with autoscaling", () => {
        it("declares an autoscaler for each color, with equal bounds for the idle one", async () => {
            const recording = await deploy({ autoscaling: {} });
            const behavior = {
                scaleDown: {
                    stabilizationWindowSeconds: 300,
                    selectPolicy: "Max",
                    policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
                },
                scaleUp: {
                    stabilizationWindowSeconds: 0,
                    selectPolicy: "Max",
                    policies: [
                        { type: "Percent", value: 100, periodSeconds: 60 },
                        { type: "Pods", value: 4, periodSeconds: 60 },
                    ],
                },
            };
            const metric = (name: string, averageUtilization: number) => ({
                type: "Resource",
                resource: { name, target: { type: "Utilization", averageUtilization } },
            });
            const blue = recording.one(HPA, "flask-api-blue-hpa");
            assert.deepEqual(blue.input("spec"), {
                scaleTargetRef: {
                    apiVersion: "apps/v1",
                    kind: "Deployment",
                    name: "flask-api-blue",
                },
                minReplicas: 2,
                maxReplicas: 10,
                metrics: [metric("cpu", 70), metric("memory", 80)],
                behavior,
            });
            assert.equal(blue.input("metadata.name"), "flask-api-blue-hpa");
            assert.deepEqual(blue.input("metadata.labels"), {
                app: "flask-api",
                component: "api",
                deployment: "blue",
                "app.kubernetes.io/name": "flask-api",
                "app.kubernetes.io/instance": "flask-api-blue",
                "app.kubernetes.io/component": "api",
                "app.kubernetes.io/part-of": "endpoint-stats",
                "app.kubernetes.io/managed-by": "pulumi",
            });
            assert.equal(blue.input("metadata.namespace"), "endpoint-stats");
            const green = recording.one(HPA, "flask-api-green-hpa");
            assert.deepEqual(
                [green.input("spec.minReplicas"), green.input("spec.maxReplicas")],
                [2, 2],
            );
        });

        it("leaves replicas alone once the autoscaler had them, and not before", async () => {
            const first = await deploy({ autoscaling: {} });
            assert.deepEqual(workload(first, "blue").ignoreChanges, []);
            assert.equal(workload(first, "blue").input("spec.replicas"), 2);

            const previous = first.outputs.state as State;
            const second = await deploy({ autoscaling: {}, activeColor: "green", previous });
            assert.deepEqual(workload(second, "blue").ignoreChanges, ["spec.replicas"]);
            // It may be at 0, from an update that failed behind the route: its size is said once more.
            assert.deepEqual(workload(second, "green").ignoreChanges, []);
            assert.equal(workload(second, "green").input("spec.replicas"), 2);

            const now = second.outputs.state as State;
            const third = await deploy({ autoscaling: {}, activeColor: "green", previous: now });
            for (const color of ["blue", "green"]) {
                assert.deepEqual(workload(third, color).ignoreChanges, ["spec.replicas"]);
            }
        });

        it("gives the color that is to go live the capacity floor", async () => {
            const recording = await deploy({
                autoscaling: {},
                activeColor: "green",
                capacityFloor: 8,
            });
            const green = recording.one(HPA, "flask-api-green-hpa");
            assert.deepEqual(
                [green.input("spec.minReplicas"), green.input("spec.maxReplicas")],
                [8, 10],
            );
        });
    });

    describe("state for the next up", () => {
        it("says what ran where", async () => {
            const { outputs } = await deploy({ activeColor: "green", idle: "cold" });
            assert.deepEqual(outputs.state, {
                version: 1,
                name: "flask-api",
                namespace: "endpoint-stats",
                serviceName: "flask-api",
                servicePort: 9999,
                port: 9999,
                strategy: "blueGreen",
                routing: "service",
                isolation: "shared",
                weights: { blue: 0, green: 100 },
                sides: {
                    blue: { release: "1.0.0", replicas: 0 },
                    green: { release: "2.0.0", replicas: 3 },
                },
            });
        });

        it("is announced in preview, in words, where anything changes", async () => {
            const { outputs, log } = await deploy({ idle: "cold" });
            assert.deepEqual(log, [], "not in an up");
            const previous = outputs.state as State;
            const changed = await deploy(
                { idle: "cold", activeColor: "green", previous },
                { preview: true },
            );
            assert.match(
                changed.log.join("\n"),
                /green 0 → 3, then the route blue → green, then blue 3 → 0/,
            );
            const same = await deploy({ idle: "cold", previous }, { preview: true });
            assert.deepEqual(same.log, []);
        });
    });

    describe("a second up of the same", () => {
        /** What the engine would compare: an ignored field counts as unchanged. */
        const compared = ({ resources }: Recording) =>
            resources.map(({ id, inputs }) => {
                const { spec, ...rest } = structuredClone(inputs);
                if (typeof spec !== "object" || spec === null) return { id, ...rest };
                const { replicas, ...others } = spec as Record<string, unknown>;
                const ignored = id.startsWith(DEPLOYMENT) && autoscaled;
                return { id, ...rest, spec: ignored ? others : { ...others, replicas } };
            });
        let autoscaled = false;

        for (const [name, args] of Object.entries({
            warm: {},
            cold: { idle: "cold" },
            "after it was told to scale": { autoscaling: {} },
        } satisfies Record<string, Partial<BlueGreenArgs>>)) {
            it(`changes nothing: ${name}`, async () => {
                autoscaled = "autoscaling" in args;
                const before = (await deploy({ replicas: 5 })).outputs.state as State;
                const first = await deploy({ ...args, previous: before });
                const second = await deploy({ ...args, previous: first.outputs.state as State });
                assert.deepEqual(compared(second), compared(first));
                assert.deepEqual(second.outputs, first.outputs);
            });
        }
    });

    describe("options", () => {
        it("puts what outlives the strategy beside the component, not below it", async () => {
            const recording = await deploy(
                {},
                {
                    opts: () => ({
                        parent: new pulumi.ComponentResource("test:index:Shop", "shop"),
                    }),
                },
            );
            for (const type of ["BlueGreen", "Releases", "Route"]) {
                assert.equal(
                    recording.one(`cutover:index:${type}`).parent,
                    "test:index:Shop::shop",
                );
            }
        });

        it("hands an alias by name to what is beside it; the engine does to what is below", async () => {
            const recording = await deploy(
                {},
                { opts: () => ({ aliases: [{ name: "api" }, { name: "x", type: "a:b:C" }] }) },
            );
            const former = (type: string) => recording.one(`cutover:index:${type}`).formerNames;
            assert.deepEqual(former("BlueGreen"), ["api", "x"]);
            assert.deepEqual([former("Releases"), former("Route")], [["api"], ["api"]]);
        });

        it("hands its provider to every object", async () => {
            const recording = await deploy(
                { autoscaling: {} },
                { opts: () => ({ provider: new OtherCluster("other") }) },
            );
            const objects = recording.resources.filter(({ type }) =>
                type.startsWith("kubernetes:"),
            );
            assert.equal(objects.length, 11);
            for (const { id, provider } of objects) {
                assert.equal(provider, "pulumi:providers:kubernetes::other", id);
            }
        });
    });

    describe("bad arguments", () => {
        const messages = async (args: Partial<BlueGreenArgs>): Promise<string> => {
            let message = "";
            const { resources } = await record(() => {
                try {
                    new BlueGreen("flask-api", { ...base, ...args });
                } catch (error) {
                    assert.ok(error instanceof InvalidArgs, String(error));
                    assert.ok(pulumi.RunError.isInstance(error), "printed without a stack");
                    assert.ok(pulumi.InputPropertiesError.isInstance(error));
                    message = error.message;
                }
                return {};
            });
            assert.deepEqual(resources, [], "nothing is registered for bad input");
            return message;
        };

        it("are all reported at once, before anything is registered", async () => {
            assert.equal(
                await messages({ replicas: 0, green: "3.0.0", api: { port: 80 } }),
                `BlueGreen "flask-api" has 3 problems:
  green: got "3.0.0", expected one of the declared releases: "1.0.0" or "2.0.0"
  replicas: got 0, expected a whole number of at least 1 (the live side must never be at zero)
  api.port: got 80, expected a whole number from 1024 to 65535`,
            );
        });

        it("include what a running stack must not become", async () => {
            const { outputs } = await deploy();
            const previous = outputs.state as State;
            assert.match(
                await messages({ previous, serviceName: "other" }),
                /^BlueGreen "flask-api" has a problem:\n {2}serviceName: got "other", expected "flask-api", which this stack runs with/,
            );
        });
    });
});

class OtherCluster extends pulumi.ProviderResource {
    constructor(name: string) {
        super("kubernetes", name);
    }
}
