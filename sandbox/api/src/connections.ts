import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionConfig } from "./config";

/** Ages differ by up to this share, so that connections opened together do not all close together. */
const AGE_JITTER = 0.1;

/** A drain is over only after nothing at all happened for this long. */
const DRAIN_QUIET_MS = 1000;
const DRAIN_POLL_MS = 50;

interface Connection {
    opened: number;
    maxAgeMs: number;
}

/**
 * Ends kept-alive connections without a client noticing.
 *
 * A server that closes an idle connection may close it while a request is on its way, and the client
 * sees a reset. So connections are ended by an answer that says `Connection: close`, when they are
 * old and when the server drains; and a server that drains goes on listening and answering until its
 * clients have gone: the address may still be in use on nodes that have not heard of its end.
 */
export class Connections {
    private readonly open = new Map<Socket, Connection>();
    private inFlight = 0;
    private lastActivity = 0;
    private drainStarted: number | undefined;

    constructor(
        private readonly server: Server,
        private readonly config: ConnectionConfig,
        private readonly clock: { now: () => number; random: () => number } = {
            now: () => performance.now(),
            random: Math.random,
        },
    ) {
        server.on("connection", (socket) => this.track(socket));
    }

    get draining(): boolean {
        return this.drainStarted !== undefined;
    }

    /** To be called for every request; keeps a drain from ending under it. */
    requestStarted(response: ServerResponse): void {
        this.inFlight += 1;
        this.lastActivity = this.clock.now();
        response.once("close", () => {
            this.inFlight -= 1;
            this.lastActivity = this.clock.now();
        });
    }

    /** Decides, as late as the headers are written, whether this answer is its connection's last. */
    beforeHeaders(response: ServerResponse): void {
        const connection = response.socket === null ? undefined : this.open.get(response.socket);
        const age = connection === undefined ? 0 : this.clock.now() - connection.opened;
        const old = connection !== undefined && age > connection.maxAgeMs;
        if (this.draining || old) response.setHeader("connection", "close");
    }

    /**
     * Tells clients to go, waits until they have gone, and closes the server. Idle connections are
     * given `drainIdleSeconds` to be used once more; everything ends at `drainTimeoutSeconds`.
     *
     * @returns whether it ended by itself; false when the time-out cut something off
     */
    async drain(): Promise<boolean> {
        const started = this.clock.now();
        this.drainStarted = started;
        this.lastActivity = Math.max(this.lastActivity, started);
        const deadline = started + this.config.drainTimeoutSeconds * 1000;
        const idleDeadline = started + this.config.drainIdleSeconds * 1000;
        while (this.clock.now() < deadline) {
            const now = this.clock.now();
            const quiet = this.inFlight === 0 && now - this.lastActivity >= DRAIN_QUIET_MS;
            if (quiet && (this.open.size === 0 || now >= idleDeadline)) break;
            await sleep(DRAIN_POLL_MS);
        }
        // Stops listening and ends idle connections in an orderly way; busy ones finish first.
        const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
        const left = Math.max(0, deadline - this.clock.now());
        const inTime = await Promise.race([closed.then(() => true), sleep(left, false)]);
        if (!inTime) this.server.closeAllConnections();
        return inTime;
    }

    private track(socket: Socket): void {
        const { maxAgeSeconds } = this.config;
        const jitter = 1 + AGE_JITTER * (2 * this.clock.random() - 1);
        this.lastActivity = this.clock.now();
        this.open.set(socket, {
            opened: this.clock.now(),
            maxAgeMs: maxAgeSeconds === 0 ? Infinity : maxAgeSeconds * 1000 * jitter,
        });
        socket.once("close", () => this.open.delete(socket));
    }
}
