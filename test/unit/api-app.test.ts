import assert from "node:assert/strict";
import * as http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningApp, send, sendJson, startApp } from "./api-support";

/** The series of one metric, each as its labels and its value, in a fixed order. */
function series(body: string, name: string): Record<string, string | number>[] {
    return body
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`))
        .map((line) => {
            const labels = [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [
                key,
                text,
            ]);
            const value = Number(line.slice(line.lastIndexOf(" ")));
            return { ...(Object.fromEntries(labels) as Record<string, string>), value };
        })
        .sort((a, b) => JSON.stringify(sortKey(a)).localeCompare(JSON.stringify(sortKey(b))));
}

/** Buckets stay in the order in which they are printed: by their bound, not by its spelling. */
function sortKey(labels: Record<string, string | number>): unknown[] {
    return [labels.route, labels.method, labels.status];
}

describe("the sample API", () => {
    let app: RunningApp;

    async function start(env?: Record<string, string>, random?: () => number): Promise<void> {
        app = await startApp(env, random);
    }

    afterEach(async () => app.stop());

    const identity = { release: "1.2.3", color: "blue", pod: "pod-1" };

    it("greets, with release, color and pod in the body", async () => {
        await start({ GREETING: "second edition" });
        assert.deepEqual(await sendJson(`${app.url}/`), { message: "second edition", ...identity });
    });

    for (const path of ["/", "/hello/you", "/stats", "/health", "/ready", "/metrics", "/nowhere"]) {
        it(`says who answers ${path}, in headers`, async () => {
            await start();
            const { headers } = await send(app.url + path);
            assert.equal(headers["x-release"], "1.2.3");
            assert.equal(headers["x-color"], "blue");
            assert.equal(headers["x-pod"], "pod-1");
            assert.equal(headers["cache-control"], "no-store");
        });
    }

    it("reads a name from the path, decoded", async () => {
        await start();
        const body = await sendJson(`${app.url}/hello/J%C3%B6rg?x=1`);
        assert.equal(body.message, "Hello, Jörg");
    });

    it("refuses what it does not have", async () => {
        await start();
        const got: [string, string, number][] = [];
        for (const [method, path] of [
            ["GET", "/nowhere"],
            ["GET", "/hello/"],
            ["GET", "/hello/a/b"],
            ["GET", "/hello/%E0%A4%A"],
            ["POST", "/"],
            ["DELETE", "/health"],
        ] as const) {
            got.push([method, path, (await send(app.url + path, { method })).status]);
        }
        assert.deepEqual(got, [
            ["GET", "/nowhere", 404],
            ["GET", "/hello/", 404],
            ["GET", "/hello/a/b", 404],
            ["GET", "/hello/%E0%A4%A", 400],
            ["POST", "/", 405],
            ["DELETE", "/health", 405],
        ]);
        assert.equal((await send(app.url, { method: "POST" })).headers.allow, "GET, HEAD");
    });

    it("answers HEAD as GET without a body", async () => {
        await start();
        const { status, body, headers } = await send(app.url, { method: "HEAD" });
        assert.deepEqual([status, body], [200, ""]);
        assert.ok(Number(headers["content-length"]) > 0);
    });

    it("counts hits by route template and shows them", async () => {
        await start();
        await send(`${app.url}/`);
        await send(`${app.url}/hello/a`);
        await send(`${app.url}/hello/b`);
        await send(`${app.url}/health`);
        await send(`${app.url}/nowhere`);
        const { endpoints, stale } = await sendJson(`${app.url}/stats`);
        assert.deepEqual(endpoints, { "GET /": 1, "GET /hello/:name": 2, "GET /stats": 1 });
        assert.equal(stale, false);
        assert.equal(app.store.kept.get("GET /hello/:name"), 2);
    });

    it("keeps serving, alive and not ready, while the database is away", async () => {
        await start();
        await send(`${app.url}/`);
        await sendJson(`${app.url}/stats`);
        app.store.broken = true;
        assert.equal((await send(`${app.url}/`)).status, 200);
        assert.equal((await send(`${app.url}/health`)).status, 200);
        const ready = await send(`${app.url}/ready`);
        assert.equal(ready.status, 503);
        assert.equal(
            (JSON.parse(ready.body) as { reason: string }).reason,
            "database not reachable",
        );
        const { endpoints, stale } = await sendJson(`${app.url}/stats`);
        assert.deepEqual(endpoints, { "GET /": 2, "GET /stats": 2 });
        assert.equal(stale, true);
        app.store.broken = false;
        assert.equal((await send(`${app.url}/ready`)).status, 200);
    });

    it("does not make a request wait for the database", async () => {
        await start();
        app.store.gate = new Promise(() => undefined);
        void app.hits.flush();
        const started = performance.now();
        assert.equal((await send(`${app.url}/`)).status, 200);
        assert.ok(performance.now() - started < 500);
    });

    it("answers a readiness probe in time when the database does not answer at all", async () => {
        await start();
        app.store.gate = new Promise(() => undefined);
        const started = performance.now();
        assert.equal((await send(`${app.url}/ready`)).status, 503);
        assert.ok(performance.now() - started < 1800, "slower than a probe's time-out");
    });

    it("measures requests by route, method, status, release and color", async () => {
        await start();
        await send(`${app.url}/hello/a`);
        await send(`${app.url}/hello/b`);
        await send(`${app.url}/wp-login.php`);
        await send(`${app.url}/`, { method: "PROPFIND" });
        await send(`${app.url}/health`);
        const { body } = await send(`${app.url}/metrics`);
        const who = { release: "1.2.3", color: "blue" };
        assert.deepEqual(series(body, "http_requests_total"), [
            { route: "/", method: "other", status: "405", ...who, value: 1 },
            { route: "/hello/:name", method: "GET", status: "200", ...who, value: 2 },
            { route: "unmatched", method: "GET", status: "404", ...who, value: 1 },
        ]);
        const buckets = series(body, "http_request_duration_seconds_bucket");
        const hello = buckets.filter(({ route }) => route === "/hello/:name");
        assert.deepEqual(hello.at(-1), {
            ...{ route: "/hello/:name", method: "GET", status: "200", ...who },
            ...{ le: "+Inf", value: 2 },
        });
        const [memory] = series(body, "process_resident_memory_bytes");
        assert.deepEqual({ ...memory, value: 0 }, { ...who, value: 0 });
        assert.ok(Number(memory?.value) > 1e6);
    });

    it("measures latency in seconds", async () => {
        await start({ FAULT: "slow", FAULT_DELAY_MS: "60" });
        await send(`${app.url}/`);
        const { body } = await send(`${app.url}/metrics`);
        const sum = Number(series(body, "http_request_duration_seconds_sum")[0]?.value);
        assert.ok(sum >= 0.055 && sum < 5, `took ${sum} s`);
    });

    describe("broken on purpose", () => {
        it("fails the share of requests it is told to, and no probe", async () => {
            let draw = 0;
            await start({ FAULT: "errors", FAULT_ERROR_PERCENT: "20" }, () => (draw++ % 10) / 10);
            const statuses: number[] = [];
            for (let index = 0; index < 10; index += 1) {
                statuses.push((await send(`${app.url}/`)).status);
            }
            assert.deepEqual(statuses, [500, 500, 200, 200, 200, 200, 200, 200, 200, 200]);
            for (const path of ["/health", "/ready", "/metrics"]) {
                assert.equal((await send(app.url + path)).status, 200);
            }
            const { body } = await send(`${app.url}/metrics`);
            const counted = series(body, "http_requests_total");
            assert.deepEqual(
                counted.map(({ status, value }) => [status, value]),
                [
                    ["200", 8],
                    ["500", 2],
                ],
            );
        });

        it("is slow where it is told to be, and probes are not", async () => {
            await start({ FAULT: "slow", FAULT_DELAY_MS: "300" });
            const started = performance.now();
            await send(`${app.url}/`);
            const slow = performance.now() - started;
            await send(`${app.url}/ready`);
            const probe = performance.now() - started - slow;
            assert.ok(slow >= 295, `took ${slow} ms`);
            assert.ok(probe < 250, `the probe took ${probe} ms`);
        });

        it("is alive and never ready", async () => {
            await start({ FAULT: "never-ready" });
            assert.equal((await send(`${app.url}/ready`)).status, 503);
            assert.equal((await send(`${app.url}/health`)).status, 200);
            assert.equal((await send(`${app.url}/`)).status, 200);
        });
    });

    describe("connections", () => {
        async function connectionHeaders(times: number, everyMs: number) {
            const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
            const headers: (string | undefined)[] = [];
            for (let index = 0; index < times; index += 1) {
                if (index > 0) await sleep(everyMs);
                headers.push((await send(`${app.url}/`, { agent })).headers.connection);
            }
            agent.destroy();
            return headers;
        }

        it("are closed by an answer once they are old", async () => {
            await start({ MAX_CONNECTION_AGE_SECONDS: "0.2" });
            // The fourth request is the first on the connection that follows.
            assert.deepEqual(await connectionHeaders(4, 120), [
                "keep-alive",
                "keep-alive",
                "close",
                "keep-alive",
            ]);
        });

        it("may be of any age when it is unbounded", async () => {
            await start({ MAX_CONNECTION_AGE_SECONDS: "0" });
            assert.deepEqual(await connectionHeaders(2, 300), ["keep-alive", "keep-alive"]);
        });

        it("are told to close while it drains, by probes and errors too, and it is not ready", async () => {
            await start({ DRAIN_IDLE_SECONDS: "0.1" });
            const drained = app.connections.drain();
            for (const [path, status] of [
                ["/", 200],
                ["/health", 200],
                ["/ready", 503],
                ["/nowhere", 404],
            ] as const) {
                const agent = new http.Agent({ keepAlive: true });
                const reply = await send(app.url + path, { agent });
                assert.deepEqual(
                    [path, reply.status, reply.headers.connection],
                    [path, status, "close"],
                );
                agent.destroy();
            }
            assert.equal(await drained, true);
            await assert.rejects(send(app.url), { code: "ECONNREFUSED" });
        });
    });
});
