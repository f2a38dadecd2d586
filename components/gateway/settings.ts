/** The Gateway that carries an API's traffic, and what the route asks of it: config key `gateway`. */
export interface GatewaySettings {
    /** The Gateway. It belongs to the cluster's operator and must exist. */
    parent: GatewayParent;
    /**
     * Hosts whose requests belong to the API, at most 16, such as `api.example.com` or
     * `*.example.com`. Defaults to all that the Gateway listens for.
     */
    hostnames?: string[];
    /**
     * Seconds from a request to the end of its answer, 0.1 to 3600, retries included. Defaults to the
     * Gateway's own limit: not every controller supports another.
     */
    requestTimeoutSeconds?: number;
    /** Seconds of one attempt, at most those of the request. Defaults to the Gateway's own limit. */
    backendTimeoutSeconds?: number;
    /**
     * Name of a header whose value is a side (`green`, `canary`): such requests go there, whatever the
     * weights. Defaults to none, for whoever reaches the Gateway could reach an unreleased side by it.
     */
    previewHeader?: string;
    /** Seconds in which a controller must have accepted a changed route, 1 to 600. Defaults to 20. */
    acceptDeadlineSeconds?: number;
}

export interface GatewayParent {
    name: string;
    /** Defaults to the route's namespace. */
    namespace?: string;
    /** Name of one of the Gateway's listeners. Defaults to all that let the route in. */
    sectionName?: string;
}

/** One side of the API, as the route sees it. */
export interface GatewayBackend {
    /** Name of the side's own Service. */
    service: string;
    namespace: string;
    /** Port of the Service. */
    port: number;
    /** Share of the traffic in percent, 0 to 100 with at most one decimal; all of them sum to 100. */
    weight: number;
    /** Name of the side, for the preview header. Defaults to none: then it cannot be previewed. */
    side?: string;
}
