import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { BlueGreenArgs } from "../../components/blue-green";
import * as defaults from "../../components/defaults";
import { parseState, plan } from "../../components/plan";
import {
    CONFIG_KEYS,
    ConfigError,
    desiredOf,
    parseSettings,
    refuseTransition,
    type Settings,
} from "../../config";

const root = path.join(__dirname, "..", "..");

const minimal = {
    "kubernetes:context": "cutover-sandbox",
    "cutover:releases": JSON.stringify({ "1.0.0": { image: "api:1.0.0" } }),
    "cutover:blue": "1.0.0",
};

/** The config of a stack file as the CLI hands it to the program, completed from Pulumi.yaml. */
function stackConfig(file: string): Record<string, string> {
    const read = (name: string) =>
        parse(readFileSync(path.join(root, name), "utf8")) as {
            config: Record<string, unknown>;
        };
    const project = Object.entries(read("Pulumi.yaml").config).flatMap(([key, declared]) => {
        const { default: value } = declared as { default?: unknown };
        return value === undefined ? [] : [[key, value] as const];
    });
    const all = { ...Object.fromEntries(project), ...read(file).config };
    return Object.fromEntries(
        Object.entries(all).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]),
    );
}

function blueGreenOf({ api }: Settings): BlueGreenArgs {
    assert.ok(api.strategy === "blueGreen");
    return api.args;
}

describe("stack config", () => {
    it("needs a context, the releases and one color's release; the rest has defaults", () => {
        const settings = parseSettings(minimal);
        assert.deepEqual(settings, {
            name: "flask-api",
            namespace: "endpoint-stats",
            database: {},
            network: undefined,
            steps: undefined,
            api: {
                strategy: "blueGreen",
                args: {
                    namespace: "endpoint-stats",
                    releases: { "1.0.0": { image: "api:1.0.0" } },
                    blue: "1.0.0",
                    green: undefined,
                    activeColor: "blue",
                    canaryWeight: 0,
                    isolation: "shared",
                    routing: "service",
                    router: undefined,
                    gateway: undefined,
                    serviceType: "ClusterIP",
                    idle: "warm",
                    serviceName: undefined,
                    servicePort: undefined,
                    nodePort: undefined,
                    replicas: undefined,
                    autoscaling: undefined,
                    capacityFloor: undefined,
                    rollingUpdate: undefined,
                    gateDeadlineSeconds: undefined,
                    api: {},
                    cluster: { context: "cutover-sandbox", kubeconfig: undefined },
                },
            },
        } satisfies Settings);
    });

    it("reads every key", () => {
        const release = {
            image: "api:2.0.0",
            env: { LEVEL: "debug" },
            files: { "motd.txt": "hello" },
            secrets: { token: "t" },
            changeCause: "faster",
        };
        const api = {
            port: 8080,
            probes: { readiness: { path: "/ready", periodSeconds: 2 } },
            resources: { requests: { cpu: "50m" }, limits: { cpu: "100m" } },
            lifecycle: { preStopSleepSeconds: 5, terminationGracePeriodSeconds: 20 },
            maxConnectionAgeSeconds: 0,
            env: { A: "b" },
            labels: { team: "core" },
            annotations: { note: "x" },
            imagePullSecrets: ["regcred"],
        };
        const autoscaling = {
            minReplicas: 3,
            maxReplicas: 9,
            cpuPercent: 60,
            memoryPercent: 70,
            behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
        };
        const database = { image: "postgres:14", storage: "1Gi", passwordVersion: "2" };
        const {
            name,
            namespace,
            api: read,
            ...rest
        } = parseSettings({
            "kubernetes:context": "prod",
            "kubernetes:kubeconfig": "/kube/config",
            "cutover:name": "shop",
            "cutover:namespace": "shops",
            "cutover:strategy": "blueGreen",
            "cutover:routing": "nginx",
            "cutover:isolation": "namespaces",
            "cutover:canaryWeight": "25",
            "cutover:router": '{"replicas":3}',
            "cutover:gateway": '{"parent":{"name":"public"}}',
            "cutover:network": '{"egress":[]}',
            "cutover:steps": '[{"setWeight":20,"pause":"10m"},{"setWeight":100,"pause":"manual"}]',
            "cutover:releases": JSON.stringify({ "1.0": { image: "api:1.0" }, "2.0": release }),
            "cutover:blue": "1.0",
            "cutover:green": "2.0",
            "cutover:activeColor": "green",
            "cutover:capacityFloor": "4",
            "cutover:api": JSON.stringify(api),
            "cutover:serviceName": "shop-public",
            "cutover:serviceType": "LoadBalancer",
            "cutover:nodePort": "31000",
            "cutover:servicePort": "80",
            "cutover:replicas": "5",
            "cutover:idle": "2",
            "cutover:rollingUpdate": '{"maxSurge":"25%","maxUnavailable":1}',
            "cutover:gateDeadlineSeconds": "60",
            "cutover:autoscaling": JSON.stringify(autoscaling),
            "cutover:database": JSON.stringify(database),
        });
        assert.deepEqual(
            [name, namespace, rest],
            [
                "shop",
                "shops",
                {
                    database,
                    network: { egress: [] },
                    steps: [
                        { setWeight: 20, pause: "10m" },
                        { setWeight: 100, pause: "manual" },
                    ],
                },
            ],
        );
        assert.deepEqual(read, {
            strategy: "blueGreen",
            args: {
                namespace: "shops",
                releases: { "1.0": { image: "api:1.0" }, "2.0": release },
                blue: "1.0",
                green: "2.0",
                activeColor: "green",
                canaryWeight: 25,
                isolation: "namespaces",
                routing: "nginx",
                router: { replicas: 3 },
                gateway: { parent: { name: "public" } },
                serviceType: "LoadBalancer",
                idleReplicas: 2,
                serviceName: "shop-public",
                servicePort: 80,
                nodePort: 31000,
                replicas: 5,
                rollingUpdate: { maxSurge: "25%", maxUnavailable: "1" },
                gateDeadlineSeconds: 60,
                autoscaling,
                capacityFloor: 4,
                api,
                cluster: { context: "prod", kubeconfig: "/kube/config" },
            },
        });
    });

    it("reads the sides of the other strategies", () => {
        const sides = {
            "cutover:stable": "1.0.0",
            "cutover:canary": "1.0.0",
            "cutover:canaryWeight": "12.5",
            "cutover:current": "1.0.0",
        };
        const canary = parseSettings({ ...minimal, ...sides, "cutover:strategy": "canary" }).api;
        assert.ok(canary.strategy === "canary");
        assert.deepEqual(
            [canary.args.stable, canary.args.canary, canary.args.canaryWeight],
            ["1.0.0", "1.0.0", 12.5],
        );
        const rolling = parseSettings({
            ...minimal,
            "cutover:current": "1.0.0",
            "cutover:strategy": "rolling",
        }).api;
        assert.ok(rolling.strategy === "rolling");
        assert.equal(rolling.args.current, "1.0.0");
    });

    it("leaves the keys of other programs and providers alone", () => {
        assert.doesNotThrow(() =>
            parseSettings({ ...minimal, "other:wibble": "1", "kubernetes:namespace": "x" }),
        );
    });

    it("takes a release's name as it is written, also when it looks like a number", () => {
        const releases = JSON.stringify({ "1.10": { image: "api:1.10" } });
        const settings = parseSettings({
            ...minimal,
            "cutover:releases": releases,
            "cutover:blue": "1.10",
        });
        assert.equal(blueGreenOf(settings).blue, "1.10");
    });

    it("takes a password version that looks like a number, as --path makes it one", () => {
        const settings = parseSettings({ ...minimal, "cutover:database": '{"passwordVersion":2}' });
        assert.deepEqual(settings.database, { passwordVersion: "2" });
    });

    it("says of each key whether a release may change it", () => {
        const tagged = Object.entries(CONFIG_KEYS).filter(([, { tag }]) => tag === "release");
        assert.deepEqual(
            tagged.map(([key]) => key),
            [
                "releases",
                "blue",
                "green",
                "stable",
                "canary",
                "current",
                "canaryWeight",
                "activeColor",
                "capacityFloor",
            ],
        );
    });

    it("is documented, key by key", () => {
        const page = readFileSync(path.join(root, "docs", "configuration.md"), "utf8");
        const rows = new Set([...page.matchAll(/^\| `([\w]+)`/gm)].map(([, key]) => key));
        assert.deepEqual(
            Object.keys(CONFIG_KEYS).filter((key) => !rows.has(key)),
            [],
        );
    });

    it("has the same defaults in Pulumi.yaml as in the code", () => {
        const { config } = parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
            config: Record<string, { default?: unknown }>;
        };
        const declared = Object.entries(config).flatMap(([key, value]) =>
            value.default === undefined ? [] : [[key, value.default]],
        );
        assert.deepEqual(Object.fromEntries(declared), {
            "cutover:name": defaults.NAME,
            "cutover:namespace": defaults.NAMESPACE,
            "cutover:strategy": defaults.STRATEGY,
            "cutover:routing": defaults.ROUTING,
            "cutover:isolation": defaults.ISOLATION,
            "cutover:activeColor": defaults.ACTIVE_COLOR,
            "cutover:idle": defaults.IDLE,
            "cutover:serviceType": defaults.SERVICE_TYPE,
        });
    });

    it("of the dev stack starts with release 1.0.0 on blue and nothing on green", () => {
        const blueGreen = blueGreenOf(parseSettings(stackConfig("Pulumi.dev.yaml")));
        assert.deepEqual(
            [blueGreen.blue, blueGreen.green, blueGreen.activeColor, blueGreen.replicas],
            ["1.0.0", undefined, "blue", 3],
        );
        assert.equal(blueGreen.serviceName, "flask-api-bg");
        assert.deepEqual([blueGreen.serviceType, blueGreen.nodePort], ["NodePort", 30999]);
        assert.equal(blueGreen.cluster?.context, "cutover-sandbox");
    });

    it("of the prod stack scales from 2 to 10 pods by CPU and memory", () => {
        const blueGreen = blueGreenOf(parseSettings(stackConfig("Pulumi.prod.yaml")));
        const { minReplicas, maxReplicas, cpuPercent, memoryPercent } = blueGreen.autoscaling ?? {};
        assert.deepEqual([minReplicas, maxReplicas, cpuPercent, memoryPercent], [2, 10, 70, 80]);
        assert.equal(blueGreen.serviceName, "flask-api-bg");
    });
});

describe("a change that a running stack must not make", () => {
    const running = parseSettings(minimal);
    const state = plan(undefined, desiredOf(running)).state;

    const message = (changes: Record<string, string>): string => {
        try {
            refuseTransition(state, parseSettings({ ...minimal, ...changes }));
        } catch (error) {
            if (error instanceof ConfigError) return error.message;
            throw error;
        }
        return "allowed";
    };

    it("is refused with the steps that lead there", () => {
        assert.equal(
            message({ "cutover:name": "shop" }),
            `the stack config has 2 problems:
  cutover:name: got "shop", expected "flask-api", which this stack runs with, as it is part of every selector; for a new name, bring up a second stack, move the clients to it and destroy this one
  cutover:serviceName: got "shop", expected "flask-api", which this stack runs with, as its clients would lose it; for a second name, point a Service of type ExternalName at this one`,
        );
        assert.equal(
            message({ "cutover:namespace": "other" }),
            `the stack config has a problem:
  cutover:namespace: got "other", expected "endpoint-stats", which this stack runs with, as everything would be deleted and created anew; to move, bring up a second stack in the new namespace, move the clients to it and destroy this one`,
        );
        assert.match(
            message({ "cutover:api": '{"port": 8080}' }),
            /cutover:api\.port: got 8080, expected 9999, which this stack runs with/,
        );
        assert.match(
            message({ "cutover:serviceName": "public" }),
            /cutover:serviceName: got "public"/,
        );
    });

    it("is none of these", () => {
        for (const changes of [
            {},
            { "cutover:replicas": "5" },
            { "cutover:idle": "cold" },
            { "cutover:autoscaling": "{}" },
            { "cutover:serviceType": "NodePort", "cutover:nodePort": "31000" },
        ] as Record<string, string>[]) {
            assert.equal(message(changes), "allowed");
        }
    });

    it("cannot be one on the first up", () => {
        assert.doesNotThrow(() => refuseTransition(parseState(undefined), running));
    });
});
