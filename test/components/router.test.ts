import assert from "node:assert/strict";
import { Service } from "@pulumi/kubernetes/core/v1/service";
import { Router, renderNginx, type RouterArgs } from "../../components/router";
import { record, type Recording } from "../support/mocks";
import { colors } from "../unit/router/cases";

const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";
const POD = "spec.template.spec";
const CONTAINER = `${POD}.containers.0`;

const base: RouterArgs = {
    app: "user-service",
    namespace: "ecommerce",
    backends: colors("blue", 0),
};

function router(args: Partial<RouterArgs> = {}): Promise<Recording> {
    return record(() => {
        const { name, selector, port, replicas, fingerprint } = new Router("user-service-router", {
            ...base,
            ...args,
        });
        return { name, selector, port, replicas, fingerprint };
    });
}

const deploymentOf = async (args: Partial<RouterArgs> = {}) => (await router(args)).one(DEPLOYMENT);

describe("Router", () => {
    it("is the documents' load balancer", async () => {
        const { outputs, ...found } = await router();
        const deployment = found.one(DEPLOYMENT);
        assert.equal(deployment.input("metadata.name"), "nginx-load-balancer");
        assert.equal(deployment.input("metadata.namespace"), "ecommerce");
        assert.equal(deployment.input("spec.replicas"), 2);
        assert.deepEqual(deployment.input("spec.selector"), {
            matchLabels: { app: "nginx-load-balancer" },
        });
        assert.deepEqual(
            { ...outputs, fingerprint: undefined },
            {
                name: "nginx-load-balancer",
                selector: { app: "nginx-load-balancer" },
                port: 8080,
                replicas: 2,
                fingerprint: undefined,
            },
        );
    });

    it("consists of an account, a config, a Deployment and a budget, all below the component", async () => {
        const { resources } = await router();
        const own = resources.filter(({ type }) => type.startsWith("kubernetes:"));
        assert.deepEqual(own.map(({ type }) => type.split(":").at(-1)).sort(), [
            "ConfigMap",
            "Deployment",
            "PodDisruptionBudget",
            "ServiceAccount",
        ]);
        assert.ok(own.every(({ parent }) => parent.startsWith("cutover:index:")));
    });

    describe("its config", () => {
        it("is immutable, and named by its content in the cluster and in the stack", async () => {
            const [before, after] = [
                await router(),
                await router({ backends: colors("blue", 10) }),
            ];
            const [first, second] = [before.one(CONFIG_MAP), after.one(CONFIG_MAP)];
            assert.equal(first.input("immutable"), true);
            assert.deepEqual(first.input("data"), { "nginx.conf": renderNginx(colors("blue", 0)) });
            assert.match(
                String(first.input("metadata.name")),
                /^nginx-load-balancer-[0-9a-f]{10}$/,
            );
            assert.notEqual(first.input("metadata.name"), second.input("metadata.name"));
            // Another resource: the old config is deleted last, and not by an `up` that fails.
            assert.notEqual(first.name, second.name);
        });

        it("reaches the pods as a folder, by its name, so that another one is another pod", async () => {
            const [before, after] = [
                await router(),
                await router({ backends: colors("blue", 10) }),
            ];
            for (const found of [before, after]) {
                const volumes = found.one(DEPLOYMENT).input(`${POD}.volumes`) as { name: string }[];
                assert.deepEqual(
                    volumes.find(({ name }) => name === "config"),
                    {
                        name: "config",
                        configMap: { name: found.one(CONFIG_MAP).input("metadata.name") },
                    },
                );
            }
            assert.notEqual(before.outputs.fingerprint, after.outputs.fingerprint);
            const mounts = before.one(DEPLOYMENT).input(`${CONTAINER}.volumeMounts`);
            assert.deepEqual(mounts, [
                { name: "tmp", mountPath: "/tmp" },
                { name: "config", mountPath: "/etc/cutover/router", readOnly: true },
            ]);
        });

        it("is there before the pods, and so is what the router waits for", async () => {
            const found = await record(() => {
                const service = new Service("user-service-blue", {});
                return {
                    port: new Router("user-service-router", base, { dependsOn: [service] }).port,
                };
            });
            const before = found.one(DEPLOYMENT).dependsOn;
            assert.ok(before.includes(found.one(CONFIG_MAP).id), before.join());
            assert.ok(before.includes("kubernetes:core/v1:Service::user-service-blue"));
        });
    });

    it("changes all pods at once, and takes none away before", async () => {
        const deployment = await deploymentOf();
        assert.deepEqual(deployment.input("spec.strategy"), {
            type: "RollingUpdate",
            rollingUpdate: { maxSurge: "100%", maxUnavailable: 0 },
        });
        assert.equal(deployment.input(`${CONTAINER}.readinessProbe.periodSeconds`), 1);
        assert.equal(deployment.input("spec.minReadySeconds"), undefined);
    });

    it("is waited for by Pulumi too, and the gate sees what runs behind it", async () => {
        const deployment = await deploymentOf({ serves: "release 1.0.0" });
        assert.deepEqual(deployment.input("metadata.annotations"), {
            "pulumi.com/deletionPropagationPolicy": "background",
            "cutover.local/serves": "release 1.0.0",
        });
        assert.equal(deployment.input("spec.template.metadata.annotations"), undefined);
    });

    it("drains before it is told to quit, and has time for both", async () => {
        const of = async (drainSeconds?: number) => {
            const deployment = await deploymentOf({ settings: { drainSeconds } });
            return [
                deployment.input(`${CONTAINER}.lifecycle.preStop.exec.command.2`),
                deployment.input(`${POD}.terminationGracePeriodSeconds`),
            ];
        };
        assert.deepEqual(await of(), ["touch /tmp/draining && sleep 10", 35]);
        assert.deepEqual(await of(30), ["touch /tmp/draining && sleep 30", 55]);
        const command = (await deploymentOf()).input(`${CONTAINER}.command.2`);
        assert.match(String(command), /^rm -f \/tmp\/draining && exec nginx /);
    });

    it("may do nothing that it does not need", async () => {
        const found = await router();
        const deployment = found.one(DEPLOYMENT);
        assert.equal(
            found.one("kubernetes:core/v1:ServiceAccount").input("automountServiceAccountToken"),
            false,
        );
        assert.equal(deployment.input(`${POD}.automountServiceAccountToken`), false);
        assert.equal(deployment.input(`${POD}.securityContext.runAsNonRoot`), true);
        assert.deepEqual(deployment.input(`${POD}.securityContext.seccompProfile`), {
            type: "RuntimeDefault",
        });
        assert.deepEqual(deployment.input(`${CONTAINER}.securityContext`), {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
        });
        const { requests, limits } = deployment.input(`${CONTAINER}.resources`) as Record<
            string,
            Record<string, string>
        >;
        const bounded = ["cpu", "ephemeral-storage", "memory"];
        assert.deepEqual(Object.keys(requests ?? {}).sort(), bounded);
        assert.deepEqual(Object.keys(limits ?? {}).sort(), bounded);
    });

    it("survives the loss of a node, and lets one be drained", async () => {
        const found = await router();
        const budget = found.one("kubernetes:policy/v1:PodDisruptionBudget");
        assert.equal(budget.input("spec.maxUnavailable"), 1);
        assert.equal(budget.input("spec.unhealthyPodEvictionPolicy"), "AlwaysAllow");
        const selector = { matchLabels: { app: "nginx-load-balancer" } };
        assert.deepEqual(budget.input("spec.selector"), selector);
        const spread = found.one(DEPLOYMENT).input(`${POD}.topologySpreadConstraints.0`) as object;
        assert.deepEqual(Object(spread).labelSelector, selector);
        assert.equal(Object(spread).whenUnsatisfiable, "ScheduleAnyway");
    });

    it("can be called and sized otherwise", async () => {
        const deployment = await deploymentOf({
            settings: {
                name: "edge",
                replicas: 3,
                image: "registry/nginx:1.29.1",
                resources: { requests: { cpu: "25m" } },
            },
            labels: { team: "shop", app: "not this" },
            imagePullSecrets: ["registry"],
        });
        assert.equal(deployment.input("metadata.name"), "edge");
        assert.equal(deployment.input("spec.replicas"), 3);
        assert.equal(deployment.input(`${CONTAINER}.image`), "registry/nginx:1.29.1");
        assert.deepEqual(deployment.input(`${CONTAINER}.resources.requests`), { cpu: "25m" });
        assert.deepEqual(deployment.input(`${POD}.imagePullSecrets`), [{ name: "registry" }]);
        const labels = deployment.input("spec.template.metadata.labels") as Record<string, string>;
        assert.equal(labels.team, "shop");
        assert.equal(labels.app, "edge");
    });

    it("refuses all that is wrong at once", () => {
        const make = () =>
            new Router("user-service-router", {
                ...base,
                backends: colors("blue", 10).map((side) => ({ ...side, main: true })),
                settings: { replicas: 0 },
            });
        assert.throws(make, {
            message: [
                'Router "user-service-router" has 2 problems:',
                "  router.replicas: got 0, expected a whole number from 1 to 100",
                '  backends: got ["blue","green"], expected exactly one main side',
            ].join("\n"),
        });
    });
});
