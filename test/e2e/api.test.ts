// lane: shared, about 30 s
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { loadImages, type ApiImage } from "../../sandbox/images";
import { silentProgress } from "../../scripts/progress";
import { requireCluster } from "../support/cluster";
import { Kube, until } from "../support/kube";
import { NAMESPACE, apiPod, database, namespace, passwords, podName } from "./api/manifests";
import { TestNamespace } from "./postgres/namespace";

const WORKING: ApiImage[] = ["1.0.0", "2.0.0", "2.0.3-errors", "2.0.4-slow"];
const BROKEN: ApiImage[] = ["2.0.1-never-ready", "2.0.2-crashes"];

describe("the images of the sample API, on a real cluster", function () {
    this.timeout(240_000);
    let kube: Kube;
    let pods: TestNamespace;

    before(async function () {
        const cluster = await requireCluster.call(this);
        if (cluster.sandbox) await loadImages(cluster.sandbox, silentProgress);
        kube = new Kube(cluster);
        pods = new TestNamespace(cluster.kubeconfig, cluster.context, NAMESPACE);
        await kube.removeNamespace(NAMESPACE);
        const password = () => randomBytes(12).toString("hex");
        await kube.create(namespace(), passwords(password(), password()), ...database());
        await kube.create(...[...WORKING, ...BROKEN].flatMap(apiPod));
        await pods.untilReady("postgres");
        for (const release of WORKING) {
            await pods.untilReady(podName(release));
            // A pod is ready before the node's rules lead to it.
            const url = await urlOf(release);
            await until(`${release} to be reached`, 30, () => answers(url));
        }
    });

    after(async function () {
        await kube?.removeNamespace(NAMESPACE);
    });

    async function urlOf(release: ApiImage): Promise<string> {
        interface Service {
            spec: { ports: { nodePort: number }[] };
        }
        const service = await kube.get<Service>("v1", "Service", NAMESPACE, podName(release));
        return `http://127.0.0.1:${service?.spec.ports[0]?.nodePort}`;
    }

    async function get(url: string): Promise<{ status: number; headers: Headers; body: Answer }> {
        const reply = await fetch(url, { signal: AbortSignal.timeout(10_000) });
        return {
            status: reply.status,
            headers: reply.headers,
            body: (await reply.json()) as Answer,
        };
    }

    /** Whether anything answers there. */
    function answers(url: string): Promise<boolean> {
        return get(`${url}/health`).then(
            () => true,
            () => false,
        );
    }

    async function hitsOf(release: ApiImage, endpoint: string): Promise<number> {
        const { body } = await get(`${await urlOf(release)}/stats`);
        assert.equal(body.stale, false);
        return body.endpoints?.[endpoint] ?? 0;
    }

    for (const [release, message] of [
        ["1.0.0", "Endpoint statistics"],
        ["2.0.0", "Endpoint statistics, second edition"],
    ] as const) {
        it(`${release} says who it is`, async () => {
            const { status, headers, body } = await get(await urlOf(release));
            const pod = podName(release);
            assert.equal(status, 200);
            assert.deepEqual(body, { message, release, color: "blue", pod });
            assert.deepEqual(
                ["x-release", "x-color", "x-pod"].map((name) => headers.get(name)),
                [release, "blue", pod],
            );
        });
    }

    it("2.0.1 is alive and never ready, though its database is there", async () => {
        const url = await urlOf("2.0.1-never-ready");
        await until("2.0.1 to be reached", 60, () => answers(url));
        assert.equal((await get(`${url}/health`)).status, 200);
        const { status, body } = await get(`${url}/ready`);
        assert.deepEqual([status, body.ready, body.reason], [503, false, "broken on purpose"]);
        const { status: seen } = await pods.pod(podName("2.0.1-never-ready"));
        assert.equal(seen?.containerStatuses?.[0]?.ready, false);
        assert.equal(seen?.containerStatuses?.[0]?.restartCount, 0);
    });

    it("2.0.2 crashes and says so in its log", async () => {
        const name = podName("2.0.2-crashes");
        await until("2.0.2 to crash twice", 60, async () => {
            const { status } = await pods.pod(name);
            const container = status?.containerStatuses?.[0];
            const ended = container?.state?.terminated ?? container?.lastState?.terminated;
            return (container?.restartCount ?? 0) >= 1 && ended?.exitCode === 1;
        });
        assert.match(await pods.logs(name), /"level":"error","message":"crashed on purpose"/);
    });

    it("2.0.3 is ready and fails about 20 of 100 requests", async () => {
        const url = await urlOf("2.0.3-errors");
        const statuses = await repeat(400, async () => (await get(url)).status);
        const failed = statuses.filter((status) => status === 500).length;
        // Five standard deviations to either side.
        assert.ok(failed > 40 && failed < 120, `${failed} of 400 failed`);
        assert.equal(statuses.filter((status) => status === 200).length, 400 - failed);
    });

    it("2.0.4 is ready and takes 2 s for every request", async () => {
        const url = await urlOf("2.0.4-slow");
        const started = performance.now();
        assert.equal((await get(url)).status, 200);
        const took = performance.now() - started;
        assert.ok(took >= 2000 && took < 5000, `took ${took} ms`);
    });

    it("count hits together, in a table that they made at once", async () => {
        const url1 = await urlOf("1.0.0");
        const url2 = await urlOf("2.0.0");
        const before = await hitsOf("1.0.0", "GET /hello/:name");
        await repeat(30, () => get(`${url1}/hello/one`));
        await repeat(20, () => get(`${url2}/hello/two`));
        await until("hits of both releases to be written", 10, async () => {
            return (await hitsOf("1.0.0", "GET /hello/:name")) === before + 50;
        });
        assert.equal(await hitsOf("2.0.0", "GET /hello/:name"), before + 50);
    });

    it("serve on while the database restarts, and lose no hit", async () => {
        const url = await urlOf("1.0.0");
        const before = await hitsOf("1.0.0", "GET /");
        let sent = 0;
        const failures: unknown[] = [];
        let running = true;
        const load = (async () => {
            while (running) {
                sent += 1;
                const { status } = await get(url).catch((error: unknown) => ({ status: error }));
                if (status !== 200) failures.push(status);
                await sleep(10);
            }
        })();
        await sleep(500);
        // The fast shutdown: Postgres ends every session and then itself; the container starts again.
        await pods.exec("postgres", ["pg_ctl", "stop", "--mode=fast", "--no-wait"]);
        await until(
            "the API to notice",
            20,
            async () => (await get(`${url}/ready`)).status === 503,
        );
        assert.equal((await get(`${url}/stats`)).body.stale, true);
        await until("the API to be ready again", 60, async () => {
            return (await get(`${url}/ready`)).status === 200;
        });
        running = false;
        await load;
        assert.deepEqual(failures, []);
        assert.ok(sent > 50, `only ${sent} requests`);
        await until("all hits to be written", 10, async () => {
            return (await hitsOf("2.0.0", "GET /")) === before + sent;
        });
    });

    it("take a new password without a restart and without a failed request", async () => {
        const name = podName("1.0.0");
        const url = await urlOf("1.0.0");
        const password = randomBytes(12).toString("hex");
        const sql = `ALTER ROLE endpoint_stats_api PASSWORD '${password}';
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'endpoint_stats_api';`;
        const psql = ["psql", "--quiet", "--username=postgres", "--dbname=endpoint_stats"];
        const changed = await pods.exec("postgres", [...psql, `--command=${sql}`]);
        assert.equal(changed.code, 0, changed.stderr);
        await until("the old password to be refused", 10, async () => {
            return (await get(`${url}/ready`)).status === 503;
        });
        const statuses = await repeat(20, async () => (await get(url)).status);
        assert.deepEqual([...new Set(statuses)], [200]);

        const metadata = { name: "passwords", namespace: NAMESPACE };
        await kube.patch({
            ...{ apiVersion: "v1", kind: "Secret", metadata },
            stringData: { api: password },
        });
        // Kubelet looks after mounted Secrets about once a minute, and when a pod changes.
        const annotations = { "cutover.test/look": "again" };
        await kube.patch({
            ...{ apiVersion: "v1", kind: "Pod" },
            metadata: { name, namespace: NAMESPACE, annotations },
        });
        await until("the new password to be taken", 120, async () => {
            return (await get(`${url}/ready`)).status === 200;
        });
        assert.match(await pods.logs(name), /password authentication failed/);
        const { status } = await pods.pod(name);
        assert.equal(status?.containerStatuses?.[0]?.restartCount, 0);
    });

    it("write no password into their logs", async () => {
        const secrets = [
            await pods.secret("passwords", "api"),
            await pods.secret("passwords", "admin"),
        ];
        for (const release of WORKING) {
            const log = await pods.logs(podName(release));
            assert.match(log, /"message":"listening"/);
            for (const secret of secrets) assert.equal(log.includes(secret), false);
        }
    });
});

interface Answer {
    message?: string;
    release?: string;
    ready?: boolean;
    reason?: string;
    endpoints?: Record<string, number>;
    stale?: boolean;
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let index = 0; index < times; index += 1) results.push(await work());
    return results;
}
