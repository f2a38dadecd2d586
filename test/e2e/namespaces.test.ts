// lane: shared, about 330 s
import assert from "node:assert/strict";
import { CoreV1Api } from "@kubernetes/client-node";
import { releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import { apiImage, type Transition, LOAD_MS } from "../support/e2e";
import { shareOf, SMALL_ROUTER, StrategyStack } from "../support/strategies";

const NAME = "e2e-namespaces";
const BLUE = `${NAME}-blue`;
const GREEN = `${NAME}-green`;
const ROUTER = "nginx-load-balancer";
/** Requests are spread at random: of 500, a share of 25 % is met within 8 points all but always. */
const POINTS = 8;

// One stack goes from state to state: each test starts where the one before ended.
describe("colors in namespaces of their own, behind nginx, under load", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);

    let stack: StrategyStack;

    before(async function () {
        const cluster = await requireCluster.call(this);
        stack = await StrategyStack.open(
            cluster,
            { name: NAME, nodePort: 30_912 },
            {
                "cutover:routing": "nginx",
                "cutover:isolation": "namespaces",
                "cutover:replicas": 2,
                "cutover:router": SMALL_ROUTER,
                "cutover:releases": {
                    "1.0.0": { image: apiImage("1.0.0") },
                    "2.0.0": { image: apiImage("2.0.0") },
                },
                "cutover:blue": "1.0.0",
                "cutover:green": "2.0.0",
            },
        );
    });

    after(async function () {
        this.timeout(240_000);
        await stack?.close();
    });

    /** Pods of blue, of green and of the router, all of them ready. */
    async function assertSizes(blue: number, green: number): Promise<void> {
        const of = (count: number) => ({ wanted: count, ready: count });
        const { postgres: _postgres, ...sizes } = await stack.sizes();
        assert.deepEqual(sizes, {
            [`${BLUE}/flask-api-blue`]: of(blue),
            [`${GREEN}/flask-api-green`]: of(green),
            [ROUTER]: of(2),
        });
    }

    function assertOnly(release: string, { samples, run }: Transition): void {
        for (const kind of ["new", "keptAlive"] as const) {
            const seen = releasesSince(samples, kind, run.to + 1_000);
            assert.deepEqual(seen, new Set([release]), `${kind} connections`);
        }
    }

    it("deploys each color into its namespace, router and public Service beside them", async () => {
        await stack.deploy();
        await assertSizes(2, 2);
        const namespaces = [NAME, BLUE, GREEN];
        assert.deepEqual(((await stack.output("namespaces")) as string[]).sort(), namespaces);
    });

    it("gives each color its own Service, ServiceAccount and namespace's rules", async () => {
        const api = stack.client.makeApiClient(CoreV1Api);
        for (const [namespace, color] of [
            [BLUE, "blue"],
            [GREEN, "green"],
        ] as const) {
            const name = `flask-api-${color}`;
            const { spec } = await api.readNamespacedService({ namespace, name });
            assert.deepEqual(spec?.selector, { app: "flask-api", deployment: color });
            const { items } = await api.listNamespacedPod({ namespace });
            assert.ok(items.length > 0);
            assert.ok(items.every((pod) => pod.spec?.serviceAccountName !== "default"));
            const { metadata } = await api.readNamespace({ name: namespace });
            assert.equal(metadata?.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
        }
    });

    it("switches to green, on kept-alive connections too", async () => {
        const transition = await stack.change("namespaces: switch", {
            "cutover:activeColor": "green",
        });
        assertOnly("2.0.0", transition);
        assert.equal(await stack.output("activeColor"), "green");
        await assertSizes(2, 2);
    });

    it("goes back to blue", async () => {
        const transition = await stack.change("namespaces: back", {
            "cutover:activeColor": "blue",
        });
        assertOnly("1.0.0", transition);
    });

    it("gives the idle color a share", async () => {
        const transition = await stack.change("namespaces: 25 % to green", {
            "cutover:canaryWeight": 25,
        });
        const share = shareOf(transition.samples, "2.0.0", transition.run.to + 1_000);
        assert.ok(Math.abs(share - 25) <= POINTS, `green got ${share.toFixed(1)} %`);
        assert.deepEqual(await stack.output("weights"), { blue: 75, green: 25 });
    });

    it("shrinks the idle color to nothing when it is to be cold", async () => {
        const transition = await stack.change("namespaces: idle to cold", {
            "cutover:canaryWeight": 0,
            "cutover:idle": "cold",
        });
        assertOnly("1.0.0", transition);
        await assertSizes(2, 0);
    });

    it("grows a cold green, moves the route, then shrinks blue", async () => {
        const transition = await stack.change("namespaces: switch, cold", {
            "cutover:activeColor": "green",
        });
        assertOnly("2.0.0", transition);
        await assertSizes(0, 2);
    });

    it("goes back to a cold blue the same way", async () => {
        const transition = await stack.change("namespaces: back, cold", {
            "cutover:activeColor": "blue",
        });
        assertOnly("1.0.0", transition);
        await assertSizes(2, 0);
    });
});
