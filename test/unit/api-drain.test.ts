import assert from "node:assert/strict";
import * as http from "node:http";
import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerProcess, send, type Reply } from "./api-support";

const RATE_PER_SECOND = 300;
const KEPT_CONNECTIONS = 20;
/** How long new connections still reach a pod that was told to end: endpoints take a while to spread. */
const PROPAGATION_MS = 700;

interface Result {
    kind: "kept" | "new";
    sent: number;
    reply?: Reply;
    error?: string;
}

/**
 * An address in front of several servers, as a Service is: a connection stays with the server it was
 * opened to, and a server that left the endpoints gets no new one.
 */
class Service {
    endpoints: number[];
    private turn = 0;

    constructor(ports: number[]) {
        this.endpoints = ports;
    }

    connect = (): net.Socket => {
        const port = this.endpoints[this.turn++ % this.endpoints.length];
        return net.connect({ host: "127.0.0.1", port: port ?? 0 });
    };
}

/** Sends requests when they are due, whether or not earlier ones are answered, and keeps every result. */
async function load(service: Service, until: Promise<unknown>): Promise<Result[]> {
    const agent = new http.Agent({ keepAlive: true, scheduling: "fifo" });
    agent.createConnection = service.connect;
    let running = true;
    void until.then(() => (running = false));
    // Together, so that the agent opens that many connections; from then on it takes turns.
    const results = Array.from({ length: KEPT_CONNECTIONS }, () => request(service, agent));
    const started = performance.now();
    while (running) {
        const due = ((performance.now() - started) * RATE_PER_SECOND) / 1000;
        while (results.length < due)
            results.push(request(service, results.length % 2 ? agent : false));
        await sleep(2);
    }
    const all = await Promise.all(results);
    agent.destroy();
    return all;
}

async function request(service: Service, agent: http.Agent | false): Promise<Result> {
    const kind = agent === false ? "new" : "kept";
    const sent = performance.now();
    // Node heeds `createConnection` only where there is no agent at all, not even `false`.
    const connection =
        agent === false ? { agent: undefined, createConnection: service.connect } : { agent };
    try {
        return { kind, sent, reply: await send("http://service/", connection) };
    } catch (error) {
        return { kind, sent, error: (error as NodeJS.ErrnoException).code ?? String(error) };
    }
}

describe("the sample API's end", function () {
    this.timeout(30_000);
    const servers: ServerProcess[] = [];

    async function start(
        env: Record<string, string>,
    ): Promise<{ server: ServerProcess; port: number }> {
        const server = await ServerProcess.start(env);
        servers.push(server);
        return { server, port: await server.port };
    }

    afterEach(async () => {
        await Promise.all(servers.splice(0).map((server) => server.destroy()));
    });

    for (const run of [1, 2, 3]) {
        it(`loses no request of ${RATE_PER_SECOND} a second, run ${run}`, async () => {
            const env = { DRAIN_IDLE_SECONDS: "1.5" };
            const old = await start({ ...env, RELEASE: "old" });
            const kept = await start({ ...env, RELEASE: "new" });
            const service = new Service([old.port, kept.port]);
            let done: () => void = () => undefined;
            const results = load(service, new Promise<void>((resolve) => (done = resolve)));
            await sleep(700);
            const terminated = performance.now();
            old.server.terminate();
            await sleep(PROPAGATION_MS);
            service.endpoints = [kept.port];
            const exit = await old.server.exit;
            const ended = performance.now();
            await sleep(300);
            done();
            const all = await results;

            assert.deepEqual(
                all.filter(({ error, reply }) => error !== undefined || reply?.status !== 200),
                [],
            );
            assert.deepEqual(exit, { code: 0, signal: null });
            assert.ok(ended - terminated < 6000, `took ${ended - terminated} ms to end`);
            // Otherwise nothing was proved: there was traffic of both kinds while it drained.
            const draining = all.filter(
                ({ sent, reply }) =>
                    sent > terminated + 50 && reply?.headers["x-release"] === "old",
            );
            assert.ok(draining.filter(({ kind }) => kind === "kept").length >= 3);
            assert.ok(draining.filter(({ kind }) => kind === "new").length >= 30);
            assert.deepEqual(
                [...new Set(draining.map((d) => d.reply?.headers.connection))],
                ["close"],
            );
        });
    }

    it("finishes a request that is under way, and closes its connection", async () => {
        const { server, port } = await start({ FAULT: "slow", FAULT_DELAY_MS: "800" });
        const agent = new http.Agent({ keepAlive: true });
        const reply = send(`http://127.0.0.1:${port}/`, { agent });
        await sleep(200);
        server.terminate();
        const { status, headers } = await reply;
        assert.deepEqual([status, headers.connection], [200, "close"]);
        assert.deepEqual(await server.exit, { code: 0, signal: null });
    });

    it("answers on an idle connection that is used again, and ends an unused one in order", async () => {
        const { server, port } = await start({ DRAIN_IDLE_SECONDS: "2" });
        const used = await rawConnection(port);
        const unused = await rawConnection(port);
        server.terminate();
        await sleep(1500);
        used.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        await used.ended;
        assert.match(used.received(), /200 OK[\s\S]*200 OK[\s\S]*Connection: close/i);
        await unused.ended;
        assert.deepEqual([used.error(), unused.error()], [undefined, undefined]);
        assert.deepEqual(await server.exit, { code: 0, signal: null });
    });

    it("is quick when nobody is connected", async () => {
        const { server } = await start({});
        const started = performance.now();
        server.terminate();
        assert.deepEqual(await server.exit, { code: 0, signal: null });
        assert.ok(performance.now() - started < 3000);
    });

    it("comes in time, whatever is still open", async () => {
        const env = { FAULT: "slow", FAULT_DELAY_MS: "20000", DRAIN_TIMEOUT_SECONDS: "1.5" };
        const { server, port } = await start(env);
        const hanging = send(`http://127.0.0.1:${port}/`);
        // Looked at only at the end; until then nobody else may take it for unhandled.
        hanging.catch(() => undefined);
        await sleep(100);
        const started = performance.now();
        server.terminate();
        assert.deepEqual(await server.exit, { code: 0, signal: null });
        assert.ok(performance.now() - started < 6000);
        await assert.rejects(hanging, { code: "ECONNRESET" });
        assert.ok(server.messages.includes("connections cut off after the drain's time-out"));
    });

    it("says that hits were lost when the database was away, and exits with 0 all the same", async () => {
        const { server, port } = await start({});
        await send(`http://127.0.0.1:${port}/`);
        server.terminate();
        assert.deepEqual(await server.exit, { code: 0, signal: null });
        assert.ok(server.messages.includes("the last hits are lost"));
    });

    it("is at once, with exit code 1, when it is told to crash", async () => {
        const server = await ServerProcess.start({ FAULT: "crash" });
        servers.push(server);
        assert.deepEqual(await server.exit, { code: 1, signal: null });
        assert.deepEqual(server.messages, ["crashed on purpose"]);
    });

    it("is at once, with every problem, when the settings are wrong", async () => {
        const server = await ServerProcess.start({ PORT: "x", FAULT: "y" });
        servers.push(server);
        assert.deepEqual(await server.exit, { code: 2, signal: null });
        assert.match(String(server.lines[0]?.problems), /PORT: .*; *FAULT|FAULT: .*; *PORT/);
    });
});

/** A connection that has had one request answered and then stays open. */
async function rawConnection(port: number) {
    const socket = net.connect({ host: "127.0.0.1", port });
    let text = "";
    let error: Error | undefined;
    socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    socket.on("error", (problem) => (error = problem));
    const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while (!text.includes("200 OK")) await sleep(5);
    return { socket, ended, received: () => text, error: () => error };
}
