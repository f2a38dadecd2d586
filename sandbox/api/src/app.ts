import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ApiConfig } from "./config";
import { Connections } from "./connections";
import type { FaultInjector } from "./faults";
import type { HitCounter, HitStore } from "./hits";
import { errorFields, type Logger } from "./log";
import { OTHER_METHOD, UNMATCHED_ROUTE, type Metrics } from "./metrics";
import { matchRoute, type RouteTable } from "./routes";

/** Longer than clients and proxies usually keep an idle connection: they, not we, close it. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Below the probes' time-out of 2 s: an answer that says no is better than none. */
const READY_DEADLINE_MS = 1000;

export interface Answer {
    status: number;
    /** Sent as JSON unless it is text. */
    body: object | string;
    contentType?: string;
    headers?: Record<string, string>;
}

export interface AppParts {
    config: ApiConfig;
    store: HitStore;
    hits: HitCounter;
    metrics: Metrics;
    faults: FaultInjector;
    log: Logger;
}

/** The HTTP server with its connections, not yet listening. */
export function createApp(parts: AppParts): { server: Server; connections: Connections } {
    const { config, metrics, log } = parts;
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS });
    const connections = new Connections(server, config.connections);
    const routes = createRoutes(parts, connections);

    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
        const started = performance.now();
        connections.requestStarted(response);
        const match = matchRoute(routes, request.method ?? "", request.url ?? "");
        if (match.kind !== "operational") {
            response.once("finish", () =>
                metrics.observe(
                    {
                        route: match.template ?? UNMATCHED_ROUTE,
                        method: match.allowed ? (request.method ?? "") : OTHER_METHOD,
                        status: response.statusCode,
                    },
                    (performance.now() - started) / 1000,
                ),
            );
        }
        match
            .answer()
            .catch((error: unknown) => {
                log.error("request failed", { route: match.template, ...errorFields(error) });
                return { status: 500, body: { error: "internal error" } } satisfies Answer;
            })
            .then((answer) => send(response, answer, request.method === "HEAD"))
            .catch((error: unknown) => {
                log.error("answer not sent", { route: match.template, ...errorFields(error) });
                response.destroy();
            });
    });

    function send(response: ServerResponse, answer: Answer, headOnly: boolean): void {
        const text = typeof answer.body === "string";
        const body = text ? (answer.body as string) : `${JSON.stringify(answer.body)}\n`;
        connections.beforeHeaders(response);
        response.writeHead(answer.status, {
            "content-type": answer.contentType ?? (text ? "text/plain" : "application/json"),
            "content-length": Buffer.byteLength(body),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "x-release": config.release,
            "x-color": config.color,
            "x-pod": config.pod,
            ...answer.headers,
        });
        response.end(headOnly ? undefined : body);
    }

    return { server, connections };
}

function createRoutes(parts: AppParts, connections: Connections): RouteTable {
    const { config, hits, metrics, faults } = parts;
    const identity = { release: config.release, color: config.color, pod: config.pod };

    /** What every endpoint that users call has in common: it is counted, and it may be broken. */
    const endpoint =
        (answer: (params: Record<string, string>) => Promise<object> | object) =>
        async (params: Record<string, string>, template: string): Promise<Answer> => {
            hits.count(`GET ${template}`);
            await faults.delay();
            if (faults.fails()) {
                return { status: 500, body: { error: "broken on purpose", ...identity } };
            }
            return { status: 200, body: { ...(await answer(params)), ...identity } };
        };

    return {
        "/": { kind: "endpoint", answer: endpoint(() => ({ message: config.greeting })) },
        "/hello/:name": {
            kind: "endpoint",
            answer: endpoint(({ name }) => ({ message: `Hello, ${name}` })),
        },
        "/stats": {
            kind: "endpoint",
            answer: endpoint(async () => {
                const { endpoints, stale } = await hits.totals();
                return { endpoints: Object.fromEntries(endpoints), stale };
            }),
        },
        "/health": {
            kind: "operational",
            answer: async () => ({ status: 200, body: { status: "alive", ...identity } }),
        },
        "/ready": {
            kind: "operational",
            answer: async () => {
                const reason = await whyNotReady(parts, connections);
                return reason === undefined
                    ? { status: 200, body: { ready: true, ...identity } }
                    : { status: 503, body: { ready: false, reason, ...identity } };
            },
        },
        "/metrics": {
            kind: "operational",
            answer: async () => ({
                status: 200,
                body: await metrics.render(),
                contentType: metrics.contentType,
            }),
        },
    };
}

async function whyNotReady(
    { store, faults, log }: AppParts,
    connections: Connections,
): Promise<string | undefined> {
    if (connections.draining) return "draining";
    if (faults.neverReady) return "broken on purpose";
    try {
        await withDeadline(store.ping(), READY_DEADLINE_MS);
        return undefined;
    } catch (error) {
        log.warn("not ready", errorFields(error));
        return "database not reachable";
    }
}

async function withDeadline(work: Promise<void>, milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(
            () => reject(new Error(`no answer in ${milliseconds} ms`)),
            milliseconds,
        );
    });
    try {
        await Promise.race([work, deadline]);
    } finally {
        clearTimeout(timer);
    }
}
