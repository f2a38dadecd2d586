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
