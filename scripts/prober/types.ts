/**
 * How a request reaches the server: on a connection that stays open, or on one opened for it alone.
 * The two are never mixed in a figure: a Service's selector moves new connections at once, while an
 * open one stays on its pod until it closes.
 */
export const ConnectionKind = { keptAlive: "keptAlive", new: "new" } as const;
export type ConnectionKind = (typeof ConnectionKind)[keyof typeof ConnectionKind];

/** One request, kept whatever became of it. Times are milliseconds since the epoch. */
export interface Sample {
    /** Its number, from 0, in the order of the due times. */
    n: number;
    kind: ConnectionKind;
    /** When the request had to start; latency counts from here, so a late start is not hidden. */
    due: number;
    /** When it did start. */
    start: number;
    /** When its last byte, or its failure, arrived. */
    end: number;
    ok: boolean;
    /** HTTP status; absent when no response head arrived. */
    status?: number;
    /** Error code (`ECONNRESET`, `ETIMEDOUT`, `HTTP_503`, `ETRUNCATED`, …); absent when `ok`. */
    error?: string;
    /** True when an earlier request had used the connection. */
    reused: boolean;
    /** The answer's `x-release`, `x-color` and `x-pod` headers. */
    release?: string;
    color?: string;
    pod?: string;
    /** For a failure: the pod that had answered on this connection before, and the local port. */
    lastPod?: string;
    localPort?: number;
}

export interface ProbeSettings {
    /** Where to; only `http:`, and only addresses that {@link assertTarget} accepts. */
    url: string;
    /** Requests per second, 1–1000. Defaults to 200. */
    rate?: number;
    /** The prober stops by itself after this many seconds, 1–3600. Defaults to 900. */
    maxSeconds?: number;
    /** A request without a complete answer after this many milliseconds has failed. Defaults to 5000. */
    timeoutMs?: number;
    /** Number of connections that are kept open, 1–100. Defaults to 10. */
    keptAliveConnections?: number;
    /** Every sample is also appended to this file, one JSON object a line. */
    file?: string;
    /** Host addresses accepted beside loopback, for example those of the sandbox's bridge. */
    allowHosts?: readonly string[];
    /** Accepts any host: only for a cluster and an address that the user named. */
    allowAnyHost?: boolean;
}

/** {@link ProbeSettings} with every default filled in: what the worker process is given. */
export type ResolvedSettings = Required<
    Omit<ProbeSettings, "file" | "allowHosts" | "allowAnyHost">
> &
    Pick<ProbeSettings, "file">;

export const DEFAULT_RATE = 200;
export const DEFAULT_MAX_SECONDS = 900;
/** Kubernetes clients commonly give up after 5 s; a slower answer is of no use to them. */
export const DEFAULT_TIMEOUT_MS = 5_000;
/** Enough that each of a color's pods holds some, few enough that each is used every 100 ms. */
export const DEFAULT_KEPT_ALIVE_CONNECTIONS = 10;

/** What the worker tells its parent. */
export type WorkerMessage =
    | { type: "started"; at: number }
    | { type: "samples"; samples: Sample[] }
    | { type: "stopped"; reason: "asked" | "bounds" };
