import assert from "node:assert/strict";
import type { GatewayBackend, GatewaySettings } from "../../../components/gateway";
import { get } from "../../support/gateway";
import { API, CLASS, CONTROLLER, GROUP, INFRA, type GatewaySite } from "./site";
import { GatewayStack, type Outcome } from "./stack";

const NAMESPACE = "cutover-gateway";
const BLUE = `${NAMESPACE}-blue`;
const GREEN = `${NAMESPACE}-green`;
const NAMESPACES = [NAMESPACE, BLUE, GREEN];
const DEADLINE_SECONDS = 4;
/** What an engine command itself may take beside the wait, on a busy machine. */
const ENGINE_SECONDS = 30;

const ROUTE = `${API}/namespaces/${NAMESPACE}/httproutes/users`;
const GRANT = `/apis/${GROUP}/v1beta1/namespaces/${GREEN}/referencegrants/users`;
const WRITTEN = `HTTPRoute ${NAMESPACE}/users is written, but after ${DEADLINE_SECONDS} s`;

function settings(gateway: string): GatewaySettings {
    return {
        parent: { name: gateway, namespace: INFRA },
        hostnames: ["users.example.com"],
        requestTimeoutSeconds: 10,
        previewHeader: "X-Side",
        acceptDeadlineSeconds: DEADLINE_SECONDS,
    };
}

function colors(blue: number): GatewayBackend[] {
    return [
        { service: "users-blue", side: "blue", namespace: BLUE, port: 80, weight: blue },
        { service: "users-green", side: "green", namespace: GREEN, port: 80, weight: 100 - blue },
    ];
}

/** The component by itself: the cluster starts without the API and gets one part after the other. */
export function routeSuite(siteOf: () => GatewaySite): void {
    let site: GatewaySite;
    let stack: GatewayStack | undefined;

    before(async () => {
        site = siteOf();
        for (const name of NAMESPACES) await site.kube.freshNamespace(name);
        stack = await GatewayStack.open(site.cluster, NAMESPACE);
        await stack.configure({ settings: settings("main"), backends: colors(100) });
    });

    after(async () => {
        await stack?.remove();
        for (const name of NAMESPACES) await site?.kube.removeNamespace(name);
    });

    const running = (): GatewayStack => stack as GatewayStack;

    async function mustUp(): Promise<void> {
        const { ok, output } = await running().up();
        assert.ok(ok, output);
    }

    /** An `up` that fails for just this reason, in time, and leaves what depends on the route alone. */
    async function mustFail(reason: string, state: unknown): Promise<Outcome> {
        const outcome = await running().up();
        assert.equal(outcome.ok, false, "the update succeeded");
        assert.ok(outcome.output.includes(reason), outcome.output);
        assert.ok(outcome.seconds < DEADLINE_SECONDS + ENGINE_SECONDS, `${outcome.seconds} s`);
        assert.deepEqual(await running().state(), state, "the output");
        assert.deepEqual(await shrunk(), state, "what is shrunk after the route");
        return outcome;
    }

    /** What was written after the route was accepted. */
    async function shrunk(): Promise<unknown> {
        const path = `/api/v1/namespaces/${NAMESPACE}/configmaps/shrunk`;
        const map = await get<{ data: { weights: string } }>(site.client, path);
        return map && JSON.parse(map.data.weights);
    }

    interface Ref {
        name: string;
        namespace: string;
        weight: number;
    }

    /** The backends of each rule, as `namespace/name: weight`. */
    async function rules(): Promise<string[][]> {
        const route = await get<{ spec: { rules: { backendRefs: Ref[] }[] } }>(site.client, ROUTE);
        return (route?.spec.rules ?? []).map(({ backendRefs }) =>
            backendRefs.map(({ namespace, name, weight }) => `${namespace}/${name}: ${weight}`),
        );
    }

    it("previews without the CRDs, and says that they are missing", async function () {
        if ((await get(site.client, API)) !== undefined) this.skip();
        const { ok, output } = await running().preview();
        assert.ok(ok, output);
        assert.match(output, /the Gateway API's CRDs must be there before this update/);
    });

    it("fails clearly without a Gateway, by the deadline, and again in the next update", async () => {
        await site.installApi();
        const { output } = await running().preview();
        assert.match(output, new RegExp(`Gateway ${INFRA}/main does not exist`));
        const reason = `${WRITTEN} no controller accepted the route: Gateway ${INFRA}/main does not exist`;
        await mustFail(reason, undefined);
        await mustFail(reason, undefined);
    });

    it("fails clearly where no controller runs the Gateway", async () => {
        await site.addGateways();
        const text = `no controller accepted the route: no controller runs Gateway ${INFRA}/main of class ${CLASS}`;
        await mustFail(`${WRITTEN} ${text}`, undefined);
    });

    it("succeeds once a controller accepts, with Services in two namespaces", async () => {
        site.startController();
        await mustUp();
        assert.deepEqual(await rules(), [
            [`${BLUE}/users-blue: 1000`],
            [`${GREEN}/users-green: 1000`],
            [`${BLUE}/users-blue: 1000`, `${GREEN}/users-green: 0`],
        ]);
        const weights = { "users-blue": 100, "users-green": 0 };
        assert.deepEqual(await running().state(), weights);
        assert.deepEqual(await shrunk(), weights);
        await running().expectNoChanges();
    });

    it("moves the weights, to a tenth of a percent", async () => {
        await running().configure({ backends: colors(99.9) });
        await mustUp();
        assert.deepEqual((await rules()).at(-1), [
            `${BLUE}/users-blue: 999`,
            `${GREEN}/users-green: 1`,
        ]);
        await running().configure({ backends: colors(0) });
        await mustUp();
        assert.deepEqual((await rules()).at(-1), [
            `${BLUE}/users-blue: 0`,
            `${GREEN}/users-green: 1000`,
        ]);
        await running().expectNoChanges();
    });

    it("does not take an old acceptance for that of a change, nor forget that it is missing", async () => {
        const before = { "users-blue": 0, "users-green": 100 };
        site.controller.answers = false;
        await running().configure({ backends: colors(50) });
        const stale = `${WRITTEN} ${CONTROLLER} has not looked at the changed route yet`;
        await mustFail(stale, before);
        await mustFail(stale, before);
        // The way back is a change of the route as well.
        await running().configure({ backends: colors(0) });
        await mustFail(stale, before);
        site.controller.answers = true;
        await mustUp();
        await running().expectNoChanges();
    });

    it("fails with the controller's reason: a Gateway that lets no route of the namespace in", async () => {
        await running().configure({ settings: settings("closed") });
        await mustFail(
            `${WRITTEN} ${CONTROLLER} says Accepted=False (NotAllowedByListeners: no listener lets routes of ${NAMESPACE} in)`,
            { "users-blue": 0, "users-green": 100 },
        );
        await running().configure({ settings: settings("main") });
        await mustUp();
    });

    it("fails with the controller's reason: a namespace that grants nothing", async () => {
        await site.client.request("DELETE", GRANT);
        await running().configure({ backends: colors(10) });
        await mustFail(
            `${WRITTEN} ${CONTROLLER} says ResolvedRefs=False (RefNotPermitted: Service ${GREEN}/users-green grants nothing)`,
            { "users-blue": 0, "users-green": 100 },
        );
        await running().refresh();
        await mustUp();
        assert.ok(await get(site.client, GRANT), "the grant is there again");
    });

    it("splits a canary pair in the route's own namespace, and takes the grants back", async () => {
        const track = (side: string, weight: number): GatewayBackend => {
            return { service: `users-${side}`, namespace: NAMESPACE, port: 80, weight, side };
        };
        await running().configure({ backends: [track("stable", 90), track("canary", 10)] });
        await mustUp();
        assert.deepEqual((await rules()).at(-1), [
            `${NAMESPACE}/users-canary: 100`,
            `${NAMESPACE}/users-stable: 900`,
        ]);
        assert.equal(await get(site.client, GRANT), undefined);
        await running().expectNoChanges();
    });
}
