import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ConfigError, parseSettings } from "../../config";

/** A config that is accepted, as the CLI hands it to the program: every value a text. */
const good: Record<string, string> = {
    "kubernetes:context": "cutover-sandbox",
    "cutover:releases": JSON.stringify({
        "1.0.0": { image: "registry/api:1.0.0" },
        "2.0.0": { image: "registry/api:2.0.0" },
    }),
    "cutover:blue": "1.0.0",
    "cutover:green": "2.0.0",
};

const releases = (release: object) => ({
    "cutover:releases": JSON.stringify({ "1.0.0": release, "2.0.0": { image: "api:2.0.0" } }),
});
const json = (value: unknown) => JSON.stringify(value);

/** Name, what is changed in the good config (`undefined`: taken out), and the lines of the error. */
const cases: [string, Record<string, string | undefined>, string[]][] = [
    [
        "an unknown color",
        { "cutover:activeColor": "red" },
        ['cutover:activeColor: got "red", expected "blue" or "green"'],
    ],
    [
        "an unknown key, close to a known one",
        { "cutover:activeColour": "green" },
        [
            "cutover:activeColour: got an unknown key, expected cutover:activeColor, the nearest known one",
        ],
    ],
    [
        "an unknown key, close to none",
        { "cutover:wibble": "1" },
        [
            "cutover:wibble: got an unknown key, expected one of name, namespace, strategy, routing, isolation, releases, blue, green, stable, canary, current, canaryWeight, activeColor, capacityFloor, api, serviceName, serviceType, servicePort, nodePort, replicas, rollingUpdate, gateDeadlineSeconds, idle, autoscaling, router, gateway, network, steps, database",
        ],
    ],
    [
        "a live color without a release",
        { "cutover:blue": undefined },
        [
            'cutover:activeColor: got "blue", expected a color that has a release: without one it has no pods, and the live side must never be at zero; name its release in blue',
        ],
    ],
    [
        "a switch to a color without a release",
        { "cutover:green": undefined, "cutover:activeColor": "green" },
        [
            'cutover:activeColor: got "green", expected a color that has a release: without one it has no pods, and the live side must never be at zero; name its release in green',
        ],
    ],
    [
        "an unknown release, close to a known one",
        { "cutover:green": "2.0.1" },
        [
            'cutover:green: got "2.0.1", expected one of the declared releases: "1.0.0" or "2.0.0"; did you mean "2.0.0"?',
        ],
    ],
    [
        "an unknown release, close to none",
        { "cutover:green": "hotfix" },
        ['cutover:green: got "hotfix", expected one of the declared releases: "1.0.0" or "2.0.0"'],
    ],
    [
        "no releases at all",
        { "cutover:releases": undefined },
        ["cutover:releases: missing, expected an object"],
    ],
    [
        "an empty map of releases",
        { "cutover:releases": "{}" },
        [
            'cutover:blue: got "1.0.0", expected a release; none is declared in releases',
            'cutover:green: got "2.0.0", expected a release; none is declared in releases',
        ],
    ],
    [
        "releases that are a text",
        { "cutover:releases": "1.0.0" },
        ["cutover:releases: got a value that is not shown, expected an object"],
    ],
    [
        "releases that are a list",
        { "cutover:releases": "[]" },
        ["cutover:releases: got [], expected an object"],
    ],
    [
        "a release without an image",
        releases({}),
        ['cutover:releases["1.0.0"].image: missing, expected a text'],
    ],
    [
        "an image that is a number",
        releases({ image: 3 }),
        ['cutover:releases["1.0.0"].image: got 3, expected a text'],
    ],
    [
        "an unknown key in a release",
        releases({ imgae: "api:1.0.0" }),
        [
            'cutover:releases["1.0.0"].image: missing, expected a text',
            'cutover:releases["1.0.0"].imgae: got an unknown key, expected cutover:releases["1.0.0"].image, the nearest known one',
        ],
    ],
    [
        "the tag latest",
        releases({ image: "api:latest" }),
        [
            'cutover:releases["1.0.0"].image: got "api:latest", expected an image with a digest (name@sha256:…) or a tag that never moves (name:1.0.0)',
        ],
    ],
    [
        "no tag, behind a registry with a port",
        releases({ image: "registry:5000/api" }),
        [
            'cutover:releases["1.0.0"].image: got "registry:5000/api", expected an image with a digest (name@sha256:…) or a tag that never moves (name:1.0.0)',
        ],
    ],
    [
        "half a digest",
        releases({ image: "api@sha256:123" }),
        [
            'cutover:releases["1.0.0"].image: got "api@sha256:123", expected an image with a digest (name@sha256:…) or a tag that never moves (name:1.0.0)',
        ],
    ],
    [
        "a space in an image",
        releases({ image: "api: 1.0.0" }),
        [
            'cutover:releases["1.0.0"].image: got "api: 1.0.0", expected an image with a digest (name@sha256:…) or a tag that never moves (name:1.0.0)',
        ],
    ],
    [
        "a number in a release's env",
        releases({ image: "api:1.0.0", env: { LEVEL: 3 } }),
        ['cutover:releases["1.0.0"].env.LEVEL: got 3, expected a text'],
    ],
    [
        "a variable name that no shell takes",
        releases({ image: "api:1.0.0", env: { "LOG-LEVEL": "3" } }),
        ['cutover:releases["1.0.0"].env: got the key "LOG-LEVEL", expected a name like LOG_LEVEL'],
    ],
    [
        "a path as a file name",
        releases({ image: "api:1.0.0", files: { "a/b": "" } }),
        ['cutover:releases["1.0.0"].files: got the key "a/b", expected a plain file name'],
    ],
    [
        "the parent folder as a file name",
        releases({ image: "api:1.0.0", secrets: { "..": "" } }),
        ['cutover:releases["1.0.0"].secrets: got the key "..", expected a plain file name'],
    ],
    [
        "secrets that are a text, which is not repeated",
        releases({ image: "api:1.0.0", secrets: "hunter2" }),
        ['cutover:releases["1.0.0"].secrets: got a value that is not shown, expected an object'],
    ],
    [
        "a secret that is a number, which is not repeated",
        releases({ image: "api:1.0.0", secrets: { token: 42 } }),
        ['cutover:releases["1.0.0"].secrets.token: got a value that is not shown, expected a text'],
    ],
    [
        "a release name that no label takes",
        {
            "cutover:releases": json({
                "1.0.0": { image: "api:1.0.0" },
                "2.0.0": { image: "api:2" },
                "V 3": { image: "api:3" },
            }),
        },
        [
            'cutover:releases["V 3"]: got "V 3", expected a release name of at most 40 lower-case letters, digits, "-" and ".", like "1.0.0"',
        ],
    ],
    [
        "a live side at zero",
        { "cutover:replicas": "0" },
        [
            "cutover:replicas: got 0, expected a whole number of at least 1 (the live side must never be at zero)",
        ],
    ],
    [
        "half a pod",
        { "cutover:replicas": "2.5" },
        [
            "cutover:replicas: got 2.5, expected a whole number of at least 1 (the live side must never be at zero)",
        ],
    ],
    [
        "a size in words",
        { "cutover:replicas": "three" },
        ['cutover:replicas: got "three", expected a number'],
    ],
    [
        "an unknown idle mode",
        { "cutover:idle": "lukewarm" },
        ['cutover:idle: got "lukewarm", expected "warm", "cold" or a whole number of pods'],
    ],
    [
        "a negative idle size",
        { "cutover:idle": "-1" },
        ["cutover:idle: got -1, expected a whole number of at least 0"],
    ],
    [
        "autoscaling with idle: cold",
        { "cutover:idle": "cold", "cutover:autoscaling": "{}" },
        [
            'cutover:idle: got "cold", expected "warm" or a number of at least 1 together with autoscaling: a Deployment at zero switches its autoscaler off, and it would stay at zero when it goes live',
        ],
    ],
    [
        "autoscaling with idle: 0",
        { "cutover:idle": "0", "cutover:autoscaling": "{}" },
        [
            'cutover:idle: got 0, expected "warm" or a number of at least 1 together with autoscaling: a Deployment at zero switches its autoscaler off, and it would stay at zero when it goes live',
        ],
    ],
    [
        "an autoscaler at zero",
        { "cutover:autoscaling": json({ minReplicas: 0 }) },
        [
            "cutover:autoscaling.minReplicas: got 0, expected a whole number of at least 1 (an autoscaler at 0 is off)",
        ],
    ],
    [
        "bounds the wrong way round",
        { "cutover:autoscaling": json({ minReplicas: 4, maxReplicas: 3 }) },
        ["cutover:autoscaling.maxReplicas: got 3, expected at least autoscaling.minReplicas (4)"],
    ],
    [
        "an unknown key in autoscaling",
        { "cutover:autoscaling": json({ maxReplica: 3 }) },
        [
            "cutover:autoscaling.maxReplica: got an unknown key, expected cutover:autoscaling.maxReplicas, the nearest known one",
        ],
    ],
    [
        "a target of nothing",
        { "cutover:autoscaling": json({ cpuPercent: 0 }) },
        ["cutover:autoscaling.cpuPercent: got 0, expected a whole number of at least 1"],
    ],
    [
        "a policy type that does not exist",
        {
            "cutover:autoscaling": json({
                behavior: { scaleUp: { policies: [{ type: "Pod", value: 4, periodSeconds: 60 }] } },
            }),
        },
        [
            'cutover:autoscaling.behavior.scaleUp.policies[0].type: got "Pod", expected "Percent" or "Pods"',
        ],
    ],
    [
        "autoscaling that is a boolean",
        { "cutover:autoscaling": "true" },
        ["cutover:autoscaling: got true, expected an object"],
    ],
    [
        "a capacity floor of zero",
        { "cutover:capacityFloor": "0" },
        [
            "cutover:capacityFloor: got 0, expected a whole number of at least 1 (the live side must never be at zero)",
        ],
    ],
    [
        "a capacity floor above the autoscaler's bounds",
        { "cutover:capacityFloor": "11", "cutover:autoscaling": "{}" },
        ["cutover:capacityFloor: got 11, expected at most autoscaling.maxReplicas (10)"],
    ],
    [
        "a strategy in another spelling",
        { "cutover:strategy": "bluegreen" },
        ['cutover:strategy: got "bluegreen", expected "rolling", "blueGreen" or "canary"'],
    ],
    [
        "a name that no object can have",
        { "cutover:name": "Flask_API" },
        [
            'cutover:name: got "Flask_API", expected at most 50 lower-case letters, digits and "-", starting with a letter',
        ],
    ],
    [
        "an empty namespace",
        { "cutover:namespace": "" },
        [
            'cutover:namespace: got "", expected at most 63 lower-case letters, digits and "-", starting with a letter',
        ],
    ],
    [
        "a name that is too long",
        { "cutover:serviceName": "x".repeat(64) },
        [
            'cutover:serviceName: got "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", expected at most 55 lower-case letters, digits and "-", starting with a letter',
        ],
    ],
    [
        "a Service type that routes nowhere",
        { "cutover:serviceType": "ExternalName" },
        [
            'cutover:serviceType: got "ExternalName", expected "ClusterIP", "NodePort" or "LoadBalancer"',
        ],
    ],
    [
        "a node port without a Service that has one",
        { "cutover:nodePort": "30999" },
        [
            'cutover:nodePort: got 30999, expected no nodePort with serviceType "ClusterIP", or serviceType "NodePort"',
        ],
    ],
    [
        "a node port out of range",
        { "cutover:nodePort": "70000", "cutover:serviceType": "NodePort" },
        ["cutover:nodePort: got 70000, expected a port from 1 to 65535"],
    ],
    [
        "a privileged port",
        { "cutover:api": json({ port: 80 }) },
        ["cutover:api.port: got 80, expected a whole number from 1024 to 65535"],
    ],
    [
        "an unknown key in api",
        { "cutover:api": json({ prot: 8080 }) },
        ["cutover:api.prot: got an unknown key, expected cutover:api.port, the nearest known one"],
    ],
    [
        "an unknown key in a probe",
        { "cutover:api": json({ probes: { readiness: { pth: "/ready" } } }) },
        [
            "cutover:api.probes.readiness.pth: got an unknown key, expected cutover:api.probes.readiness.path, the nearest known one",
        ],
    ],
    [
        "a preStop sleep as long as the grace period",
        { "cutover:api": json({ lifecycle: { preStopSleepSeconds: 30 } }) },
        [
            "cutover:api.lifecycle.terminationGracePeriodSeconds: got 30, expected a whole number greater than api.lifecycle.preStopSleepSeconds (30), which is part of it",
        ],
    ],
    [
        "a negative connection age",
        { "cutover:api": json({ maxConnectionAgeSeconds: -1 }) },
        ["cutover:api.maxConnectionAgeSeconds: got -1, expected a whole number from 0 to 86400"],
    ],
    [
        "a database that PostgreSQL keeps for itself",
        { "cutover:database": json({ database: "postgres" }) },
        [
            'cutover:database.database: got "postgres", expected a name that PostgreSQL does not reserve',
        ],
    ],
    [
        "no context",
        { "kubernetes:context": undefined },
        [
            "kubernetes:context: missing, expected the name of the kubeconfig context to write to, which is never guessed",
        ],
    ],
    [
        "everything wrong at once",
        { "kubernetes:context": undefined, "cutover:replicas": "0", "cutover:activeColor": "red" },
        [
            "kubernetes:context: missing, expected the name of the kubeconfig context to write to, which is never guessed",
            'cutover:activeColor: got "red", expected "blue" or "green"',
            "cutover:replicas: got 0, expected a whole number of at least 1 (the live side must never be at zero)",
        ],
    ],
];

describe("bad stack config", () => {
    for (const [name, changes, lines] of cases) {
        it(name, () => {
            const config = Object.fromEntries(
                Object.entries({ ...good, ...changes }).filter(([, value]) => value !== undefined),
            ) as Record<string, string>;
            const expected = `the stack config has ${count(lines)}:\n  ${lines.join("\n  ")}`;
            assert.throws(
                () => parseSettings(config),
                (error: unknown) => {
                    assert.ok(error instanceof ConfigError);
                    assert.equal(error.message, expected);
                    return true;
                },
            );
        });
    }

    it("is told without a stack trace", () => {
        assert.throws(
            () => parseSettings({}),
            (error) => pulumi.RunError.isInstance(error),
        );
    });
});

const count = ({ length }: string[]) => (length === 1 ? "a problem" : `${length} problems`);
