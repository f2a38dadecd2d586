import assert from "node:assert/strict";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    Disruption,
    NetworkPolicies,
    Workload,
    type NetworkArgs,
    type WorkloadArgs,
} from "../../../components";
import { type Program, type Result, TestStack } from "../support/stack";
import { CONTROL_PLANE_TIMEOUT_MS, sharedCluster, type TestCluster } from "./control-plane";

/** An annotation. */
type Shown = pulumi.Output<string>;

describe("what hardens a stack, and the engine", function () {
    this.timeout(120_000);
    let cluster: TestCluster;
    let stack: TestStack;
    let namespace: string;

    before(async function () {
        this.timeout(CONTROL_PLANE_TIMEOUT_MS);
        cluster = await sharedCluster();
    });

    beforeEach(async () => {
        namespace = await cluster.namespace();
        stack = await TestStack.create();
        const { kubeconfig } = cluster;
        const set = await stack.pulumi("config", "set", "kubernetes:kubeconfig", kubeconfig);
        assert.equal(set.code, 0, set.stderr);
    });
    afterEach(() => stack.dispose());

    async function up(program: Program): Promise<Result> {
        const result = await stack.up(program);
        assert.ok(result.ok, result.errors.join("\n"));
        return result;
    }

    /** The Service shows what `shownOf` makes of the Secret, as the public one shows what runs. */
    function program(password: string, shownOf: (secret: k8s.core.v1.Secret) => Shown): Program {
        return () => {
            const secret = new k8s.core.v1.Secret("tls", {
                metadata: { name: "tls", namespace },
                stringData: { password },
            });
            new k8s.core.v1.Service("public", {
                metadata: {
                    name: "public",
                    namespace,
                    annotations: { "pulumi.com/skipAwait": "true", shown: shownOf(secret) },
                },
                spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
            });
        };
    }

    const workload = (more: Partial<WorkloadArgs>) =>
        new Workload("web", {
            app: "web",
            deployment: "web",
            namespace,
            selector: { app: "web", deployment: "blue" },
            release: "1.0.0",
            image: "web:1.0.0",
            replicas: 1,
            awaited: false,
            serviceAccount: "default",
            ...more,
        });

    const mounted = (secret: k8s.core.v1.Secret) => ({
        name: "tls",
        secretName: secret.metadata.name,
        files: { password: "password" },
        mountPath: "/etc/tls",
    });

    it("a new Secret of the same name takes nothing with it that mounts it", async () => {
        const shown = (secret: k8s.core.v1.Secret) =>
            workload({ secretFiles: [mounted(secret)] }).fingerprint;
        await up(program("a", shown));
        const { steps } = await up(program("b", shown));
        assert.deepEqual(steps, ["delete-replaced tls", "create-replacement tls", "replace tls"]);
    });

    it("where a property comes from the Secret, the engine deletes what is live", async () => {
        const shown = (secret: k8s.core.v1.Secret) =>
            pulumi.output(mounted(secret)).apply((mount) => JSON.stringify(mount));
        await up(program("a", shown));
        const { steps } = await up(program("b", shown));
        assert.deepEqual(steps.slice(0, 2), ["delete-replaced public", "delete-replaced tls"]);
    });

    it("a preview knows what a name that is not known yet leads to", async () => {
        const named: Program = () => {
            const secret = new k8s.core.v1.Secret("generated", { metadata: { namespace } });
            const env = { UID: secret.metadata.uid };
            return { fingerprint: workload({ env }).fingerprint };
        };
        const preview = await stack.preview(named);
        assert.ok(preview.ok, preview.errors.join("\n"));
        assert.match((await up(named)).outputs.fingerprint as string, /^[0-9a-f]{10}$/);
    });

    it("policies and budgets are changed where they are, and never differ by themselves", async () => {
        const closed =
            (network: NetworkArgs, deployment = "web"): Program =>
            () => {
                new Disruption("budget", { namespace, deployment, selector: { app: deployment } });
                new NetworkPolicies("net", {
                    app: "web",
                    namespaces: [namespace],
                    port: 9999,
                    database: { namespace, selector: { app: "postgres" }, port: 5432 },
                    network,
                });
            };
        const open = { ingress: [{ namespaceSelector: {} }], egress: [] };
        await up(closed({}));
        assert.deepEqual((await up(closed({}))).steps, []);
        const opened = await up(closed(open));
        assert.deepEqual(opened.changes.update, 3);
        assert.deepEqual(opened.changes.replace, undefined);
        const refreshed = await stack.refresh();
        assert.ok(refreshed.ok, refreshed.errors.join("\n"));
        assert.deepEqual((await up(closed(open))).steps, []);
    });
});
