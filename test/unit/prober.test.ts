import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ProbeSettings, type Sample, startProber, summarize } from "../../scripts/prober";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that records what reached it, so that nothing is taken from the client's own word. */
async function serve(handler: Handler, run: (probe: Bench) => Promise<void>): Promise<void> {
    const bench = new Bench(handler);
    await bench.listen();
    try {
        await run(bench);
    } finally {
        bench.close();
    }
}

class Bench {
    arrivals: number[] = [];
    connections = 0;
    requestsPerSocket = new Map<Socket, number>();
    private readonly server: Server;

    constructor(handler: Handler) {
        this.server = createServer((request, response) => {
            this.arrivals.push(Date.now());
            const count = this.requestsPerSocket.get(request.socket) ?? 0;
            this.requestsPerSocket.set(request.socket, count + 1);
            handler(request, response);
        });
        this.server.on("connection", () => this.connections++);
        this.server.keepAliveTimeout = 60_000;
    }

    listen(): Promise<void> {
        return new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    }

    get url(): string {
        return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
    }

    close(): void {
        this.server.close();
        this.server.closeAllConnections();
    }

    async probe(seconds: number, settings: Partial<ProbeSettings> = {}): Promise<Sample[]> {
        const prober = await startProber({ url: this.url, maxSeconds: 60, ...settings });
        await sleep(seconds * 1_000);
        return prober.stop();
    }
}

const answer: Handler = (_request, response) => {
    response.setHeader("x-release", "1.0.0").setHeader("x-color", "blue").setHeader("x-pod", "p-1");
    response.end("ok");
};

describe("prober", function () {
    this.timeout(60_000);

    it("keeps the rate exactly and counts every request on both sides", async () => {
        await serve(answer, async (bench) => {
            const samples = await bench.probe(2, { rate: 200 });

            assert.equal(samples.length, bench.arrivals.length);
            assert.ok(samples.length >= 395 && samples.length <= 430, `got ${samples.length}`);
            const first = samples[0]!;
            for (const sample of samples) {
                assert.equal(sample.due, first.due + sample.n * 5, "due times are 5 ms apart");
                assert.ok(sample.start >= sample.due - 1, "nothing starts before it is due");
            }
            assert.equal(summarize(samples).failed, 0);
            assert.equal(samples.at(-1)!.n, samples.length - 1, "no request is left out");
        });
    });

    it("opens a connection for each request of one half and keeps a few for the other", async () => {
        await serve(answer, async (bench) => {
            const samples = await bench.probe(2, { rate: 100, keptAliveConnections: 4 });

            const fresh = samples.filter((sample) => sample.kind === "new");
            const kept = samples.filter((sample) => sample.kind === "keptAlive");
            assert.ok(Math.abs(fresh.length - kept.length) <= 1);
            assert.equal(bench.connections, fresh.length + 4);
            assert.ok(fresh.every((sample) => !sample.reused));
            assert.equal(kept.filter((sample) => !sample.reused).length, 4);
            const perSocket = [...bench.requestsPerSocket.values()];
            assert.equal(perSocket.filter((count) => count === 1).length, fresh.length);
        });
    });

    it("follows Connection: close on a kept-alive connection", async () => {
        const closing: Handler = (request, response) => {
            response.setHeader("connection", "close");
            answer(request, response);
        };
        await serve(closing, async (bench) => {
            const samples = await bench.probe(1, { rate: 50, keptAliveConnections: 2 });

            assert.equal(summarize(samples).failed, 0);
            assert.ok(samples.every((sample) => !sample.reused));
            assert.equal(bench.connections, samples.length);
        });
    });

    it("starts requests on time while earlier ones hang, and lets them time out", async () => {
        const hang: Handler = () => undefined;
        await serve(hang, async (bench) => {
            const samples = await bench.probe(1, { rate: 100, timeoutMs: 400 });

            assert.equal(samples.length, bench.arrivals.length);
            assert.ok(samples.length >= 95, `got ${samples.length}`);
            for (const sample of samples) {
                assert.equal(sample.error, "ETIMEDOUT");
                assert.ok(sample.start - sample.due < 200, "a hanging server delays nobody");
                assert.ok(sample.end - sample.start >= 399);
            }
        });
    });

    it("ends an answer that trickles without end at its timeout", async () => {
        const trickle: Handler = (_request, response) => {
            const timer = setInterval(() => response.write("."), 50);
            response.on("close", () => clearInterval(timer));
        };
        await serve(trickle, async (bench) => {
            const samples = await bench.probe(0.5, { rate: 20, timeoutMs: 300 });
            assert.ok(samples.length > 5);
            assert.ok(samples.every((s) => s.error === "ETIMEDOUT" && s.status === 200));
        });
    });

    it("counts the wait behind a stalled server from the due time", async () => {
        let stalled = false;
        const stall: Handler = (request, response) => {
            if (!stalled) {
                stalled = true;
                const until = Date.now() + 500;
                while (Date.now() < until);
            }
            answer(request, response);
        };
        await serve(stall, async (bench) => {
            const samples = await bench.probe(2, { rate: 100 });
            // 50 requests were due during the 500 ms: a closed loop would have sent one or two.
            const slow = samples.filter((sample) => sample.end - sample.due > 100);
            assert.ok(slow.length >= 30, `got ${slow.length} of ${samples.length}`);
            assert.ok(summarize(samples).latencyMs.max >= 450);
        });
    });

    it("counts a reset of a kept-alive connection as one failure and never sends again", async () => {
        const resetting: Handler = (request, response) => {
            const used = request.socket as Socket & { uses?: number };
            used.uses = (used.uses ?? 0) + 1;
            if (used.uses === 3) return void request.socket.resetAndDestroy();
            answer(request, response);
        };
        await serve(resetting, async (bench) => {
            const samples = await bench.probe(1, { rate: 60, keptAliveConnections: 1 });

            const failed = samples.filter((sample) => !sample.ok);
            assert.ok(failed.length >= 5, `got ${failed.length}`);
            assert.equal(bench.arrivals.length, samples.length, "no request was repeated");
            for (const sample of failed) {
                assert.equal(sample.error, "ECONNRESET");
                assert.equal(sample.kind, "keptAlive");
                assert.equal(sample.reused, true);
                assert.equal(
                    sample.lastPod,
                    "p-1",
                    "the failure names the pod it was connected to",
                );
                assert.ok(sample.localPort! > 0);
            }
        });
    });

    it("counts other statuses than 2xx, cut answers and refused connections as failures", async () => {
        let count = 0;
        const mixed: Handler = (request, response) => {
            switch (count++ % 4) {
                case 0:
                    return answer(request, response);
                case 1:
                    return void response.writeHead(503).end();
                case 2:
                    return void response.writeHead(302, { location: "/" }).end();
                default:
                    response.writeHead(200, { "content-length": "100" });
                    response.write("cut");
                    return void setTimeout(() => response.destroy(), 5);
            }
        };
        let url = "";
        await serve(mixed, async (bench) => {
            url = bench.url;
            const samples = await bench.probe(1, { rate: 80 });
            const errors = new Set(samples.map((sample) => sample.error));
            assert.deepEqual([...errors].map(String).sort(), [
                "ECONNRESET",
                "HTTP_302",
                "HTTP_503",
                "undefined",
            ]);
            const good = samples.filter((sample) => sample.ok).length;
            assert.ok(Math.abs(good - samples.length / 4) < 3);
        });
        const prober = await startProber({ url, rate: 20, maxSeconds: 5 });
        await sleep(300);
        const refused = await prober.stop();
        assert.ok(refused.length > 0);
        assert.ok(refused.every((sample) => sample.error === "ECONNREFUSED"));
    });

    it("streams samples while it runs, and answers questions about them", async () => {
        await serve(answer, async (bench) => {
            const prober = await startProber({ url: bench.url, maxSeconds: 30 });
            const batches: number[] = [];
            const unsubscribe = prober.onSamples((batch) => batches.push(batch.length));
            const seen = await prober.until("50 answers", 5_000, (samples) =>
                samples.length >= 50 ? samples.length : undefined,
            );
            assert.ok(seen >= 50);
            unsubscribe();
            const told = batches.length;
            await assert.rejects(
                prober.until("release 9", 300, () => undefined),
                /release 9 was not seen within 0 s \(\d+ requests so far\)/,
            );
            assert.equal(batches.length, told, "an ended subscription is silent");
            await prober.stop();
        });
    });

    it("stops by itself after its time, and its file holds every sample", async () => {
        const folder = await mkdtemp(path.join(tmpdir(), "prober-"));
        const file = path.join(folder, "samples.jsonl");
        await serve(answer, async (bench) => {
            const prober = await startProber({ url: bench.url, rate: 100, maxSeconds: 1, file });
            await sleep(1_800);
            assert.equal(bench.arrivals.length, 100);
            const samples = await prober.stop();
            assert.equal(samples.length, 100);
            const lines = readFileSync(file, "utf8").trim().split("\n");
            const kept = lines.map((line) => JSON.parse(line) as Sample).sort((a, b) => a.n - b.n);
            assert.deepEqual(kept, JSON.parse(JSON.stringify(samples)));
        });
        await rm(folder, { recursive: true });
    });

    it("stops when its parent is killed", async () => {
        const folder = await mkdtemp(path.join(tmpdir(), "prober-"));
        const script = path.join(folder, "parent.ts");
        const prober = path.join(__dirname, "..", "..", "scripts", "prober");
        await serve(answer, async (bench) => {
            await writeFile(
                script,
                `import { startProber } from ${JSON.stringify(prober)};
                 void startProber({ url: ${JSON.stringify(bench.url)} });`,
            );
            const parent = fork(script, [], {
                execArgv: ["--require", require.resolve("tsx/cjs")],
            });
            while (bench.arrivals.length < 20) await sleep(50);
            parent.kill("SIGKILL");
            await sleep(500);
            const after = bench.arrivals.length;
            await sleep(500);
            assert.equal(bench.arrivals.length, after);
        });
        await rm(folder, { recursive: true });
    });
});
