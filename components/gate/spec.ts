/**
 * How long the gate waits, in seconds, until the target of a route has enough ready pods: long enough
 * to see Kubernetes' own verdict (`progressDeadlineSeconds`, 120), short enough that a failed `up`
 * gives the stack's lock back soon.
 */
export const GATE_DEADLINE_SECONDS = 150;

/**
 * Says on the route what runs behind it. The route changes with it, so the gate also waits for a new
 * release on the side that has the traffic, and again in the next `up` if that one failed.
 */
export const SERVES_ANNOTATION = "cutover.local/serves";

/**
 * How long, in seconds, the Service may take to have exactly the target's pods as endpoints. The
 * endpoint controller needs milliseconds; a new leader of it needs about 15 s to take over.
 */
export const ENDPOINTS_DEADLINE_SECONDS = 30;

/** How long, in seconds, one request to the API server may take. */
export const REQUEST_TIMEOUT_SECONDS = 10;

/** One side of a route: a Deployment and the labels that select its pods. */
export interface GateSide {
    /** Its namespace. Defaults to the route's. */
    namespace?: string;
    /** Name of the Deployment. */
    deployment: string;
    /** The labels by which the route selects the side's pods. */
    selector: Record<string, string>;
    /** What the user calls the side: `green`, `canary`. */
    label: string;
}

/** A side that gets traffic. */
export interface GateTarget extends GateSide {
    /** Ready pods it must have before the route may move, at least 1. */
    neededReady: number;
    /**
     * The image that this `up` declares for the side. With it, preview can tell a failing target that
     * this `up` replaces from one that it leaves as it is; without it, preview only warns.
     */
    image?: string;
    /** The plain environment of the release, compared with the running one like `image`. */
    env?: Record<string, string>;
    /**
     * Whether it gets traffic that it did not have: preview refuses a failing one only then, for what
     * has the traffic already may fail and be changed all the same. Defaults to true.
     */
    gains?: boolean;
    /**
     * Whether it must also have told all pods of an older template to end: a router's say other
     * weights. Defaults to false.
     */
    exclusive?: boolean;
    /** Whether those pods must have ended, too: what they send traffic to is about to go. Defaults to false. */
    alone?: boolean;
    /** Whether its pods of older templates count as well. Defaults to false. */
    anyTemplate?: boolean;
}

/** What the gate of one route checks, and in which cluster. */
export interface GateSpec {
    /** Context of the kubeconfig; only an inline kubeconfig may leave it out (its current one then). */
    context: string | undefined;
    /** Path or content of a kubeconfig. Defaults to `KUBECONFIG`, then `~/.kube/config`. */
    kubeconfig?: string;
    namespace: string;
    /** Name of the route: a Service, a router's Deployment, an HTTPRoute. */
    route: string;
    /** The sides that get traffic, at least one. */
    targets: GateTarget[];
    /** The sides that have the traffic now; none on the first `up`. */
    from: GateSide[];
    /**
     * With a Service as the route, the labels of the pods behind it: its endpoints are then checked
     * after the route has moved. Defaults to no such check.
     */
    selector?: Record<string, string>;
    /**
     * How long to wait for ready pods, in seconds. Defaults to `GATE_DEADLINE_SECONDS`. What waiting
     * cannot heal ends it sooner; so do pods that run for half of it without getting ready.
     */
    deadlineSeconds?: number;
}

/** The gate refuses: the message is all that the user gets to see. */
export class GateError extends Error {
    constructor(message: string) {
        super(message);
        this.name = "GateError";
    }
}
