import assert from "node:assert/strict";
import { mock } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { gateEnabled, GateError, routeHooks } from "../../components/gate";
import { gateSpec, serviceInputs } from "../support/fake-cluster";

interface Registration {
    name: string;
    onDryRun: boolean;
}

/** Stands in for the engine's resource monitor, which takes registrations of hooks. */
function engine(dryRun: boolean): Registration[] {
    const registered: Registration[] = [];
    const monitor = {
        registerResourceHook(
            request: { getName(): string; getOnDryRun(): boolean },
            done: (error: null, response: object) => void,
        ) {
            registered.push({ name: request.getName(), onDryRun: request.getOnDryRun() });
            done(null, {});
        },
    };
    pulumi.runtime.setMockOptions(monitor, "project", "stack", dryRun);
    return registered;
}

/**
 * Waits until the engine knows the hooks. A callback server that is shut down earlier goes on being
 * asked by the SDK whether it is up, every second, and the process never ends.
 */
async function registration(hooks: pulumi.ResourceHookBinding): Promise<void> {
    for (const bound of Object.values(hooks)) {
        await (bound as { __registered?: Promise<void> }[])[0]?.__registered;
    }
}

describe("gate: where the hooks are bound", () => {
    const gate = process.env.CUTOVER_GATE;

    beforeEach(() => {
        delete process.env.CUTOVER_GATE;
    });

    afterEach(() => {
        if (gate === undefined) delete process.env.CUTOVER_GATE;
        else process.env.CUTOVER_GATE = gate;
        // The SDK's server for callbacks, which would keep the process alive.
        pulumi.runtime.getCallbacks()?.shutdown();
    });

    it("not under Pulumi's mocks", async () => {
        await pulumi.runtime.setMocks({
            newResource: ({ inputs }) => ({ id: "id", state: inputs }),
            call: () => ({}),
        });
        assert.equal(gateEnabled(), false);
        assert.deepEqual(routeHooks("route", gateSpec()), {});
    });

    it("not with CUTOVER_GATE=off, and only with that", () => {
        engine(false);
        process.env.CUTOVER_GATE = "off";
        assert.equal(gateEnabled(), false);
        assert.deepEqual(routeHooks("route", gateSpec()), {});
        process.env.CUTOVER_GATE = "";
        assert.equal(gateEnabled(), true);
    });

    it("with an engine: before and after create and update, never around a delete", async () => {
        const registered = engine(false);
        const hooks = routeHooks("route", gateSpec());
        const names = Object.fromEntries(
            Object.entries(hooks).map(([when, bound]) => [
                when,
                (bound as pulumi.ResourceHook[]).map(({ name }) => name),
            ]),
        );
        assert.deepEqual(names, {
            beforeCreate: ["route-gate-ready-pods"],
            beforeUpdate: ["route-gate-ready-pods"],
            afterCreate: ["route-gate-endpoints"],
            afterUpdate: ["route-gate-endpoints"],
        });
        await registration(hooks);
        assert.deepEqual(registered, [
            { name: "route-gate-ready-pods", onDryRun: true },
            { name: "route-gate-endpoints", onDryRun: false },
        ]);
    });

    it("refuses only when what was said before has been delivered", async () => {
        engine(false);
        const hooks = routeHooks("route", gateSpec({ kubeconfig: "/nowhere/kubeconfig" }));
        await registration(hooks);
        const [before] = hooks.beforeCreate as pulumi.ResourceHook[];
        assert.ok(before);
        const order: string[] = [];
        // The SDK's messages are delivered one by one: the last one's turn comes after all others.
        const debug = mock.method(pulumi.log, "debug", async () => {
            await new Promise((resolve) => setTimeout(resolve, 50));
            order.push("delivered");
        });
        try {
            const refused = before.callback({
                urn: "urn:pulumi:stack::project::kubernetes:core/v1:Service::route",
                id: "",
                name: "route",
                type: "kubernetes:core/v1:Service",
                newInputs: serviceInputs("green"),
            });
            await Promise.resolve(refused).catch(() => order.push("refused"));
        } finally {
            debug.mock.restore();
        }
        assert.deepEqual(order, ["delivered", "refused"]);
    });

    for (const dryRun of [false, true]) {
        it(`without a cluster: ${dryRun ? "preview passes" : "up is refused"}`, async () => {
            engine(dryRun);
            const spec = gateSpec({ kubeconfig: "/nowhere/kubeconfig" });
            const hooks = routeHooks("route", spec);
            await registration(hooks);
            const [before] = hooks.beforeCreate as pulumi.ResourceHook[];
            assert.ok(before);
            const { callback } = before;
            const run = async () =>
                callback({
                    urn: "urn:pulumi:stack::project::kubernetes:core/v1:Service::route",
                    id: "",
                    name: "route",
                    type: "kubernetes:core/v1:Service",
                    newInputs: serviceInputs("green"),
                });
            if (dryRun) {
                const warnings = mock.method(console, "warn", () => undefined);
                try {
                    await run();
                } finally {
                    warnings.mock.restore();
                }
                const said = warnings.mock.calls.map(({ arguments: [line] }) => String(line));
                assert.match(
                    said.join(),
                    /cannot be checked in this preview: there is no kubeconfig/,
                );
                return;
            }
            return assert.rejects(
                run(),
                new GateError(
                    "api-bg is not created: there is no kubeconfig at /nowhere/kubeconfig",
                ),
            );
        });
    }
});
