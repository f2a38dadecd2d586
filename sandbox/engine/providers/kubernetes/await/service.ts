import type { WatchEvent } from "../client";
import { type KubeObject, isMap, maps, nameOf, pluck, text } from "../objects";
import { ObjectReadiness, type Target } from "./readiness";

/** After each change of its endpoints a Service gets this long to settle. */
const SETTLE_MS = 10_000;

/**
 * A Service with a selector is ready when its endpoints have settled and none is unready; no
 * endpoint at all passes. A load balancer must also have its address. Services without a selector,
 * headless ones and external names are ready when they exist.
 */
export class ServiceReadiness extends ObjectReadiness {
    private seen = false;
    private endpointsReady = false;
    private endpointsPending = false;
    private settled = false;
    private later: (ms: number, run: () => void) => void = () => undefined;

    constructor(created: KubeObject) {
        super(created);
        if (this.needsPods) {
            this.targets.push({ apiVersion: "v1", kind: "Endpoints", name: nameOf(created) });
        }
    }

    start(later: (ms: number, run: () => void) => void): void {
        this.later = later;
    }

    settle(): void {
        this.settled = true;
    }

    override observe(target: Target, event: WatchEvent): void {
        super.observe(target, event);
        if (target === this.own) this.seen = !this.deleted;
        else this.observeEndpoints(event);
    }

    private observeEndpoints(event: WatchEvent): void {
        this.settled = false;
        // Each change starts a timer of its own; the first to fire settles, as with the provider.
        this.later(SETTLE_MS, () => (this.settled = true));
        const subsets = event.type === "DELETED" ? [] : maps(event.object, "subsets");
        this.endpointsReady = subsets.some((subset) => maps(subset, "addresses").length > 0);
        this.endpointsPending = subsets.some(
            (subset) => maps(subset, "notReadyAddresses").length > 0,
        );
    }

    private get type(): string {
        return text(this.object, "spec", "type") || "ClusterIP";
    }

    private get needsPods(): boolean {
        const selector = pluck(this.object, "spec", "selector");
        return (
            this.type !== "ExternalName" &&
            text(this.object, "spec", "clusterIP") !== "None" &&
            isMap(selector) &&
            Object.keys(selector).length > 0
        );
    }

    private get addressed(): boolean {
        return (
            this.seen &&
            (this.type !== "LoadBalancer" ||
                maps(this.object, "status", "loadBalancer", "ingress").length > 0)
        );
    }

    ready(): boolean {
        return this.addressed && (!this.needsPods || (this.settled && !this.endpointsPending));
    }

    acceptAtTimeout(): boolean {
        return this.addressed && !this.endpointsPending;
    }

    progress(): string {
        return this.settled && this.endpointsReady
            ? "[2/3] Attempting to allocate IP address to Service"
            : "[1/3] Finding Pods to direct traffic to";
    }

    override reasons(): string[] {
        const reasons: string[] = [];
        if (this.needsPods && !this.endpointsReady) {
            reasons.push(
                "Service does not target any Pods. Selected Pods may not be ready, or field " +
                    "'.spec.selector' may not match labels on any Pods",
            );
        }
        if (this.type === "LoadBalancer" && !this.addressed) {
            reasons.push(
                "Service was not allocated an IP address; does your cloud provider support this?",
            );
        }
        return reasons;
    }
}
