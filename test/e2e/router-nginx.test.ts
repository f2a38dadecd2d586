// lane: shared, about 60 s
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import { connect as openSocket } from "node:net";
import { cohort, renderNginx, type Backend, type RouterSettings } from "../../components/router";
import { until } from "../support/kube";
import { freePort, type LocalNginx, NginxImage } from "../support/nginx";
import { accepted, colors, rendered, sides } from "../unit/router/cases";

const MINUTE = 60_000;
const WEIGHTS = [1, 10, 50, 99];
/** Of each weight; the split may be off by a point at this number. */
const REQUESTS = 10_000;
/** How many are under way at once. */
const CONNECTIONS = 16;

interface Answer {
    status: number;
    headers: IncomingHttpHeaders;
    body: string;
}

/** A side of the split: it says its name and what it was asked. */
async function startSide(name: string): Promise<{ server: Server; port: number }> {
    const server = createServer((asked, answer) => {
        const chunks: Buffer[] = [];
        asked.on("data", (chunk: Buffer) => chunks.push(chunk));
        asked.on("end", () => {
            const bytes = Buffer.concat(chunks).length;
            const { method, url, headers } = asked;
            answer.setHeader("X-Side", name);
            answer.end(JSON.stringify({ method, url, headers, bytes }));
        });
    });
    server.listen(await freePort(), "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    return { server, port: address.port };
}

describe("the router's config in a real nginx", function () {
    this.timeout(4 * MINUTE);

    let image: NginxImage;
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    const servers = new Map<string, { server: Server; port: number }>();
    const running: LocalNginx[] = [];

    before(async function () {
        if (process.getuid?.() !== 0 || process.platform !== "linux") {
            if (process.env.CI === "true") throw new Error("the nginx tests need root on Linux");
            return this.skip();
        }
        image = await NginxImage.open();
    });
    beforeEach(async () => {
        for (const side of ["stable", "canary"]) servers.set(side, await startSide(side));
    });
    afterEach(async () => {
        await Promise.all(running.splice(0).map((nginx) => nginx.quit()));
        for (const { server } of servers.values()) stopSide(server);
    });
    after(() => {
        agent.destroy();
        image?.remove();
    });

    function stopSide(server: Server): void {
        server.close();
        server.closeAllConnections();
    }

    /** The canary pair, on the sides that run here. */
    const here = (weight: number): Backend[] =>
        sides(weight).map((backend) => ({
            ...backend,
            host: "127.0.0.1",
            port: servers.get(backend.side)?.port ?? 0,
        }));

    async function start(weight: number, settings?: RouterSettings): Promise<LocalNginx> {
        const nginx = await image.start(renderNginx(here(weight), settings));
        running.push(nginx);
        return nginx;
    }

    function ask(
        nginx: LocalNginx,
        options: {
            path?: string;
            headers?: Record<string, string>;
            method?: string;
            body?: string;
        } = {},
        by: Agent = agent,
    ): Promise<Answer> {
        const { path = "/", headers = {}, method = "GET", body } = options;
        return new Promise((resolve, reject) => {
            const sent = request(
                `${nginx.url}${path}`,
                { agent: by, headers, method },
                (answer) => {
                    let text = "";
                    answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
                    answer.on("end", () =>
                        resolve({
                            status: answer.statusCode ?? 0,
                            headers: answer.headers,
                            body: text,
                        }),
                    );
                    answer.on("error", reject);
                },
            );
            sent.on("error", reject);
            sent.end(body);
        });
    }

    const sideOf = ({ headers }: Answer) => String(headers["x-side"]);

    /** Asks once for each of the headers, and says which side answered each. */
    async function askAll(
        nginx: LocalNginx,
        all: readonly Record<string, string>[],
    ): Promise<string[]> {
        const found: string[] = [];
        let next = 0;
        const worker = async () => {
            for (let at = next++; at < all.length; at = next++) {
                found[at] = sideOf(await ask(nginx, { headers: all[at] }));
            }
        };
        await Promise.all(Array.from({ length: CONNECTIONS }, worker));
        return found;
    }

    it("is valid, whatever the settings and the shares", async () => {
        for (const { backends, settings } of Object.values(rendered)) {
            await image.check(renderNginx(backends, settings));
        }
        for (const settings of Object.values(accepted)) {
            for (const weight of [0, 0.1, 50, 99.9, 100]) {
                await image.check(renderNginx(sides(weight), settings));
            }
            await image.check(renderNginx(colors("green", 5.5), settings));
        }
    });

    describe("splits", () => {
        for (const weight of WEIGHTS) {
            it(`exactly as computed, and within a point of ${weight} %, by a header`, async () => {
                const nginx = await start(weight, { sticky: { header: "X-User-Id" } });
                const keys = Array.from({ length: REQUESTS }, (_, index) => `user-${index}`);
                const found = await askAll(
                    nginx,
                    keys.map((key) => ({ "x-user-id": key })),
                );
                const wrong = keys.filter((key, at) => found[at] !== cohort(key, here(weight)));
                assert.deepEqual(wrong, []);
                const share = found.filter((side) => side === "canary").length / (REQUESTS / 100);
                assert.ok(Math.abs(share - weight) <= 1, `${share} % instead of ${weight} %`);
            });
        }

        it("by chance within five standard deviations without a key", async () => {
            const nginx = await start(10);
            const found = await askAll(nginx, Array<Record<string, string>>(REQUESTS).fill({}));
            const share = found.filter((side) => side === "canary").length / (REQUESTS / 100);
            assert.ok(Math.abs(share - 10) <= 1.5, `${share} % instead of 10 %`);
        });

        it("to a tenth of a percent, with a seed, whatever the bytes of a key", async () => {
            const settings = { sticky: { header: "X-User-Id", seed: "shop." } };
            const nginx = await start(0.1, settings);
            const keys = Array.from(
                { length: 4_000 },
                (_, at) => `${"x".repeat(at % 9)}${at * 7_919}`,
            );
            const found = await askAll(
                nginx,
                keys.map((key) => ({ "x-user-id": key })),
            );
            const expected = keys.map((key) => cohort(key, here(0.1), "shop."));
            assert.ok(
                expected.includes("canary"),
                "some key must be in for the test to say anything",
            );
            assert.deepEqual(found, expected);
        });

        it("by a cookie, also by one that it has given itself", async () => {
            const settings = { sticky: { cookie: "visitor", cookieMaxAgeSeconds: 60 } };
            const nginx = await start(50, settings);
            for (let visitor = 0; visitor < 40; visitor++) {
                const first = await ask(nginx);
                const given = first.headers["set-cookie"]?.[0] ?? "";
                const [, key = ""] =
                    /^visitor=([0-9a-f]{32}); Max-Age=60; Path=\/;/.exec(given) ?? [];
                assert.equal(sideOf(first), cohort(key, here(50)), given);
                const again = await ask(nginx, { headers: { cookie: `a=b; visitor=${key}` } });
                assert.equal(sideOf(again), sideOf(first));
                assert.equal(again.headers["set-cookie"], undefined);
            }
        });

        it("by the address that a trusted proxy names, and passes it on", async () => {
            const clientAddress = {
                trustedHeader: "X-Forwarded-For",
                trustedProxies: ["127.0.0.0/8"],
            };
            const nginx = await start(50, { sticky: { clientAddress } });
            for (let client = 1; client < 40; client++) {
                const address = `203.0.113.${client}`;
                const answer = await ask(nginx, { headers: { "x-forwarded-for": address } });
                assert.equal(sideOf(answer), cohort(address, here(50)));
                const { headers } = JSON.parse(answer.body) as Answer;
                assert.equal(headers["x-real-ip"], address);
                assert.equal(headers["x-forwarded-for"], `${address}, 127.0.0.1`);
            }
        });
    });

    it("leads to a side by a header, and to no other by a wrong one", async () => {
        const nginx = await start(0, { previewHeader: "X-Preview" });
        const previewed = await ask(nginx, { headers: { "x-preview": "canary" } });
        assert.equal(sideOf(previewed), "canary");
        for (const value of ["", "blue", "canary; drop"]) {
            const answer = await ask(nginx, { headers: { "x-preview": value } });
            assert.equal(sideOf(answer), "stable", value);
        }
    });

    it("passes requests on as they are, with who asked", async () => {
        const nginx = await start(0);
        const path = "/a%2Fb//c%20d?q=%2F";
        const body = "x".repeat(100_000);
        const headers = { host: "shop.example:81", "x-forwarded-proto": "https", upgrade: "h2c" };
        const answer = await ask(nginx, { path, method: "PUT", body, headers });
        const asked = JSON.parse(answer.body) as Answer & { url: string; bytes: number };
        assert.equal(asked.url, path);
        assert.equal(asked.bytes, body.length);
        assert.equal(asked.headers.host, "shop.example");
        assert.equal(asked.headers["x-forwarded-host"], "shop.example:81");
        assert.equal(asked.headers["x-forwarded-proto"], "https");
        assert.equal(asked.headers["x-real-ip"], "127.0.0.1");
        assert.equal(asked.headers["x-forwarded-for"], "127.0.0.1");
        assert.equal(asked.headers.upgrade, undefined);
        assert.equal(answer.headers.server, "nginx");
    });

    it("refuses bodies that are too large", async () => {
        const nginx = await start(0, { maxBodySize: "1k" });
        const answer = await ask(nginx, { method: "POST", body: "x".repeat(1_025) });
        assert.equal(answer.status, 413);
    });

    describe("when the canary refuses connections", () => {
        it("asks stable, and says so in its log", async () => {
            const nginx = await start(50, { sticky: { header: "X-User-Id" } });
            const lost = Array.from({ length: 60 }, (_, at) => `user-${at}`).filter(
                (key) => cohort(key, here(50)) === "canary",
            );
            const canary = servers.get("canary");
            assert.ok(canary && lost.length > 10);
            stopSide(canary.server);
            for (const key of lost) {
                const answer = await ask(nginx, { headers: { "x-user-id": key } });
                assert.equal(sideOf(answer), "stable");
            }
            // A line is written after its answer has been sent.
            await until("a line for each request", 10, () => nginx.log().length >= lost.length);
            const lines = nginx.log();
            assert.equal(lines.length, lost.length);
            for (const { side, release, status, upstream } of lines) {
                assert.deepEqual([side, release, status], ["stable", "1.0.0", "200"]);
                assert.match(upstream ?? "", /^127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+$/);
            }
        });

        it("lets a preview see that", async () => {
            const nginx = await start(50, { previewHeader: "X-Preview" });
            const canary = servers.get("canary");
            assert.ok(canary);
            stopSide(canary.server);
            const answer = await ask(nginx, { headers: { "x-preview": "canary" } });
            assert.equal(answer.status, 502);
        });
    });

    it("does not repeat what must not be repeated, once it was sent", async () => {
        const { port } = servers.get("canary") ?? {};
        const tried: string[] = [];
        const dropping = createServer((asked) => {
            tried.push(asked.method ?? "");
            asked.socket.destroy();
        }).listen(await freePort(), "127.0.0.1");
        await once(dropping, "listening");
        const address = dropping.address();
        assert.ok(typeof address === "object" && address !== null);
        const backends = here(100).map((side) =>
            side.port === port ? { ...side, port: address.port } : side,
        );
        const nginx = await image.start(renderNginx(backends));
        running.push(nginx);
        try {
            assert.equal(sideOf(await ask(nginx)), "stable");
            assert.equal((await ask(nginx, { method: "POST", body: "once" })).status, 502);
            assert.deepEqual(tried, ["GET", "POST"]);
        } finally {
            stopSide(dropping);
        }
    });

    it("logs each request with side and release, as JSON, without its query", async () => {
        const nginx = await start(100);
        await ask(nginx, { path: '/a"b?token=secret', headers: { host: "shop.example" } });
        await ask(nginx, { path: "/healthz" });
        await until("the request's line", 10, () => nginx.log().length > 0);
        const [line, ...more] = nginx.log();
        assert.deepEqual(more, []);
        assert.ok(line);
        const { side, release, path, status, method, host } = line;
        assert.deepEqual(
            { side, release, path, status, method, host },
            {
                side: "canary",
                release: "1.1.0",
                path: "/a%22b",
                status: "200",
                method: "GET",
                host: "shop.example",
            },
        );
        assert.ok(!JSON.stringify(line).includes("secret"));
    });

    describe("when it drains", () => {
        it("answers on, and closes each connection by the answer", async () => {
            const nginx = await start(10);
            assert.equal((await ask(nginx)).headers.connection, "keep-alive");
            nginx.drain();
            for (let time = 0; time < 20; time++) {
                const answer = await ask(nginx, { method: "POST", body: "x".repeat(50_000) });
                assert.equal(answer.status, 200);
                assert.equal(answer.headers.connection, "close");
                assert.equal((JSON.parse(answer.body) as { bytes: number }).bytes, 50_000);
            }
        });

        it("loses none of the requests on kept-alive connections, and ends idle ones in order", async () => {
            const nginx = await start(10);
            const busy = new Agent({ keepAlive: true, maxSockets: 8 });
            const idle = openSocket(nginx.port, "127.0.0.1");
            const ended = new Promise<Error | undefined>((resolve) => {
                idle.on("error", resolve);
                idle.on("end", () => resolve(undefined));
            });
            idle.write("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
            await once(idle, "data");
            const statuses: number[] = [];
            const worker = async () => {
                for (let time = 0; time < 50; time++) {
                    statuses.push((await ask(nginx, {}, busy)).status);
                    // From here on each is told to close by its next answer, and comes back on a new one.
                    if (statuses.length === 200) nginx.drain();
                }
            };
            await Promise.all(Array.from({ length: 8 }, worker));
            busy.destroy();
            await nginx.quit();
            running.splice(0);
            assert.deepEqual(statuses, Array<number>(400).fill(200));
            assert.equal(await ended, undefined);
        });
    });
});
