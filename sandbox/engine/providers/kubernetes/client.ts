import * as http from "node:http";
import * as https from "node:https";
import type { Inputs, Json } from "../types";
import { ApiError, ConnectionError, errorStatus } from "./api-error";
import type { ClusterAccess } from "./kubeconfig";
import { integer, isMap } from "./objects";

export interface RequestOptions {
    query?: Record<string, string | undefined>;
    body?: Json;
    contentType?: string;
    signal?: AbortSignal;
    /** How long to wait for the whole answer, in milliseconds; default 60 s. */
    timeoutMs?: number;
}

export interface WatchEvent {
    type: "ADDED" | "MODIFIED" | "DELETED";
    object: Inputs;
}

const REQUEST_TIMEOUT_MS = 60_000;
/**
 * The API server closes a watch after this, and the next one starts with nothing: longer than any
 * usual wait, so that what was seen is still known when the wait times out.
 */
const WATCH_SECONDS = 7_200;
const MAX_ATTEMPTS = 5;

/**
 * A small HTTPS client of one API server: JSON in, JSON out, one pool of kept-alive connections.
 * Far quicker to load than a generated client.
 */
export class KubeClient {
    private readonly transport: typeof http | typeof https;
    private readonly agent: http.Agent;
    private readonly headers: Record<string, string>;

    constructor(readonly access: ClusterAccess) {
        this.transport = access.server.startsWith("https:") ? https : http;
        const options: https.AgentOptions = {
            keepAlive: true,
            ca: access.ca,
            cert: access.cert,
            key: access.key,
            servername: access.tlsServerName,
            rejectUnauthorized: !access.insecureSkipTlsVerify,
        };
        this.agent = new this.transport.Agent(options);
        this.headers = { accept: "application/json", "user-agent": "cutover-stand-in-engine" };
        if (access.token !== undefined) this.headers.authorization = `Bearer ${access.token}`;
        else if (access.basicAuth !== undefined) {
            this.headers.authorization = `Basic ${Buffer.from(access.basicAuth).toString("base64")}`;
        }
    }

    /** Closes kept-alive connections, so that the process can end. */
    close(): void {
        this.agent.destroy();
    }

    /** A write that has begun is not aborted: nobody could tell whether it was done. */
    async request(method: string, path: string, options: RequestOptions = {}): Promise<Inputs> {
        for (let attempt = 1; ; attempt++) {
            if (options.signal?.aborted === true) throw abortError(options.signal);
            const { code, body, retryAfter } = await this.once(method, path, options);
            if (code < 300) return parseObject(body, path);
            // An overloaded server says when to come back (client-go retries these, too).
            if (
                retryAfter !== undefined &&
                (code === 429 || code >= 500) &&
                attempt < MAX_ATTEMPTS
            ) {
                await sleep(Math.min(retryAfter, 10) * 1000, options.signal);
                continue;
            }
            throw new ApiError(code, errorStatus(body, code));
        }
    }

    private once(
        method: string,
        path: string,
        options: RequestOptions,
    ): Promise<{ code: number; body: string; retryAfter?: number }> {
        return new Promise((resolve, reject) => {
            const url = this.url(path, options.query);
            const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
            const fail = (error: Error, retry = false): void => {
                if (method === "GET" && options.signal?.aborted === true) {
                    reject(abortError(options.signal));
                } else if (retry) this.once(method, path, options).then(resolve, reject);
                else reject(new ConnectionError(`${method} "${url.href}": ${error.message}`));
            };
            const request = this.transport.request(url, {
                method,
                agent: this.agent,
                signal: method === "GET" ? options.signal : undefined,
                headers: {
                    ...this.headers,
                    ...(payload === undefined
                        ? {}
                        : {
                              "content-type": options.contentType ?? "application/json",
                              "content-length": String(Buffer.byteLength(payload)),
                          }),
                },
            });
            const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
            const timer = setTimeout(
                () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
                timeoutMs,
            );
            request.on("close", () => clearTimeout(timer));
            // A kept-alive connection may have been closed by the server in the meantime.
            request.on("error", (error: NodeJS.ErrnoException) =>
                fail(error, request.reusedSocket && error.code === "ECONNRESET"),
            );
            request.on("response", (response) => {
                const chunks: Buffer[] = [];
                response.on("data", (chunk: Buffer) => chunks.push(chunk));
                response.on("error", fail);
                response.on("end", () => {
                    const wait = Number(response.headers["retry-after"]);
                    resolve({
                        code: response.statusCode ?? 0,
                        body: Buffer.concat(chunks).toString("utf8"),
                        retryAfter: Number.isFinite(wait) ? wait : undefined,
                    });
                });
            });
            request.end(payload);
        });
    }

    /**
     * Reports the objects that are there as ADDED and then every change, until the server ends the
     * stream (resolves) or the connection fails (rejects). `onOpen` is called when it is accepted.
     */
    watch(
        path: string,
        query: Record<string, string | undefined>,
        signal: AbortSignal,
        onOpen: () => void,
        onEvent: (event: WatchEvent) => void,
    ): Promise<void> {
        return new Promise((resolve, reject) => {
            const url = this.url(path, {
                ...query,
                watch: "true",
                timeoutSeconds: String(WATCH_SECONDS),
            });
            const request = this.transport.request(url, {
                agent: this.agent,
                signal,
                headers: this.headers,
            });
            const fail = (error: Error): void => reject(new ConnectionError(error.message));
            request.on("error", fail);
            request.on("response", (response) => {
                const code = response.statusCode ?? 0;
                let rest = "";
                response.setEncoding("utf8");
                if (code === 200) onOpen();
                response.on("data", (chunk: string) => {
                    if (code !== 200) {
                        rest += chunk;
                        return;
                    }
                    const lines = (rest + chunk).split("\n");
                    rest = lines.pop() ?? "";
                    for (const line of lines) {
                        const event = JSON.parse(line) as { type: string; object: Inputs };
                        if (event.type === "ERROR") {
                            reject(new ApiError(integer(event.object, "code") ?? 0, event.object));
                            request.destroy();
                        } else if (event.type !== "BOOKMARK") {
                            onEvent(event as WatchEvent);
                        }
                    }
                });
                response.on("error", fail);
                response.on("end", () => {
                    if (code === 200) resolve();
                    else reject(new ApiError(code, errorStatus(rest, code)));
                });
            });
            request.end();
        });
    }

    private url(path: string, query: RequestOptions["query"] = {}): URL {
        const url = new URL(this.access.server + path);
        for (const [key, value] of Object.entries(query)) {
            if (value !== undefined) url.searchParams.set(key, value);
        }
        return url;
    }
}

/** Waits, or throws as soon as `signal` is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
        const aborted = (): void => {
            clearTimeout(timer);
            reject(abortError(signal));
        };
        if (signal?.aborted === true) return reject(abortError(signal));
        const timer = setTimeout(() => {
            signal?.removeEventListener("abort", aborted);
            resolve();
        }, ms);
        signal?.addEventListener("abort", aborted, { once: true });
    });
}

function abortError(signal?: AbortSignal): Error {
    return new Error("the operation was cancelled", { cause: signal?.reason });
}

function parseObject(body: string, path: string): Inputs {
    const value = JSON.parse(body) as Json;
    if (!isMap(value)) throw new ConnectionError(`${path} did not answer with a JSON object`);
    return value;
}
