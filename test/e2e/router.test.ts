// lane: shared, about 300 s
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { AppsV1Api, CoreV1Api } from "@kubernetes/client-node";
import { cohort, type Share } from "../../components/router";
import { now, releasesSince } from "../../scripts/prober";
import { requireCluster } from "../support/cluster";
import {
    addRow,
    apiImage,
    LOAD_MS,
    REQUESTS_PER_TRANSITION,
    type Transition,
} from "../support/e2e";
import { Kube, until } from "../support/kube";
import { shareOf, SMALL_ROUTER, StrategyStack } from "../support/strategies";

const NAME = "e2e-router";
const ROUTER = "nginx-load-balancer";
const CANARY = "flask-api-canary";
const RELEASES = { stable: "1.0.0", canary: "2.0.0" } as const;

/** Clients whose side is compared with the computed one at each weight; all of them in a long run. */
const CLIENTS = REQUESTS_PER_TRANSITION >= 6_000 ? 10_000 : 500;
/** How many of them ask at once. */
const CONNECTIONS = 16;
/** A weight change may take so long, in seconds, from the start of `up` to its end, on a quiet machine. */
const MOST_SECONDS = 5;
const QUIET = process.env.CUTOVER_E2E_QUIET === "true";

const shares = (weight: number): Share[] => [
    { side: "stable", weight: 100 - weight, main: true },
    { side: "canary", weight, main: false },
];

// One stack goes from state to state: each test starts where the one before ended.
describe("the router under load", function () {
    this.timeout(240_000 + LOAD_MS);
    this.bail(true);

    let stack: StrategyStack;
    let kube: Kube;
    let url: string;
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

    before(async function () {
        const cluster = await requireCluster.call(this);
        kube = new Kube(cluster);
        stack = await StrategyStack.open(
            cluster,
            { name: NAME, nodePort: 30_912 },
            {
                "cutover:strategy": "canary",
                "cutover:routing": "nginx",
                "cutover:router": {
                    ...SMALL_ROUTER,
                    sticky: { header: "X-User-Id" },
                    previewHeader: "X-Preview",
                },
                "cutover:replicas": 2,
                "cutover:releases": {
                    [RELEASES.stable]: { image: apiImage("1.0.0") },
                    [RELEASES.canary]: { image: apiImage("2.0.0") },
                },
                "cutover:stable": RELEASES.stable,
                "cutover:canary": RELEASES.canary,
                "cutover:canaryWeight": 0,
            },
        );
        url = stack.program.target.url;
    });

    after(async function () {
        this.timeout(180_000);
        agent.destroy();
        await stack?.close();
    });

    /** The release that answers a request with these headers. */
    function ask(headers: Record<string, string> = {}): Promise<string> {
        return new Promise((resolve, reject) => {
            const sent = request(url, { agent, headers }, (answer) => {
                answer.resume();
                answer.on("end", () =>
                    answer.statusCode === 200
                        ? resolve(String(answer.headers["x-release"]))
                        : reject(new Error(`status ${answer.statusCode}`)),
                );
                answer.on("error", reject);
            });
            sent.on("error", reject);
            sent.end();
        });
    }

    /** The releases that clients with keys of their own get, in the order of the keys. */
    async function askAll(keys: readonly string[]): Promise<string[]> {
        const found: string[] = [];
        let next = 0;
        const worker = async () => {
            for (let at = next++; at < keys.length; at = next++) {
                found[at] = await ask({ "x-user-id": keys[at] ?? "" });
            }
        };
        await Promise.all(Array.from({ length: CONNECTIONS }, worker));
        return found;
    }

    const clients = Array.from({ length: CLIENTS }, (_, index) => `user-${index}`);

    /** Changes the weight under load, then asks as many clients, and compares with what was computed. */
    async function weight(from: number, to: number): Promise<Transition> {
        const name = `router: ${from} → ${to} %`;
        const transition = await stack.change(name, { "cutover:canaryWeight": to });
        if (QUIET) assert.ok(transition.row.seconds <= MOST_SECONDS, `${transition.row.seconds} s`);
        assert.equal(transition.row.failed, 0);
        const found = await askAll(clients);
        const expected = clients.map((key) =>
            cohort(key, shares(to)) === "canary" ? RELEASES.canary : RELEASES.stable,
        );
        assert.deepEqual(found, expected);
        const share = (100 * found.filter((got) => got === RELEASES.canary).length) / CLIENTS;
        addRow({ kind: "split", name, requests: CLIENTS, asked: to, got: share } as {
            kind: string;
            name: string;
        });
        if (CLIENTS >= 10_000) {
            assert.ok(Math.abs(share - to) <= 1, `${share} % instead of ${to} %`);
        }
        return transition;
    }

    async function pods(app: string) {
        const api = stack.client.makeApiClient(CoreV1Api);
        const labelSelector = `app=${app}`;
        return (await api.listNamespacedPod({ namespace: NAME, labelSelector })).items;
    }

    it("stands in front of a stable release that has everything", async () => {
        await stack.deploy();
        const sizes = await stack.sizes();
        assert.deepEqual(sizes[ROUTER], { wanted: 2, ready: 2 });
        assert.deepEqual(await stack.output("weights"), { stable: 100, canary: 0 });
        assert.deepEqual(new Set(await askAll(clients.slice(0, 100))), new Set([RELEASES.stable]));
    });

    it("is admitted by Pod Security restricted, and cannot write to its own root", async () => {
        for (const { spec } of await pods(ROUTER)) {
            assert.equal(spec?.containers[0]?.securityContext?.readOnlyRootFilesystem, true);
            assert.equal(spec?.automountServiceAccountToken, false);
        }
    });

    it("lets a tenth in, by the computed keys", async () => {
        const { samples, run } = await weight(0, 10);
        // Without a key it is by chance: of 500 and more, 10 % are met within 7 points all but always.
        const share = shareOf(samples, RELEASES.canary, run.to + 1_000);
        assert.ok(Math.abs(share - 10) <= 7, `the canary got ${share.toFixed(1)} %`);
    });

    it("leads to a side by the header, whatever the share", async () => {
        for (const [side, release] of Object.entries(RELEASES)) {
            for (let time = 0; time < 10; time++) {
                assert.equal(await ask({ "x-preview": side }), release);
            }
        }
    });

    it("goes to a half, to nearly all and to all, and keeps in whoever was", async () => {
        const inside = () => askAll(clients.slice(0, 200));
        const early = await inside();
        await weight(10, 50);
        const half = await inside();
        assert.ok(early.every((got, at) => got === RELEASES.stable || got === half[at]));
        await weight(50, 99);
        const { samples, run } = await weight(99, 100);
        assert.deepEqual(releasesSince(samples, "new", run.to + 1_000), new Set([RELEASES.canary]));
    });

    it("goes back at once", async () => {
        const { samples, run } = await weight(100, 0);
        assert.deepEqual(releasesSince(samples, "new", run.to + 1_000), new Set([RELEASES.stable]));
    });

    it("asks stable when the canary refuses connections", async () => {
        await weight(0, 50);
        const api = stack.client.makeApiClient(AppsV1Api);
        const scale = async (replicas: number) => {
            await kube.patch({
                apiVersion: "apps/v1",
                kind: "Deployment",
                metadata: { name: CANARY, namespace: NAME },
                spec: { replicas },
            });
            await until(`${replicas} canaries`, 90, async () => {
                const running = (await pods("flask-api")).filter(
                    ({ metadata }) => metadata?.labels?.track === "canary",
                );
                const { status } = await api.readNamespacedDeployment({
                    name: CANARY,
                    namespace: NAME,
                });
                return running.length === replicas && (status?.readyReplicas ?? 0) === replicas;
            });
        };
        await scale(0);
        const from = now();
        assert.deepEqual(new Set(await askAll(clients)), new Set([RELEASES.stable]));
        const load = await stack.load.prober.until("requests without a canary", 30_000, (all) => {
            const seen = all.filter(({ start }) => start >= from);
            return seen.length >= 400 ? seen : undefined;
        });
        await scale(1);
        assert.deepEqual(
            load.filter(({ ok }) => !ok),
            [],
        );
    });

    it("logs what it did as JSON, with side and release", async () => {
        const api = stack.client.makeApiClient(CoreV1Api);
        await ask({ "x-preview": "stable" });
        await until("a line of the log", 10, async () => {
            const all: Record<string, string>[] = [];
            for (const { metadata } of await pods(ROUTER)) {
                const request = { name: metadata?.name ?? "", namespace: NAME, tailLines: 200 };
                const text = await api.readNamespacedPodLog(request);
                const lines = text.split("\n").filter((line) => line.startsWith("{"));
                all.push(...lines.map((line) => JSON.parse(line) as Record<string, string>));
            }
            return all.some(
                ({ side, release, status }) =>
                    side === "stable" && release === RELEASES.stable && status === "200",
            );
        });
    });
});
