import assert from "node:assert/strict";
import { afterRoute, beforeRoute } from "../../components/gate/hooks";
import { ClusterError, NoClusterError } from "../../components/gate/reader";
import { routeMoves } from "../../components/gate/route-change";
import { GateError } from "../../components/gate/spec";
import {
    at,
    blueToGreen,
    deployment,
    FakeCluster,
    gateSpec,
    greenTarget,
    pod,
    serviceInputs,
    slice,
    waitingPod,
} from "../support/fake-cluster";

const up = { dryRun: false };
const preview = { dryRun: true };
const blue = ["x", "y", "z"].map((name) => pod(name, { color: "blue" }));
const green = ["a", "b", "c"].map((name) => pod(name));

function clusterWith(...pods: ReturnType<typeof pod>[]): FakeCluster {
    const cluster = new FakeCluster();
    cluster.pods = pods;
    return cluster;
}

/** The message of the refusal; fails when there is none. */
async function refusal(work: Promise<void>): Promise<string> {
    try {
        await work;
    } catch (error) {
        assert.ok(error instanceof GateError, `not a refusal but ${String(error)}`);
        return error.message;
    }
    assert.fail("the gate let it pass");
}

const unreachable = () =>
    new ClusterError("the API server 10.0.0.1 does not answer: reset", undefined);
const forbidden = () => new ClusterError("the API server refused to read /pods: forbidden", 403);

describe("gate: when a route counts as moved", () => {
    const oldInputs = serviceInputs("blue");
    const cases: { name: string; newInputs: Record<string, unknown>; moves: boolean }[] = [
        { name: "another selector", newInputs: serviceInputs("green"), moves: true },
        { name: "nothing", newInputs: serviceInputs("blue"), moves: false },
        { name: "a label", newInputs: serviceInputs("blue", { team: "x" }), moves: false },
        {
            name: "a target port",
            newInputs: {
                ...oldInputs,
                spec: {
                    ...oldInputs.spec,
                    ports: [{ name: "http", port: 80, targetPort: "admin" }],
                },
            },
            moves: true,
        },
        {
            name: "what runs behind the same selector",
            newInputs: serviceInputs("blue", {}, "release 3.0.0"),
            moves: true,
        },
        {
            name: "a node port",
            newInputs: {
                ...oldInputs,
                spec: {
                    ...oldInputs.spec,
                    ports: [{ ...oldInputs.spec.ports[0], nodePort: 30999 }],
                },
            },
            moves: false,
        },
    ];
    for (const { name, newInputs, moves } of cases) {
        it(`${name}: ${moves}`, () => {
            assert.equal(routeMoves({ oldInputs, newInputs }), moves);
        });
    }

    it("a create: true", () => assert.ok(routeMoves({ newInputs: oldInputs })));

    it("does not even connect for an update that leaves the route alone", async () => {
        const cluster = clusterWith();
        const change = { oldInputs, newInputs: serviceInputs("blue", { team: "x" }) };
        await beforeRoute(gateSpec(), change, up, cluster.context());
        await beforeRoute(gateSpec(), change, preview, cluster.context());
        await afterRoute(gateSpec(), change, cluster.context());
        assert.equal(cluster.connected, 0);
    });
});

describe("gate: before the route moves, in up", () => {
    it("lets a warm switch pass at once", async () => {
        const cluster = clusterWith(...blue, ...green);
        await beforeRoute(gateSpec(), blueToGreen, up, cluster.context());
        assert.equal(cluster.elapsedSeconds, 0);
        assert.deepEqual(cluster.kept, ["green has 3 ready pods; api-bg blue → green"]);
        assert.equal(cluster.closed, 1);
    });

    it("waits for pods that are still starting, and says what for", async () => {
        const starting = pod("c", { ready: false, startedSecondsAgo: 1 });
        const cluster = clusterWith(pod("a"), pod("b"), starting).after(7, () => {
            cluster.pods = green;
        });
        await beforeRoute(gateSpec(), blueToGreen, up, cluster.context());
        assert.ok(cluster.elapsedSeconds >= 7 && cluster.elapsedSeconds < 8.1);
        assert.deepEqual(cluster.said[0], {
            level: "info",
            message:
                "waiting for green has 2 of 3 ready pods: pod c: container api runs but is not ready",
            passing: true,
        });
    });

    it("creates the route on a first up when the target's pods are ready", async () => {
        const cluster = clusterWith(...green);
        const spec = gateSpec({ from: [] });
        await beforeRoute(spec, { newInputs: serviceInputs("green") }, up, cluster.context());
        assert.deepEqual(cluster.kept, ["green has 3 ready pods; api-bg → green"]);
    });

    it("refuses at the deadline, with evidence", async () => {
        const container = { ready: false, started: false };
        const cluster = clusterWith(pod("a"), pod("b", { ready: false, container }));
        cluster.events["Pod/b"] = [
            {
                type: "Warning",
                reason: "Unhealthy",
                message: "Startup probe failed: 503",
                count: 9,
            },
        ];
        cluster.logs.b = "starting\ncannot reach db:5432\n";
        const spec = gateSpec({ deadlineSeconds: 40 });
        const message = await refusal(beforeRoute(spec, blueToGreen, up, cluster.context()));
        assert.equal(
            message,
            [
                "api-bg stays on blue: pod b: container api is still starting (green has 1 of 3 ready pods after 40 s)",
                "  Deployment api-green: 3 wanted, 2 made, 1 ready",
                "  pod b: running, not ready",
                "    event: Unhealthy: Startup probe failed: 503 (9 times)",
                "    log: starting",
                "    log: cannot reach db:5432",
            ].join("\n"),
        );
        assert.equal(cluster.closed, 1);
    });

    it("gives pods that run without getting ready half of the deadline", async () => {
        const cluster = clusterWith(pod("a", { ready: false, startedSecondsAgo: 0 }));
        const spec = gateSpec({ deadlineSeconds: 40 });
        const message = await refusal(beforeRoute(spec, blueToGreen, up, cluster.context()));
        assert.match(message, /pod a: container api runs but is not ready \(.* after (20|21) s\)/);
    });

    it("refuses an image that cannot be pulled long before the deadline", async () => {
        const cluster = clusterWith(...blue, waitingPod("a", "ErrImagePull"));
        cluster.after(4, () => {
            cluster.pods = [...blue, waitingPod("a", "ImagePullBackOff")];
        });
        const message = await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context()));
        assert.match(message, /^api-bg stays on blue: pod a: ImagePullBackOff: .* after [89] s\)/);
    });

    it("refuses a crash loop at once, with the log of the run that crashed", async () => {
        const cluster = clusterWith(
            waitingPod("a", "CrashLoopBackOff", {
                container: {
                    restartCount: 5,
                    lastState: { terminated: { exitCode: 2, reason: "Error" } },
                },
            }),
        );
        cluster.logs["a previous"] = "Error: no such release\n";
        const message = await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context()));
        assert.match(message, /container api restarted 5 times, last exit code 2 \(Error\)/);
        assert.match(message, /log: Error: no such release/);
        assert.equal(cluster.elapsedSeconds, 0);
    });

    it("names ready pods of an older template, which do not count", async () => {
        const old = ["a", "b", "c"].map((name) => pod(name, { hash: "v0" }));
        const cluster = clusterWith(...old, waitingPod("d", "InvalidImageName"));
        const message = await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context()));
        assert.match(message, /3 wanted, 1 made, 0 ready; 3 ready pods of an older template/);
    });

    it("refuses a Deployment that is missing, by name", async () => {
        const cluster = clusterWith();
        cluster.deployments = [deployment("blue")];
        assert.equal(
            await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context())),
            "api-bg stays on blue: Deployment stats/api-green of green does not exist",
        );
    });

    it("refuses a live side of 0 pods without asking the cluster", async () => {
        const cluster = clusterWith();
        const spec = gateSpec({ targets: [greenTarget({ neededReady: 0 })] });
        for (const options of [up, preview]) {
            assert.equal(
                await refusal(beforeRoute(spec, blueToGreen, options, cluster.context())),
                "api-bg stays on blue: green is declared with 0 pods, and a live side needs at least 1",
            );
        }
        assert.equal(cluster.connected, 0);
    });

    it("asks again while the API server does not answer", async () => {
        const cluster = clusterWith(...green)
            .failWith(unreachable)
            .after(5, () => cluster.failWith(() => new ClusterError("overloaded", 503)))
            .after(10, () => cluster.failWith(undefined));
        await beforeRoute(gateSpec(), blueToGreen, up, cluster.context());
        assert.ok(cluster.elapsedSeconds >= 10 && cluster.elapsedSeconds < 12);
        assert.ok(cluster.said.some(({ message }) => message.includes("10.0.0.1 does not answer")));
    });

    it("refuses when the API server stays away until the deadline", async () => {
        const cluster = clusterWith(...green).failWith(unreachable);
        const message = await refusal(
            beforeRoute(gateSpec({ deadlineSeconds: 30 }), blueToGreen, up, cluster.context()),
        );
        assert.equal(
            message,
            "api-bg stays on blue: the API server 10.0.0.1 does not answer: reset (green has 0 of 3 ready pods after 30 s)",
        );
    });

    it("refuses at once what asking again will not change", async () => {
        const cluster = clusterWith(...green).failWith(forbidden);
        assert.equal(
            await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context())),
            "api-bg stays on blue: the API server refused to read /pods: forbidden",
        );
        assert.equal(cluster.elapsedSeconds, 0);
    });

    it("refuses without access to the cluster", async () => {
        const context = clusterWith(...green).context();
        context.connect = () => Promise.reject(new NoClusterError("there is no kubeconfig at /k"));
        assert.equal(
            await refusal(beforeRoute(gateSpec(), blueToGreen, up, context)),
            "api-bg stays on blue: there is no kubeconfig at /k",
        );
    });

    it("passes on an error of its own as it is", async () => {
        const cluster = clusterWith(...green).failWith(() => new TypeError("a bug"));
        await assert.rejects(
            beforeRoute(gateSpec(), blueToGreen, up, cluster.context()),
            new TypeError("a bug"),
        );
        assert.equal(cluster.closed, 1);
    });

    it("shows evidence that it may not read as missing, and keeps the reason", async () => {
        const cluster = clusterWith(waitingPod("a", "InvalidImageName"));
        cluster.listEvents = () => Promise.reject(new Error("events is forbidden"));
        const message = await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context()));
        assert.match(message, /^api-bg stays on blue: pod a: InvalidImageName/);
        assert.match(message, /events of Pod a cannot be read: events is forbidden/);
    });

    it("shows the newest warnings of Deployment, ReplicaSet and pod, and how many pods more", async () => {
        const cluster = clusterWith(
            ...["a", "b", "c"].map((name) => waitingPod(name, "InvalidImageName")),
        );
        const warning = (message: string, seconds: number) => ({
            type: "Warning",
            reason: "Failed",
            message,
            lastTimestamp: at(seconds),
        });
        cluster.events["ReplicaSet/api-green-v1"] = [3, 1, 5, 2, 4].map((n) =>
            warning(`number ${n}`, n),
        );
        cluster.events["Deployment/api-green"] = [
            { type: "Normal", reason: "ScalingReplicaSet", message: "Scaled up" },
        ];
        const message = await refusal(beforeRoute(gateSpec(), blueToGreen, up, cluster.context()));
        assert.deepEqual(message.match(/number \d/g), [
            "number 2",
            "number 3",
            "number 4",
            "number 5",
        ]);
        assert.doesNotMatch(message, /Scaled up/);
        assert.match(message, /and 1 more pods that are not ready$/);
    });
});

describe("gate: before the route moves, in preview", () => {
    async function said(cluster: FakeCluster, spec = gateSpec(), change: object = blueToGreen) {
        await beforeRoute(spec, change, preview, cluster.context());
        assert.equal(cluster.elapsedSeconds, 0, "a preview does not wait");
        return cluster.said.map(({ level, message }) => `${level}: ${message}`);
    }
    const specWithImage = (image: string, env?: Record<string, string>) => {
        return gateSpec({ targets: [greenTarget({ image, env })] });
    };
    const crashing = waitingPod("a", "CrashLoopBackOff", { container: { restartCount: 1 } });
    const crashText = "pod a: CrashLoopBackOff: container api restarted 1 times";

    it("tells of a warm switch", async () => {
        assert.deepEqual(await said(clusterWith(...blue, ...green)), [
            "info: green has 3 ready pods (needs 3), then the route: api-bg blue → green; blue has 3 ready pods now",
        ]);
    });

    it("tells of a cold one", async () => {
        const cluster = clusterWith(...blue);
        cluster.deployments[1] = deployment("green", {
            spec: { replicas: 0, template: { spec: { containers: [] } } },
        });
        assert.deepEqual(await said(cluster), [
            "info: green 0 → 3, then the route: api-bg blue → green; blue has 3 ready pods now",
        ]);
    });

    it("tells of the first up, when there is no Deployment yet", async () => {
        const cluster = clusterWith();
        cluster.deployments = [];
        const first = { newInputs: serviceInputs("green") };
        assert.deepEqual(await said(cluster, gateSpec({ from: [] }), first), [
            "info: green 0 → 3, then the route: api-bg → green",
        ]);
    });

    it("refuses a target that fails now and that this update leaves as it is", async () => {
        const cluster = clusterWith(...blue, crashing);
        const work = beforeRoute(specWithImage("api:2"), blueToGreen, preview, cluster.context());
        assert.equal(
            await refusal(work),
            [
                "api-bg stays on blue: this update keeps what fails in green; release a fix to it first. " +
                    `green has 0 of 3 ready pods: ${crashText}`,
                "  Deployment api-green: 3 wanted, 1 made, 0 ready",
                "  pod a: CrashLoopBackOff, 1 restarts",
            ].join("\n"),
        );
    });

    it("refuses a target that has been running without getting ready", async () => {
        const cluster = clusterWith(...blue, pod("a", { ready: false, startedSecondsAgo: 300 }));
        const work = beforeRoute(specWithImage("api:2"), blueToGreen, preview, cluster.context());
        assert.match(await refusal(work), /pod a: container api runs but is not ready/);
    });

    it("lets a failing target pass that this update brings another image", async () => {
        assert.deepEqual(await said(clusterWith(...blue, crashing), specWithImage("api:3")), [
            `info: green 0 → 3, then the route (failing now, and replaced by this update: ${crashText}): api-bg blue → green; blue has 3 ready pods now`,
        ]);
    });

    it("lets a failing target pass that this update brings another environment", async () => {
        const lines = await said(
            clusterWith(...blue, crashing),
            specWithImage("api:2", { FEATURE: "on" }),
        );
        assert.match(lines[0] ?? "", /^info: .*replaced by this update/);
    });

    it("warns of a failing target when it cannot know whether the image changes", async () => {
        assert.deepEqual(await said(clusterWith(...blue, crashing)), [
            `warn: green has 0 of 3 ready pods: ${crashText}: api-bg blue → green; blue has 3 ready pods now`,
        ]);
    });

    it("does not hold against the target what this update may cure around it", async () => {
        for (const reason of ["CreateContainerConfigError", "CreateContainerError"]) {
            const cluster = clusterWith(...blue, waitingPod("a", reason));
            const lines = await said(cluster, specWithImage("api:2"));
            assert.match(lines[0] ?? "", /^info: green 0 → 3, then the route/);
        }
    });

    it("only warns of a failing side that has the traffic already", async () => {
        const change = {
            oldInputs: serviceInputs("green", {}, "2 pods"),
            newInputs: serviceInputs("green", {}, "3 pods"),
        };
        const spec = specWithImage("api:2");
        const targets = spec.targets.map((target) => ({ ...target, gains: false }));
        const given = { ...spec, targets, from: [] };
        assert.deepEqual(await said(clusterWith(crashing), given, change), [
            `warn: green has 0 of 3 ready pods: ${crashText}: api-bg → green`,
        ]);
    });

    it("says that ready pods are replaced first when the image changes", async () => {
        const lines = await said(clusterWith(...blue, ...green), specWithImage("api:3"));
        assert.match(lines[0] ?? "", /^info: green gets its new pods, then the route/);
    });

    it("warns without access to the cluster", async () => {
        const cluster = clusterWith();
        const context = cluster.context();
        context.connect = () => Promise.reject(new NoClusterError("there is no kubeconfig at /k"));
        await beforeRoute(gateSpec(), blueToGreen, preview, context);
        assert.deepEqual(cluster.said, [
            {
                level: "warn",
                message:
                    "api-bg: the ready pods of green cannot be checked in this preview: there is no kubeconfig at /k",
                passing: false,
            },
        ]);
    });

    for (const [name, failure] of Object.entries({ unreachable, forbidden })) {
        it(`warns once, without asking again, when the cluster is ${name}`, async () => {
            const lines = await said(clusterWith().failWith(failure));
            assert.equal(lines.length, 1);
            assert.match(
                lines[0] ?? "",
                /^warn: api-bg: the ready pods of green cannot be checked/,
            );
        });
    }
});

describe("gate: after the route moved", () => {
    it("passes when the endpoints are the target's ready pods", async () => {
        const cluster = clusterWith(...blue, ...green);
        cluster.slices = [slice("a", "b"), slice("c")];
        await afterRoute(gateSpec(), blueToGreen, cluster.context());
        assert.equal(cluster.elapsedSeconds, 0);
        assert.equal(cluster.closed, 1);
    });

    it("counts a pod of a dual-stack Service once", async () => {
        const cluster = clusterWith(...green);
        cluster.slices = [slice("a", "b", "c"), slice("a", "b", "c")];
        await afterRoute(gateSpec(), blueToGreen, cluster.context());
        assert.equal(cluster.elapsedSeconds, 0);
    });

    it("gives the endpoint controller a moment", async () => {
        const cluster = clusterWith(...blue, ...green).after(2, () => {
            cluster.slices = [slice("a", "b", "c")];
        });
        cluster.slices = [slice("x", "y", "z")];
        await afterRoute(gateSpec(), blueToGreen, cluster.context());
        assert.ok(cluster.elapsedSeconds >= 2 && cluster.elapsedSeconds < 3.1);
    });

    it("ignores endpoints that are leaving", async () => {
        const cluster = clusterWith(...blue, ...green);
        const leaving = slice("x");
        for (const endpoint of leaving.endpoints ?? []) {
            endpoint.conditions = { ready: false, terminating: true };
        }
        cluster.slices = [leaving, slice("a", "b", "c")];
        await afterRoute(gateSpec(), blueToGreen, cluster.context());
        assert.equal(cluster.elapsedSeconds, 0);
    });

    const wrong: { name: string; slices: ReturnType<typeof slice>[]; because: RegExp }[] = [
        { name: "no endpoint", slices: [slice()], because: /the Service has no endpoint/ },
        {
            name: "a pod of the old color",
            slices: [slice("a", "b", "c", "x")],
            because: /pods of another side still get traffic: x/,
        },
        {
            name: "a ready pod that is left out",
            slices: [slice("a", "b")],
            because: /ready pods do not get traffic yet: c/,
        },
        {
            name: "a pod that is not ready",
            slices: [slice("a", "b", "c", "d")],
            because: /pods that are not ready get traffic: d/,
        },
        {
            name: "an address of nobody",
            slices: [
                slice("a", "b", "c"),
                { metadata: { name: "m" }, endpoints: [{ addresses: ["1.2.3.4"] }] },
            ],
            because: /pods of another side still get traffic: 1\.2\.3\.4/,
        },
    ];
    for (const { name, slices, because } of wrong) {
        it(`fails when the endpoints keep ${name}`, async () => {
            const cluster = clusterWith(...blue, ...green, pod("d", { ready: false }));
            cluster.slices = slices;
            const message = await refusal(afterRoute(gateSpec(), blueToGreen, cluster.context()));
            assert.match(message, /^api-bg points to green, but after 30 s /);
            assert.match(message, because);
            assert.match(message, /\n {2}Deployment api-green: 3 wanted, 4 made, 3 ready\n/);
        });
    }

    it("says so when the cluster cannot be seen any more", async () => {
        const cluster = clusterWith(...green).failWith(forbidden);
        assert.equal(
            await refusal(afterRoute(gateSpec(), blueToGreen, cluster.context())),
            "api-bg points to green, but its endpoints cannot be checked: the API server refused to read /pods: forbidden",
        );
    });
});
