/**
 * Every default of the router, with its reason. "Document" is the second guide, whose load balancer
 * the router is.
 */

/** The document's name of the Deployment, and its number of pods. */
export const ROUTER_NAME = "nginx-load-balancer";
export const ROUTER_REPLICAS = 2;

/** The stable branch in autumn 2026; the document's 1.21 has had no fixes since 2022. */
export const ROUTER_IMAGE = "nginx:1.30.4";

/** Where it listens: a port that needs no privilege. */
export const ROUTER_PORT = 8080;

/** Answered by the router itself. The one path that the API cannot have. */
export const HEALTH_PATH = "/healthz";

/** More pods, not more workers, carry more load; the second one answers while the first is busy. */
export const WORKERS = 2;

/** Connections of one worker, clients' and sides' together, and the files that it may open for them. */
export const WORKER_CONNECTIONS = 4_096;
export const WORKER_FILES = 2 * WORKER_CONNECTIONS;

/** nginx's own, small enough that the bodies of many requests at once fit the pod's disk. */
export const MAX_BODY_SIZE = "1m";

/** A connection inside a cluster takes milliseconds; the kernel repeats a lost SYN after 1 s. */
export const CONNECT_SECONDS = 2;

/** nginx's own. */
export const READ_SECONDS = 60;

/** Half-sent requests must not hold connections for nginx's 60 s. */
export const CLIENT_SECONDS = 15;

/** Longer than clients and proxies keep idle connections, so that they, not the router, close them. */
export const IDLE_SECONDS = 75;

/** As for the API: kept-alive connections follow a change within this time. */
export const MAX_CONNECTION_AGE_SECONDS = 30;

/**
 * Long enough for the endpoints without the router to reach every node, and for busy connections to
 * be told to close; no longer than a side that loses its traffic goes on serving (its preStop sleep).
 */
export const DRAIN_SECONDS = 10;

/** After the drain, for what is being answered; then a margin before Kubernetes kills the pod. */
export const QUIT_SECONDS = 20;
export const QUIT_MARGIN_SECONDS = 5;

/** A request that nobody answered is asked again, once, while its client has not waited longer than this. */
export const RETRY_WITHIN_SECONDS = 5;
export const TRIES = 2;

/**
 * Connections that a worker keeps open to each side. Idle ones end before a draining API ends them
 * (5 s); each ends after 100 requests, for as long as it lives it stays on one pod of its side.
 */
export const KEPT_CONNECTIONS = 64;
export const KEPT_IDLE_SECONDS = 4;
export const KEPT_REQUESTS = 100;
export const KEPT_AGE_SECONDS = 30;

/** Where its config is mounted, what it may write to, and the file that tells it to drain. */
export const CONFIG_PATH = "/etc/cutover/router";
export const CONFIG_FILE = "nginx.conf";
export const TMP_PATH = "/tmp";
export const DRAIN_FILE = `${TMP_PATH}/draining`;

/** For bodies of requests, 1 MiB each, on their way to a side. */
export const TMP_SIZE_LIMIT = "256Mi";

export const RESOURCES = {
    requests: { cpu: "50m", memory: "32Mi", "ephemeral-storage": "64Mi" },
    limits: { cpu: "1", memory: "128Mi", "ephemeral-storage": "512Mi" },
} as const;

/** All new pods at once, and no old one goes before: a weight change must not take two turns. */
export const MAX_SURGE = "100%";
export const MAX_UNAVAILABLE = 0;

/** Config maps of older pods are gone, so there is nothing to roll back to by hand. */
export const REVISION_HISTORY_LIMIT = 2;

/**
 * nginx starts in milliseconds, and every second of the probe is a second of a weight change. So there
 * is no startup probe either: readiness would wait for it, and liveness leaves ten times the time.
 */
export const READINESS = { periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 3 } as const;

/** Restarts a router that hangs, not one that is busy. */
export const LIVENESS = { periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 } as const;
