import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { now } from "./clock";
import { ConnectionKind, type ResolvedSettings, type Sample } from "./types";

/** What is remembered of a connection to explain its failure: a dead socket tells no more. */
const histories = new WeakMap<Socket, { localPort?: number; lastPod?: string }>();

/** Sends single requests; every call ends in exactly one sample. */
export interface Requester {
    send(n: number, kind: ConnectionKind, due: number): Promise<Sample>;
    /** Closes the connections that are kept open. */
    close(): void;
}

/**
 * A requester on `node:http`, which (unlike undici's pools) never sends a request a second time: a
 * reset of a kept-alive connection is a failure here, as it is for a client that may not retry.
 *
 * Kept-alive requests go round-robin over lanes. A lane keeps one connection; when that is still
 * busy, the request opens another, because in an open loop it may not wait.
 */
export function createRequester(settings: ResolvedSettings): Requester {
    const url = new URL(settings.url);
    const lanes = Array.from(
        { length: settings.keptAliveConnections },
        () => new Agent({ keepAlive: true, maxFreeSockets: 1 }),
    );
    let nextLane = 0;
    return {
        send(n, kind, due) {
            const lane = kind === ConnectionKind.keptAlive && lanes[nextLane++ % lanes.length];
            return send(url, lane || false, { n, kind, due, timeoutMs: settings.timeoutMs });
        },
        close: () => lanes.forEach((lane) => lane.destroy()),
    };
}

interface Order {
    n: number;
    kind: ConnectionKind;
    due: number;
    timeoutMs: number;
}

function send(url: URL, agent: Agent | false, order: Order): Promise<Sample> {
    const start = now();
    return new Promise((resolve) => {
        const request = httpRequest(url, { agent, method: "GET" });
        let response: IncomingMessage | undefined;
        // A timer of our own: node's socket timeout restarts with every byte, so a trickle passes.
        const timer = setTimeout(
            () => request.destroy(failure("ETIMEDOUT", "no complete answer in time")),
            order.timeoutMs,
        );
        let settled = false;
        const settle = (error: NodeJS.ErrnoException | undefined) => {
            if (settled) return;
            settled = true;
            clearTimeout(timer);
            resolve(toSample(order, start, request, response, error));
        };
        request.on("socket", remember);
        request.on("error", settle);
        request.on("response", (incoming) => {
            response = incoming;
            incoming.on("error", settle);
            incoming.on("end", () =>
                settle(incoming.complete ? statusFailure(incoming) : truncated()),
            );
            incoming.on("close", () => settle(truncated()));
            incoming.resume();
        });
        request.end();
    });
}

function toSample(
    order: Order,
    start: number,
    request: ClientRequest,
    response: IncomingMessage | undefined,
    error: NodeJS.ErrnoException | undefined,
): Sample {
    const history = request.socket ? histories.get(request.socket) : undefined;
    const sample: Sample = {
        n: order.n,
        kind: order.kind,
        due: order.due,
        start,
        end: now(),
        ok: error === undefined,
        reused: request.reusedSocket,
    };
    if (response) {
        sample.status = response.statusCode;
        sample.release = header(response, "x-release");
        sample.color = header(response, "x-color");
        sample.pod = header(response, "x-pod");
    }
    if (error) {
        sample.error = error.code ?? error.message;
        sample.lastPod = history?.lastPod;
        sample.localPort = history?.localPort;
    }
    if (history && sample.pod) history.lastPod = sample.pod;
    return sample;
}

function remember(socket: Socket): void {
    if (histories.has(socket)) return;
    const history: { localPort?: number } = {};
    histories.set(socket, history);
    socket.once("connect", () => (history.localPort = socket.localPort));
}

function statusFailure(response: IncomingMessage): NodeJS.ErrnoException | undefined {
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return undefined;
    return failure(`HTTP_${status}`, `answered with status ${status}`);
}

function truncated(): NodeJS.ErrnoException {
    return failure("ETRUNCATED", "the answer ended before its last byte");
}

function failure(code: string, message: string): NodeJS.ErrnoException {
    return Object.assign(new Error(message), { code });
}

function header(response: IncomingMessage, name: string): string | undefined {
    const value = response.headers[name];
    return Array.isArray(value) ? value[0] : value;
}
