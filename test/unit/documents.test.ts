import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import example from "../../examples/user-service";
import program from "../../index";
import { differences, type Json } from "../support/documents";
import { record, type Recording } from "../support/mocks";

/** The manifests of a document, as they stand there. */
function manifests(file: string): Json[] {
    const text = readFileSync(path.join(__dirname, "documents", `${file}.yaml`), "utf8");
    return parseAllDocuments(text)
        .map((document) => document.toJS())
        .filter((manifest) => manifest !== null);
}

/** The values of a manifest that ours does not have, as `path: value`. */
function lacking(manifest: Json, ours: Json): string[] {
    return differences(manifest, ours).map(([at, value]) => `${at}: ${JSON.stringify(value)}`);
}

/** Every manifest of a document with what ours lacks, by `Kind name`. */
function compared(file: string, recording: Recording): Record<string, string[]> {
    return Object.fromEntries(
        manifests(file).map((manifest) => {
            const { kind, metadata } = manifest;
            const ours = recording.resources.find(
                ({ type, inputs }) =>
                    // Our namespaces are patched, so that `destroy` leaves them.
                    [`:${kind}`, `:${kind}Patch`].some((end) => type.endsWith(end)) &&
                    (inputs.metadata as Json)?.name === metadata.name &&
                    (metadata.namespace === undefined ||
                        (inputs.metadata as Json)?.namespace === metadata.namespace),
            );
            const found =
                ours === undefined
                    ? ["missing"]
                    : lacking(manifest, {
                          apiVersion: manifest.apiVersion,
                          kind,
                          ...ours.inputs,
                      });
            return [`${kind} ${metadata.name}`, found];
        }),
    );
}

const IMAGE = "shreeraj1746/endpoint-stats";
/** A tag that moves is refused, so the manifests' own cannot be asked for. */
const LATEST = `spec.template.spec.containers.flask-api.image: "${IMAGE}:latest"`;

const releases = {
    "1.0.0": { image: `${IMAGE}:1.0.0` },
    "2.0.0": { image: `${IMAGE}:v2.0.0`, changeCause: "Updating to version 2.0.0" },
};

/** The first document's API by this project's program. */
const api = (changes: Record<string, string>): Promise<Recording> =>
    record(program, {
        config: {
            "kubernetes:context": "production",
            "cutover:releases": JSON.stringify(releases),
            ...changes,
        },
    });

/** The second document's service by the example. */
const userService = (changes: Record<string, string>): Promise<Recording> =>
    record(example, {
        config: {
            "kubernetes:context": "production",
            "user-service:registry": "ecommerce",
            "user-service:releases": JSON.stringify({
                "1.0.0": { image: "ecommerce/user-service:blue-v1.0.0" },
                "1.1.0": { image: "ecommerce/user-service:green-v1.1.0" },
            }),
            "user-service:blue": "1.0.0",
            "user-service:green": "1.1.0",
            "user-service:stable": "1.0.0",
            "user-service:canary": "1.1.0",
            ...changes,
        },
    });

// Each list is all that differs. What is not a mistake of the document has its reason beside it.
describe("the documents' manifests, value by value", () => {
    it("rolling update, one more and none fewer", async () => {
        const rolling = { "cutover:strategy": "rolling", "cutover:current": "1.0.0" };
        assert.deepEqual(compared("rolling", await api(rolling)), {
            "Deployment flask-api": [LATEST],
        });
    });

    it("rolling update, 25 % more and 25 % fewer", async () => {
        const rolling = {
            "cutover:strategy": "rolling",
            "cutover:current": "2.0.0",
            "cutover:rollingUpdate": JSON.stringify({ maxSurge: "25%", maxUnavailable: "25%" }),
        };
        const recording = await api(rolling);
        // In the pod template it restarts all pods; inside a container Kubernetes refuses the other.
        assert.deepEqual(compared("rolling-quarter", recording), {
            "Deployment flask-api": [
                'spec.template.metadata.annotations.kubernetes.io/change-cause: "Updating to version 2.0.0"',
                "spec.template.spec.containers.flask-api.terminationGracePeriodSeconds: 30",
            ],
        });
        const deployment = recording.one("kubernetes:apps/v1:Deployment", "flask-api");
        const { annotations } = deployment.inputs.metadata as Json;
        assert.equal(annotations["kubernetes.io/change-cause"], "Updating to version 2.0.0");
        assert.equal(deployment.input("spec.template.spec.terminationGracePeriodSeconds"), 30);
    });

    it("blue/green, green at first without pods", async () => {
        const pair = {
            "cutover:serviceName": "flask-api-bg",
            "cutover:blue": "1.0.0",
            "cutover:green": "2.0.0",
            "cutover:idle": "cold",
        };
        assert.deepEqual(compared("blue-green", await api(pair)), {
            "Deployment flask-api-blue": [LATEST],
            "Deployment flask-api-green": [LATEST],
            "Service flask-api-bg": [],
        });
    });

    it("canary pair, 4 and 1 behind one Service", async () => {
        const pair = {
            "cutover:serviceName": "flask-api-canary",
            "cutover:strategy": "canary",
            "cutover:stable": "1.0.0",
            "cutover:canary": "2.0.0",
            "cutover:canaryWeight": "20",
        };
        assert.deepEqual(compared("canary", await api(pair)), {
            "Deployment flask-api-canary": [LATEST],
            "Deployment flask-api-stable": [LATEST],
            "Service flask-api-canary": [],
        });
    });

    it("autoscaler", async () => {
        const scaled = {
            "cutover:strategy": "rolling",
            "cutover:current": "1.0.0",
            "cutover:autoscaling": "{}",
        };
        assert.deepEqual(compared("autoscaler", await api(scaled)), {
            "HorizontalPodAutoscaler flask-api-hpa": [],
        });
    });

    it("two namespaces", async () => {
        const found = compared(
            "namespaces",
            await userService({ "user-service:strategy": "blueGreen" }),
        );
        // `version` is the release; the URL is a file; a Service without a type is a ClusterIP.
        const env = "spec.template.spec.containers.user-service.env.DATABASE_URL";
        for (const color of ["blue", "green"]) {
            assert.deepEqual(found[`Namespace ecommerce-${color}`], []);
            assert.deepEqual(found[`Deployment user-service-${color}`], [
                `spec.selector.matchLabels.version: "${color}"`,
                `spec.template.metadata.labels.version: "${color}"`,
                `${env}.name: "DATABASE_URL"`,
                `${env}.valueFrom.secretKeyRef.name: "db-secret-${color}"`,
                `${env}.valueFrom.secretKeyRef.key: "url"`,
            ]);
            assert.deepEqual(found[`Service user-service-${color}`], [
                `spec.selector.version: "${color}"`,
                'spec.type: "ClusterIP"',
            ]);
        }
        assert.equal(Object.keys(found).length, 6);
    });

    it("load balancer", async () => {
        const found = compared(
            "router",
            await userService({ "user-service:strategy": "blueGreen" }),
        );
        const container = "spec.template.spec.containers.nginx";
        // An unprivileged nginx cannot listen on 80; a mount by subPath never changes.
        assert.deepEqual(found["Deployment nginx-load-balancer"], [
            `${container}.image: "nginx:1.21"`,
            `${container}.ports.0.containerPort: 80`,
            `${container}.volumeMounts.nginx-config.name: "nginx-config"`,
            `${container}.volumeMounts.nginx-config.mountPath: "/etc/nginx/nginx.conf"`,
            `${container}.volumeMounts.nginx-config.subPath: "nginx.conf"`,
            'spec.template.spec.volumes.nginx-config.name: "nginx-config"',
            'spec.template.spec.volumes.nginx-config.configMap.name: "nginx-config"',
        ]);
        // Its name has the hash of what it says; nginx refuses what the document's says.
        assert.deepEqual(found["ConfigMap nginx-config"], ["missing"]);
    });

    it("stepped canary: what the Rollout asks for, and its two Services", async () => {
        const recording = await userService({ "user-service:strategy": "canary" });
        const found = compared("stepped-canary", recording);
        assert.deepEqual(found["Service user-service-stable"], []);
        assert.deepEqual(found["Service user-service-canary"], []);
        const [{ spec }] = manifests("stepped-canary");
        const stable = recording.one("kubernetes:apps/v1:Deployment", "user-service-stable");
        const { replicas, selector, template } = spec;
        assert.deepEqual(lacking({ replicas, selector, template }, stable.inputs.spec), [
            'template.spec.containers.user-service.image: "ecommerce/user-service:canary-v1.1.0"',
        ]);
        const written = readFileSync(CANARY_CONFIG, "utf8");
        assert.deepEqual(
            argoSteps(parse(written).config["user-service:steps"]),
            spec.strategy.canary.steps,
        );
    });
});

const CANARY_CONFIG = path.join(__dirname, "..", "..", "examples/user-service/Pulumi.canary.yaml");

/** Our steps as Argo writes them. */
function argoSteps(steps: { setWeight: number; pause: string }[]): Json[] {
    return steps.flatMap(({ setWeight, pause }) => [{ setWeight }, { pause: { duration: pause } }]);
}
