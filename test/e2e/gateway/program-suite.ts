import assert from "node:assert/strict";
import { apiImage } from "../../support/e2e";
import { get } from "../../support/gateway";
import { StrategyStack } from "../../support/strategies";
import { API, INFRA, type GatewaySite } from "./site";

const DEADLINE_SECONDS = 5;
const COMMON = {
    "cutover:routing": "gateway",
    "cutover:gateway": {
        parent: { name: "main", namespace: INFRA },
        acceptDeadlineSeconds: DEADLINE_SECONDS,
    },
    "cutover:serviceName": "users",
    "cutover:releases": {
        "1.0.0": { image: apiImage("1.0.0") },
        "2.0.0": { image: apiImage("2.0.0") },
    },
};

interface HttpRoute {
    spec: { rules: { backendRefs: { name: string; namespace: string; weight: number }[] }[] };
}

/** The project's own program, with the strategies that a Gateway can carry out; after the route's suite. */
export function programSuite(siteOf: () => GatewaySite): void {
    /** What the route sends to each backend, in tenths of a percent. */
    async function weights(namespace: string): Promise<Record<string, number>> {
        const path = `${API}/namespaces/${namespace}/httproutes/users`;
        const route = await get<HttpRoute>(siteOf().client, path);
        const refs = route?.spec.rules.at(-1)?.backendRefs ?? [];
        return Object.fromEntries(refs.map((ref) => [`${ref.namespace}/${ref.name}`, ref.weight]));
    }

    describe("with colors in namespaces of their own", function () {
        this.bail(true);
        const name = "cutover-gateway-colors";
        const sizes = { wanted: 1, ready: 1 };
        let stack: StrategyStack;

        before(async () => {
            stack = await StrategyStack.open(
                siteOf().cluster,
                { name, nodePort: 30_401 },
                {
                    ...COMMON,
                    "cutover:isolation": "namespaces",
                    "cutover:replicas": 1,
                    "cutover:blue": "1.0.0",
                    "cutover:green": "2.0.0",
                },
            );
        });
        after(() => stack?.close());

        async function assertLive(color: "blue" | "green"): Promise<void> {
            assert.deepEqual(await weights(name), {
                [`${name}-blue/flask-api-blue`]: color === "blue" ? 1000 : 0,
                [`${name}-green/flask-api-green`]: color === "green" ? 1000 : 0,
            });
            assert.equal(await stack.output("activeColor"), color);
            await stack.program.mustBeUpToDate();
        }

        it("sends all to blue", async () => {
            await stack.program.mustUp();
            await assertLive("blue");
        });

        it("switches to green", async () => {
            stack.program.configure({ "cutover:activeColor": "green" });
            await stack.program.mustUp();
            await assertLive("green");
        });

        it("keeps both colors and its outputs while no controller follows, also in the next update", async () => {
            const { controller } = siteOf();
            controller.answers = false;
            stack.program.configure({ "cutover:activeColor": "blue", "cutover:idle": "cold" });
            for (const attempt of ["first", "second"]) {
                const { code, errors } = await stack.program.up();
                assert.notEqual(code, 0, `the ${attempt} update succeeded`);
                assert.match(errors.join(), /has not looked at the changed route yet/);
                assert.equal(await stack.output("activeColor"), "green");
                const { postgres: _postgres, ...found } = await stack.sizes();
                assert.deepEqual(found, {
                    [`${name}-blue/flask-api-blue`]: sizes,
                    [`${name}-green/flask-api-green`]: sizes,
                });
            }
            controller.answers = true;
            await stack.program.mustUp();
            await assertLive("blue");
        });
    });

    describe("with a canary pair", function () {
        const name = "cutover-gateway-canary";
        let stack: StrategyStack;

        before(async () => {
            stack = await StrategyStack.open(
                siteOf().cluster,
                { name, nodePort: 30_402 },
                {
                    ...COMMON,
                    "cutover:strategy": "canary",
                    "cutover:replicas": 2,
                    "cutover:stable": "1.0.0",
                    "cutover:canary": "2.0.0",
                    "cutover:canaryWeight": 0.5,
                    // Belong to blue/green.
                    "cutover:blue": undefined,
                    "cutover:activeColor": undefined,
                },
            );
        });
        after(() => stack?.close());

        it("splits by the weight and not by pods", async () => {
            await stack.program.mustUp();
            assert.deepEqual(await weights(name), {
                [`${name}/flask-api-canary`]: 5,
                [`${name}/flask-api-stable`]: 995,
            });
            assert.deepEqual(await stack.output("weights"), { stable: 99.5, canary: 0.5 });
            await stack.program.mustBeUpToDate();
        });
    });
}
