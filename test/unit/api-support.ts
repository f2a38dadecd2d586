import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as path from "node:path";
import * as readline from "node:readline";
import { createApp } from "../../sandbox/api/src/app";
import { readConfig } from "../../sandbox/api/src/config";
import type { Connections } from "../../sandbox/api/src/connections";
import { faultInjector } from "../../sandbox/api/src/faults";
import { HitCounter, type HitStore } from "../../sandbox/api/src/hits";
import { jsonLogger, type Logger } from "../../sandbox/api/src/log";
import { createMetrics } from "../../sandbox/api/src/metrics";

/** Keeps hits in memory; `broken` makes it refuse everything, as a database that is away does. */
export class MemoryStore implements HitStore {
    readonly kept = new Map<string, number>();
    broken = false;
    /** When set, every call waits for it first. */
    gate: Promise<void> | undefined;
    writes = 0;

    async add(hits: ReadonlyMap<string, number>): Promise<void> {
        await this.reach();
        this.writes += 1;
        for (const [endpoint, count] of hits) {
            this.kept.set(endpoint, (this.kept.get(endpoint) ?? 0) + count);
        }
    }

    async read(): Promise<Map<string, number>> {
        await this.reach();
        return new Map(this.kept);
    }

    async ping(): Promise<void> {
        await this.reach();
    }

    async close(): Promise<void> {}

    private async reach(): Promise<void> {
        await this.gate;
        if (this.broken) throw new Error("the store is away");
    }
}

export function capturingLogger(): { log: Logger; lines: Record<string, unknown>[] } {
    const lines: Record<string, unknown>[] = [];
    const log = jsonLogger({}, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
    return { log, lines };
}

export interface RunningApp {
    url: string;
    store: MemoryStore;
    hits: HitCounter;
    connections: Connections;
    lines: Record<string, unknown>[];
    stop(): Promise<void>;
}

/** The API in this process, on a port of its own, with a store in memory. */
export async function startApp(
    env: Record<string, string> = {},
    random: () => number = () => 0,
): Promise<RunningApp> {
    const config = readConfig({ RELEASE: "1.2.3", COLOR: "blue", POD_NAME: "pod-1", ...env });
    const store = new MemoryStore();
    const { log, lines } = capturingLogger();
    const hits = new HitCounter(store, log);
    const { server, connections } = createApp({
        config,
        store,
        hits,
        metrics: createMetrics({ release: config.release, color: config.color }),
        faults: faultInjector(config.fault, random),
        log,
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return {
        url: `http://127.0.0.1:${address.port}`,
        store,
        hits,
        connections,
        lines,
        async stop() {
            server.closeAllConnections();
            server.close();
            await once(server, "close");
        },
    };
}

export interface Reply {
    status: number;
    headers: http.IncomingHttpHeaders;
    body: string;
}

/** One request, on a connection of its own unless an agent says otherwise. */
export function send(url: string, options: http.RequestOptions = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
        const request = http.request(url, { agent: false, ...options }, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () =>
                resolve({
                    status: response.statusCode ?? 0,
                    headers: response.headers,
                    body: Buffer.concat(chunks).toString("utf8"),
                }),
            );
        });
        request.on("error", reject);
        request.end();
    });
}

export async function sendJson(url: string): Promise<Record<string, unknown>> {
    return JSON.parse((await send(url)).body) as Record<string, unknown>;
}

/** The real program in a process of its own, without a database. */
export class ServerProcess {
    readonly lines: Record<string, unknown>[] = [];
    readonly exit: Promise<{ code: number | null; signal: string | null }>;

    private constructor(
        private readonly child: ChildProcess,
        readonly port: Promise<number>,
    ) {
        this.exit = new Promise((resolve) =>
            child.once("exit", (code, signal) => resolve({ code, signal })),
        );
    }

    static async start(env: Record<string, string> = {}): Promise<ServerProcess> {
        const main = path.join(__dirname, "../../sandbox/api/src/main.ts");
        const child = spawn(process.execPath, ["-r", require.resolve("tsx/cjs"), main], {
            env: {
                PATH: process.env.PATH,
                PORT: "0",
                // Nothing listens there: what these tests prove must not need a database.
                DB_HOST: "127.0.0.1",
                DB_PORT: "1",
                DB_PASSWORD_FILE: "/dev/null",
                ...env,
            },
            stdio: ["ignore", "pipe", "inherit"],
        });
        let listening: (port: number) => void = () => undefined;
        const port = new Promise<number>((resolve) => (listening = resolve));
        const server = new ServerProcess(child, port);
        readline.createInterface({ input: child.stdout }).on("line", (line) => {
            const entry = JSON.parse(line) as Record<string, unknown>;
            server.lines.push(entry);
            if (entry.message === "listening") listening(entry.port as number);
        });
        return server;
    }

    /** What is written to the log, by its messages. */
    get messages(): unknown[] {
        return this.lines.map((line) => line.message);
    }

    terminate(): void {
        this.child.kill("SIGTERM");
    }

    /** For the end of a test that failed; harmless after the process has ended. */
    async destroy(): Promise<void> {
        this.child.kill("SIGKILL");
        await this.exit;
    }
}
