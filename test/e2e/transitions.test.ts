// lane: shared, about 300 s
import assert from "node:assert/strict";
import { CoreV1Api } from "@kubernetes/client-node";
import { requireCluster } from "../support/cluster";
import { apiImage, LOAD_MS } from "../support/e2e";
import { SMALL_ROUTER, StrategyStack } from "../support/strategies";

const NAME = "e2e-transitions";
const PUBLIC_SERVICE = "flask-api-bg";

/** One change of what a running stack is, and what it must come to. */
interface Step {
    from: string;
    to: string;
    config: Record<string, unknown>;
    /** The Deployments afterwards, with their pods. */
    sizes: Record<string, number>;
    /** The outputs' weights afterwards. */
    weights: Record<string, number>;
    /** What is refused before the step is taken. */
    refused?: Refusal[];
    /** What breaks the same change, which is tried first: it fails, and the traffic stays. */
    broken?: Record<string, unknown>;
}

/** What must not be done from a state of the walk, with the message that refuses it. */
interface Refusal {
    config: Record<string, unknown>;
    message: string;
}

const REFUSED_ROLLING: Refusal[] = [
    {
        config: { "cutover:routing": "nginx" },
        message: 'cutover:routing: got "nginx", expected "service" with strategy "rolling"',
    },
    {
        config: { "cutover:strategy": "blueGreen", "cutover:routing": "nginx" },
        message:
            'cutover:routing: got "nginx", expected "service", which this stack runs with, until strategy has changed: one of strategy, routing, isolation at a time, each with an update of its own',
    },
    {
        config: { "cutover:servicePort": 80 },
        message:
            "cutover:servicePort: got 80, expected 9999, which this stack runs with, as its clients would lose it",
    },
];

const REFUSED_NAMESPACES: Refusal[] = [
    {
        config: { "cutover:strategy": "canary" },
        message:
            'cutover:isolation: got "namespaces", expected "shared" with strategy "canary": only the colors of a "blueGreen" pair have a namespace each',
    },
    {
        config: { "cutover:routing": "service" },
        message:
            'cutover:isolation: got "namespaces", expected "shared" with routing "service": a Service\'s selector cannot reach into another namespace',
    },
    {
        config: {
            "cutover:routing": "gateway",
            "cutover:gateway": { parent: { name: "public" } },
        },
        message:
            'cutover:routing: got "gateway", expected "nginx", which this stack runs with, as that change was never tried; change routing to "service" first, then to "gateway"',
    },
];

const ROUTER = { "nginx-load-balancer": 2 };
const PAIR = { "flask-api-blue": 2, "flask-api-green": 2 };
const TRACKS = { "flask-api-stable": 2, "flask-api-canary": 0 };

/** A walk along every allowed change, each from where the one before ended. */
const STEPS: Step[] = [
    {
        from: "rolling",
        to: "blueGreen",
        config: { "cutover:strategy": "blueGreen" },
        sizes: PAIR,
        weights: { blue: 100, green: 0 },
        refused: REFUSED_ROLLING,
    },
    {
        from: "blueGreen, service",
        to: "nginx",
        config: { "cutover:routing": "nginx" },
        sizes: { ...PAIR, ...ROUTER },
        weights: { blue: 100, green: 0 },
        broken: { "cutover:router/image": "cutover.local/nginx:not-there" },
    },
    {
        from: "nginx, shared",
        to: "namespaces",
        config: { "cutover:isolation": "namespaces" },
        sizes: {
            [`${NAME}-blue/flask-api-blue`]: 2,
            [`${NAME}-green/flask-api-green`]: 2,
            ...ROUTER,
        },
        weights: { blue: 100, green: 0 },
    },
    {
        from: "namespaces",
        to: "shared, nginx",
        config: { "cutover:isolation": "shared" },
        sizes: { ...PAIR, ...ROUTER },
        weights: { blue: 100, green: 0 },
        refused: REFUSED_NAMESPACES,
    },
    {
        from: "blueGreen, nginx",
        to: "canary, nginx",
        config: { "cutover:strategy": "canary", "cutover:idle": "cold" },
        sizes: { ...TRACKS, ...ROUTER },
        weights: { stable: 100, canary: 0 },
    },
    {
        from: "canary, nginx",
        to: "blueGreen, nginx",
        config: { "cutover:strategy": "blueGreen", "cutover:idle": "warm" },
        sizes: { ...PAIR, ...ROUTER },
        weights: { blue: 100, green: 0 },
    },
    {
        from: "blueGreen, nginx",
        to: "service",
        config: { "cutover:routing": "service" },
        sizes: PAIR,
        weights: { blue: 100, green: 0 },
    },
    {
        from: "blueGreen, service",
        to: "canary",
        config: { "cutover:strategy": "canary" },
        sizes: TRACKS,
        weights: { stable: 100, canary: 0 },
    },
    {
        from: "canary, service",
        to: "rolling",
        config: { "cutover:strategy": "rolling" },
        sizes: { "flask-api": 2 },
        weights: { current: 100 },
    },
    {
        from: "rolling",
        to: "canary",
        config: { "cutover:strategy": "canary" },
        sizes: TRACKS,
        weights: { stable: 100, canary: 0 },
    },
    {
        from: "canary, service",
        to: "blueGreen",
        config: { "cutover:strategy": "blueGreen" },
        sizes: PAIR,
        weights: { blue: 100, green: 0 },
    },
    {
        from: "blueGreen",
        to: "rolling",
        config: { "cutover:strategy": "rolling" },
        sizes: { "flask-api": 2 },
        weights: { current: 100 },
    },
];

describe("changes of strategy, routing and isolation on a running stack, under load", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);

    let stack: StrategyStack;
    let service: string | undefined;

    before(async function () {
        const cluster = await requireCluster.call(this);
        stack = await StrategyStack.open(
            cluster,
            { name: NAME, nodePort: 30_913 },
            {
                "cutover:strategy": "rolling",
                "cutover:replicas": 2,
                "cutover:router": SMALL_ROUTER,
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0") },
                    "2.0.0": { image: apiImage("2.0.0") },
                },
                "cutover:current": "1.0.0",
                "cutover:blue": "1.0.0",
                "cutover:green": "2.0.0",
                "cutover:stable": "1.0.0",
                "cutover:canary": "2.0.0",
            },
        );
        await stack.deploy();
        service = await uidOfService();
    });

    after(async function () {
        this.timeout(240_000);
        await stack?.close();
    });

    async function uidOfService(): Promise<string | undefined> {
        const api = stack.client.makeApiClient(CoreV1Api);
        const request = { namespace: NAME, name: PUBLIC_SERVICE };
        return (await api.readNamespacedService(request)).metadata?.uid;
    }

    for (const { from, to, config, sizes, weights, refused = [], broken } of STEPS) {
        for (const { config: wrong, message } of refused) {
            it(`${from}: refuses ${Object.keys(wrong).join(" with ")}`, async () => {
                const output = (await stack.refusal(wrong)).replaceAll(/\s+/g, " ");
                assert.ok(output.includes(message), output);
            });
        }

        const title = `${from} → ${to}${broken === undefined ? "" : ", after a failure"}`;
        it(title, async () => {
            const { samples } = await stack.change(title, config, broken);
            const answered = new Set(samples.map(({ release }) => release));
            assert.deepEqual(answered, new Set(["1.0.0"]), "all of it with the live release");
            const { postgres: _postgres, ...found } = await stack.sizes();
            const expected = Object.entries(sizes).map(([name, count]) => [
                name,
                { wanted: count, ready: count },
            ]);
            assert.deepEqual(found, Object.fromEntries(expected));
            assert.deepEqual(await stack.output("weights"), weights);
            assert.equal(await uidOfService(), service, "the public Service is the same object");
            // A router is a hop more: what comes after is compared with no-ops that have it too.
            if ("cutover:routing" in config) await stack.load.baseline();
        });
    }
});
