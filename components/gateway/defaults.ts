/** Defaults of the Gateway route, with their reasons. */

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

/** The version of HTTPRoute that every release since 1.0 serves and stores. */
export const ROUTE_API_VERSION = `${GATEWAY_GROUP}/v1`;

/**
 * ReferenceGrants became v1 only lately, and clusters with the releases before have v1beta1 alone;
 * newer ones serve both.
 */
export const GRANT_API_VERSION = `${GATEWAY_GROUP}/v1beta1`;

/**
 * How long, in seconds, a controller may take to accept the route: those that run in the cluster need
 * less than one, and a failed `up` is to give the stack's lock back soon.
 */
export const ACCEPT_DEADLINE_SECONDS = 20;

/** Longest of those deadlines: controllers that set up a cloud's load balancer take minutes. */
export const LONGEST_ACCEPT_DEADLINE_SECONDS = 600;

/** Weights are integers, and our percentages have one decimal. */
export const WEIGHT_PER_PERCENT = 10;

/** The API's own limit for the backends of a rule, and for the host names of a route. */
export const MOST_ENTRIES = 16;

/** Longest timeout of a request, in seconds: whatever takes longer is no request to wait for. */
export const LONGEST_TIMEOUT_SECONDS = 3600;
