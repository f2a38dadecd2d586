import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import type { Inputs } from "../../../sandbox/engine/providers/types";
import { type Program, type Result, TestStack } from "../support/stack";
import {
    CONTROL_PLANE_TIMEOUT_MS,
    patchAs,
    playKubelet,
    sharedCluster,
    type TestCluster,
} from "./control-plane";

interface Release {
    greeting: string;
    image: string;
    app: string;
    /** In seconds. */
    deadline: number;
}

const FIRST: Release = { greeting: "hello", image: "good:1", app: "web", deadline: 30 };

/** A program as a user writes it, with what a release changes. */
const program =
    (release: Release, namespaceName: string): Program =>
    () => {
        const namespace = new k8s.core.v1.Namespace("ns", { metadata: { name: namespaceName } });
        const inNamespace = { namespace: namespace.metadata.name };
        const password = new random.RandomPassword("password", { length: 20 });
        const config = new k8s.core.v1.ConfigMap("config", {
            metadata: inNamespace,
            data: { greeting: release.greeting },
        });
        const secret = new k8s.core.v1.Secret("secret", {
            metadata: { ...inNamespace, name: "web-secret" },
            stringData: { password: password.result },
        });
        const labels = { app: release.app };
        const deployment = new k8s.apps.v1.Deployment(
            "web",
            {
                metadata: { ...inNamespace, name: "web" },
                spec: {
                    replicas: 2,
                    selector: { matchLabels: labels },
                    template: {
                        metadata: { labels },
                        spec: {
                            containers: [
                                {
                                    name: "main",
                                    image: release.image,
                                    envFrom: [
                                        { configMapRef: { name: config.metadata.name } },
                                        { secretRef: { name: secret.metadata.name } },
                                    ],
                                },
                            ],
                        },
                    },
                },
            },
            { customTimeouts: { create: `${release.deadline}s`, update: `${release.deadline}s` } },
        );
        const service = new k8s.core.v1.Service(
            "service",
            {
                metadata: {
                    ...inNamespace,
                    name: "web",
                    annotations: { "pulumi.com/skipAwait": "true" },
                },
                spec: { selector: labels, ports: [{ port: 80, targetPort: 9999 }] },
            },
            { dependsOn: deployment },
        );
        return Promise.resolve({
            config: config.metadata.name,
            password: password.result,
            clusterIp: service.spec.clusterIP,
        });
    };

describe("engine and kubernetes provider together", function () {
    this.timeout(120_000);
    let cluster: TestCluster;
    let stack: TestStack;
    let namespace: string;
    let stopKubelet: AbortController;
    let count = 0;

    before(async function () {
        this.timeout(CONTROL_PLANE_TIMEOUT_MS);
        cluster = await sharedCluster();
    });

    beforeEach(async () => {
        namespace = `program-${++count}`;
        stack = await TestStack.create();
        const set = await stack.pulumi(
            "config",
            "set",
            "kubernetes:kubeconfig",
            cluster.kubeconfig,
        );
        assert.equal(set.code, 0, set.stderr);
        stopKubelet = new AbortController();
        void playKubelet(cluster.client, undefined, stopKubelet.signal, (pod) => {
            const [container] = (pod.spec as { containers: { image: string }[] }).containers;
            return container?.image.startsWith("good") === true
                ? "ready"
                : { waiting: "ImagePullBackOff", message: "Back-off pulling image" };
        });
    });
    afterEach(() => {
        stopKubelet.abort();
        stack.dispose();
    });

    const get = (path: string): Promise<Inputs> =>
        cluster.client.request("GET", `/api/v1/namespaces/${namespace}${path}`);
    const getApp = (path: string): Promise<Inputs> =>
        cluster.client.request("GET", `/apis/apps/v1/namespaces/${namespace}${path}`);

    async function up(release: Release, ...flags: string[]): Promise<Result> {
        return stack.up(program(release, namespace), ...flags);
    }

    async function succeed(operation: Promise<Result>): Promise<Result> {
        const result = await operation;
        assert.ok(result.ok, result.errors.join("\n"));
        return result;
    }

    it("creates, leaves alone, updates, replaces and destroys", async () => {
        const previewed = await succeed(stack.preview(program(FIRST, namespace)));
        assert.deepEqual(previewed.changes, { create: 7 });

        const created = await succeed(up(FIRST));
        assert.deepEqual(created.changes, { create: 7 });
        const name = created.outputs.config as string;
        assert.match(name, /^config-[0-9a-f]{8}$/);
        assert.equal(previewed.outputs.config, name, "the preview knew the generated name");
        assert.deepEqual((await get(`/configmaps/${name}`)).data, { greeting: "hello" });
        assert.equal(
            ((await get("/services/web")).spec as Inputs).clusterIP,
            created.outputs.clusterIp,
        );
        const unchanged = await succeed(up(FIRST, "--expect-no-changes"));
        assert.deepEqual(unchanged.changes, { same: 7 });

        // New data replaces the generated ConfigMap: the new one first, the old one last.
        const greeted = await succeed(up({ ...FIRST, greeting: "hi" }));
        assert.deepEqual(greeted.steps, [
            "create-replacement config",
            "replace config",
            "update web",
            "delete-replaced config",
        ]);
        const renamed = greeted.outputs.config as string;
        assert.notEqual(renamed, name);
        await assert.rejects(get(`/configmaps/${name}`), { reason: "NotFound" });

        // A new selector replaces the Deployment, which has a name of its own: the old one goes first.
        const moved = await succeed(up({ ...FIRST, greeting: "hi", app: "site" }));
        assert.deepEqual(moved.steps, [
            "delete-replaced web",
            "create-replacement web",
            "replace web",
            "update service",
        ]);
        assert.deepEqual(((await get("/services/web")).spec as Inputs).selector, { app: "site" });

        const gone = await succeed(stack.destroy());
        assert.deepEqual(gone.changes, { delete: 7 });
        await assert.rejects(get(""), { reason: "NotFound" });
    });

    it("keeps secrets out of the state's plain text, wherever the provider puts them", async () => {
        const { outputs } = await succeed(up(FIRST));
        const secret = await get("/secrets/web-secret");
        const encoded = (secret.data as { password: string }).password;
        const password = Buffer.from(encoded, "base64").toString();
        assert.equal(password.length, 20);
        assert.ok(JSON.stringify(outputs.password).includes("1b47061264138c4ac30d75fd1eb44270"));
        const state = readFileSync(stack.file("backend/.pulumi/stacks/sample/dev.json"), "utf8");
        assert.ok(state.includes("web-secret"));
        for (const text of [password, encoded, JSON.stringify(password).slice(1, -1)]) {
            assert.ok(!state.includes(text), "the state shows the password");
        }
        await succeed(stack.refresh());
        const refreshed = readFileSync(
            stack.file("backend/.pulumi/stacks/sample/dev.json"),
            "utf8",
        );
        assert.ok(!refreshed.includes(encoded), "the refreshed state shows the password");
        assert.deepEqual((await succeed(up(FIRST))).changes, { same: 7 });
    });

    it("fails with the pod's reason, keeps what is there, and heals with the next up", async () => {
        await succeed(up(FIRST));
        const failed = await up({ ...FIRST, image: "nope:1", deadline: 4 });
        assert.equal(failed.ok, false);
        assert.match(failed.errors.join("\n"), /'web' timed out waiting to be Ready/);
        assert.match(
            failed.errors.join("\n"),
            /\[Pod program-.*ImagePullBackOff\] Back-off pulling/,
        );
        assert.ok(((await stack.resource("web")).initErrors ?? []).length > 0);

        // The same again is tried again, although nothing differs.
        const again = await up({ ...FIRST, image: "nope:1", deadline: 4 });
        assert.equal(again.ok, false);
        const healed = await succeed(up({ ...FIRST, image: "good:2" }));
        assert.deepEqual(healed.steps, ["update web"]);
        assert.deepEqual((await stack.resource("web")).initErrors ?? [], []);
    });

    it("sees drift by refresh and repairs it by up", async () => {
        await succeed(up(FIRST));
        const path = `/apis/apps/v1/namespaces/${namespace}/deployments/web`;
        await patchAs(cluster.client, "kubectl-edit", path, { spec: { replicas: 5 } });
        await cluster.client.request("DELETE", `/api/v1/namespaces/${namespace}/services/web`);
        const refreshed = await succeed(stack.refresh());
        assert.deepEqual(refreshed.steps.sort(), ["delete service", "update web"]);
        const repaired = await succeed(up(FIRST));
        assert.deepEqual(repaired.steps, ["update web", "create service"]);
        assert.equal(((await getApp("/deployments/web")).spec as Inputs).replicas, 2);
    });

    it("reports a conflict with another manager, and stays at it until it is solved", async () => {
        await succeed(up(FIRST));
        await cluster.client.request(
            "PATCH",
            `/apis/apps/v1/namespaces/${namespace}/deployments/web/scale`,
            {
                query: { fieldManager: "autoscaler" },
                body: { spec: { replicas: 3 } },
                contentType: "application/merge-patch+json",
            },
        );
        for (let attempt = 0; attempt < 2; attempt++) {
            const failed = await up({ ...FIRST, image: "good:2" });
            assert.equal(failed.ok, false);
            assert.match(
                failed.errors.join("\n"),
                /conflict with "autoscaler" with subresource "scale"/,
            );
        }
    });

    it("uses a provider of the program's own, with its namespace", async () => {
        const home = await cluster.namespace();
        const own: Program = () => {
            const provider = new k8s.Provider("own", {
                kubeconfig: readFileSync(cluster.kubeconfig, "utf8"),
                namespace: home,
                enableConfigMapMutable: true,
            });
            new k8s.core.v1.ConfigMap(
                "a",
                { metadata: { name: "a" }, data: { b: "1" } },
                { provider },
            );
        };
        await succeed(stack.up(own));
        assert.equal((await stack.resource("a")).id, `${home}/a`);
        assert.deepEqual((await succeed(stack.up(own))).steps, []);
        await succeed(stack.destroy());
    });
});
