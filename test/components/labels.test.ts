import assert from "node:assert/strict";
import program from "../../index";
import { record, type Registered } from "../support/mocks";

const releases = {
    "1.0.0": {
        image: "api:1.0.0",
        files: { "features.json": "{}" },
        secrets: { token: "t0ken" },
    },
    "2.0.0": { image: "api:2.0.0" },
};
const pair = { blue: "1.0.0", green: "2.0.0" };
const tracks = { strategy: "canary", stable: "1.0.0", canary: "2.0.0" };

/** Every valid choice of strategy, routing and isolation, with the keys that it needs. */
const setUps: Record<string, Record<string, unknown>> = {
    rolling: { strategy: "rolling", current: "1.0.0" },
    "blue/green": { ...pair, autoscaling: {} },
    "blue/green behind nginx": { ...pair, routing: "nginx" },
    "blue/green behind nginx, in two namespaces": {
        ...pair,
        routing: "nginx",
        isolation: "namespaces",
    },
    "blue/green behind a gateway, in two namespaces": {
        ...pair,
        routing: "gateway",
        isolation: "namespaces",
        gateway: { parent: { name: "edge", namespace: "edge" } },
    },
    "a canary pair": { ...tracks, canaryWeight: 20 },
    "a canary pair behind nginx": { ...tracks, routing: "nginx", canaryWeight: 20 },
    "an external database": {
        ...pair,
        database: { host: "db.example.com", passwordSecret: { name: "db-password" } },
    },
};

/** The labels that tools and people look for, see kubernetes.io/docs on common labels. */
const RECOMMENDED = ["name", "component", "part-of", "managed-by"].map(
    (key) => `app.kubernetes.io/${key}`,
);

async function resourcesOf(setUp: Record<string, unknown>): Promise<Registered[]> {
    const keys = Object.entries({
        releases,
        api: { labels: { team: "core" } },
        ...setUp,
    }).map(([key, value]) => [
        `cutover:${key}`,
        typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
    const config = { "kubernetes:context": "fake", ...Object.fromEntries(keys) };
    return (await record(program, { config })).resources;
}

async function objectsOf(setUp: Record<string, unknown>): Promise<Registered[]> {
    return (await resourcesOf(setUp)).filter(
        // The namespace is the user's; of ours are only the labels of Pod Security.
        ({ type }) => type.startsWith("kubernetes:") && !type.endsWith(":NamespacePatch"),
    );
}

describe("labels", () => {
    for (const [name, setUp] of Object.entries(setUps)) {
        it(`are on every object and every pod: ${name}`, async () => {
            const objects = await objectsOf(setUp);
            assert.ok(objects.length > 5);
            for (const object of objects) {
                for (const path of ["metadata.labels", "spec.template.metadata.labels"]) {
                    if (path.startsWith("spec") && object.input("spec.template") === undefined) {
                        continue;
                    }
                    const labels = (object.input(path) ?? {}) as Record<string, string>;
                    const missing = ["app", ...RECOMMENDED].filter((key) => !labels[key]);
                    assert.deepEqual(missing, [], `${object.id} ${path}`);
                }
            }
        });

        it(`tell the side of what belongs to one: ${name}`, async () => {
            for (const object of await objectsOf(setUp)) {
                const [, side] = /-(blue|green|stable|canary)\b/.exec(object.name) ?? [];
                const kind = object.type.split(":").at(-1) ?? "";
                const ofSide = ["Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"];
                if (side === undefined || !ofSide.includes(kind)) continue;
                const labels = object.input("metadata.labels") as Record<string, string>;
                const key = side === "blue" || side === "green" ? "deployment" : "track";
                assert.equal(labels[key], side, object.id);
            }
        });
    }

    it("hold every namespace to Pod Security, and policies close it: that of each color too", async () => {
        const isolated = { ...pair, routing: "nginx", isolation: "namespaces" };
        const resources = await resourcesOf(isolated);
        const names = ["endpoint-stats", "endpoint-stats-blue", "endpoint-stats-green"];
        const held = resources
            .filter(({ type }) => type.endsWith(":NamespacePatch"))
            .filter((namespace) => {
                const labels = namespace.input("metadata.labels") as Record<string, string>;
                return labels["pod-security.kubernetes.io/enforce"] === "restricted";
            });
        assert.deepEqual(held.map((namespace) => namespace.input("metadata.name")).sort(), names);
        const closed = resources.filter(
            ({ type, inputs }) =>
                type.endsWith(":NetworkPolicy") && /default-deny/.test(JSON.stringify(inputs)),
        );
        assert.deepEqual(closed.map((policy) => policy.input("metadata.namespace")).sort(), names);
    });

    it("of the user are on every object of the API, and in place of none of ours", async () => {
        const api = { labels: { team: "core", app: "other", "app.kubernetes.io/name": "other" } };
        for (const object of await objectsOf({ ...pair, api })) {
            const labels = object.input("metadata.labels") as Record<string, string>;
            if (labels.component !== "api") continue;
            assert.deepEqual(
                [labels.team, labels.app, labels["app.kubernetes.io/name"]],
                ["core", "flask-api", "flask-api"],
                object.id,
            );
        }
    });
});
