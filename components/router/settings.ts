import type { ResourcesArgs } from "../args";

/** One side of the split: the Service in front of its pods, and its share of the traffic. */
export interface Backend {
    /** What the user calls it: `blue`, `canary`. */
    side: string;
    /** Host name of the side's Service inside the cluster: `user-service-blue.ecommerce-blue.svc`. */
    host: string;
    /** Port of that Service. */
    port: number;
    /** Share of the traffic in percent: 0 to 100, at most one decimal. All together are 100. */
    weight: number;
    /**
     * Whether it is the side that has what no other one gets: stable, or the active color. Exactly one
     * is. The ranges of the others come first, so that they keep whom they have when they grow, and
     * what they leave unanswered is asked of this one.
     */
    main: boolean;
    /** The release that runs there, for the access log. */
    release?: string;
}

/** The header of a proxy in front, and who may set it. */
export interface ClientAddressArgs {
    /** The header with the client's address, `X-Forwarded-For`. Defaults to none: the connection's address. */
    trustedHeader?: string;
    /** The addresses or ranges (`10.0.0.0/8`) of the proxies whose header is believed. */
    trustedProxies?: string[];
}

/**
 * What a client is known by. Exactly one of `header`, `cookie` and `clientAddress`; a request without
 * it is split by chance.
 */
export interface StickyArgs {
    /** Name of a request header, `X-User-Id`. */
    header?: string;
    /** Name of a cookie: letters, digits and `_`. */
    cookie?: string;
    /**
     * How long a cookie lasts that the router itself gives to clients without one, in seconds. Defaults
     * to none: the cookie is the API's own.
     */
    cookieMaxAgeSeconds?: number;
    /** The client's address. Give an empty object to use the address that the router itself sees. */
    clientAddress?: ClientAddressArgs;
    /**
     * Put before every key, so that several APIs do not all try their canaries on the same clients:
     * letters, digits, `.`, `_` and `-`. Another one deals everybody anew. Defaults to none.
     */
    seed?: string;
}

/** How long the router waits, in seconds. */
export interface RouterTimeoutsArgs {
    /** For a connection to a side, 1 to 75. Defaults to 2. */
    connectSeconds?: number;
    /** Between two reads of a side's answer, 1 to 3600. Defaults to 60. */
    readSeconds?: number;
    /** Between two reads of a client's request or two writes of its answer, 1 to 3600. Defaults to 15. */
    clientSeconds?: number;
    /** For the next request on a client's connection, 1 to 3600. Defaults to 75. */
    idleSeconds?: number;
}

/** The nginx router. Plain values: the config that they are rendered to has its name from them. */
export interface RouterSettings {
    /** Name of its Deployment and of all that belongs to it. Defaults to `nginx-load-balancer`. */
    name?: string;
    /** An nginx image, 1.19.10 or newer, that quits gracefully when stopped. Defaults to `nginx:1.30.4`. */
    image?: string;
    /** Pods, at least 1. Defaults to 2. */
    replicas?: number;
    /** Keeps a client on its side while the weights stay, and on a growing one for good. Defaults to a split by chance. */
    sticky?: StickyArgs;
    /**
     * Name of a request header whose value, the name of a side, sends the request there whatever the
     * weights say. Who reaches the router can send it. Defaults to none.
     */
    previewHeader?: string;
    /** Largest body of a request, as nginx writes sizes (`512k`, `10m`). Defaults to `1m`. */
    maxBodySize?: string;
    timeouts?: RouterTimeoutsArgs;
    /** Age at which a client's connection is closed after an answer, in seconds, 1 to 86400. Defaults to 30. */
    maxConnectionAgeSeconds?: number;
    /** How long an ending router goes on answering, each answer the last of its connection, in seconds, 0 to 3600. Defaults to 10. */
    drainSeconds?: number;
    /**
     * `Cluster` or `Local`, of the public Service: `Local` keeps the client's address, and leaves out
     * nodes without a router. Only for a `NodePort` or `LoadBalancer`. Defaults to `Cluster`.
     */
    externalTrafficPolicy?: string;
    /** Requests and limits. Default to 50m to 1 CPU, 32Mi to 128Mi memory, 64Mi to 512Mi local disk. */
    resources?: ResourcesArgs;
}
