import { Counter, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/** From well below an in-memory answer to well above any sane time-out. */
const LATENCY_BUCKETS_SECONDS = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const LABELS = ["route", "method", "status"] as const;

/** Routes and methods of the requests that match none, so that callers cannot make up series. */
export const UNMATCHED_ROUTE = "unmatched";
export const OTHER_METHOD = "other";

export interface RequestLabels {
    /** The route's template, never the path: the number of series must not depend on callers. */
    route: string;
    method: string;
    status: number;
}

export interface Metrics {
    readonly contentType: string;
    observe(labels: RequestLabels, seconds: number): void;
    render(): Promise<string>;
}

/** Metrics of this process; every series carries the release and the color. */
export function createMetrics(identity: { release: string; color: string }): Metrics {
    const registry = new Registry();
    registry.setDefaultLabels(identity);
    collectDefaultMetrics({ register: registry });
    const requests = new Counter({
        name: "http_requests_total",
        help: "Requests answered, without those of probes and of the metrics themselves.",
        labelNames: LABELS,
        registers: [registry],
    });
    const duration = new Histogram({
        name: "http_request_duration_seconds",
        help: "Time from a request's headers to the end of its answer, in seconds.",
        labelNames: LABELS,
        buckets: LATENCY_BUCKETS_SECONDS,
        registers: [registry],
    });
    return {
        contentType: registry.contentType,
        observe({ route, method, status }, seconds) {
            const labels = { route, method, status: String(status) };
            requests.inc(labels);
            duration.observe(labels, seconds);
        },
        render: () => registry.metrics(),
    };
}
