/**
 * As much of Kubernetes as decides whether a request is answered: Deployments that roll, autoscalers
 * that own `replicas`, a Service, a router, an HTTPRoute. Always at its worst: pods go at once, and
 * come only when somebody waits for them.
 */

export type Labels = Readonly<Record<string, string>>;

/** Percent of the traffic by the key of a Deployment. */
export type Shares = Readonly<Record<string, number>>;

export interface DeploymentSpec {
    kind: "Deployment";
    labels: Labels;
    selector: Labels;
    /** What its pods run. */
    template: string;
    /** Whether pods of the template never get ready. */
    broken: boolean;
    replicas: number;
    /** Of `replicas`, how many a rollout may do without. */
    maxUnavailable: number;
    /** Of a router: where its pods send traffic. */
    shares?: Shares;
}

export interface AutoscalerSpec {
    kind: "Autoscaler";
    /** Key of its Deployment. */
    target: string;
    min: number;
    max: number;
}

export interface ServiceSpec {
    kind: "Service";
    selector: Labels;
    /** Says what runs behind it. */
    serves: string;
}

export interface HttpRouteSpec {
    kind: "HTTPRoute";
    shares: Shares;
    serves: string;
}

export type Spec = DeploymentSpec | AutoscalerSpec | ServiceSpec | HttpRouteSpec;

/** The pods of a Deployment. */
export interface Pods {
    /** Ready ones by their template, the oldest first. */
    ready: Map<string, { count: number; shares: Shares | undefined }>;
    /** Who changed their number last. */
    owner: "pulumi" | "autoscaler";
}

export type Pick = (below: number) => number;

export class Cluster {
    /** What exists, by `<namespace>/<kind>/<name>`. */
    readonly specs = new Map<string, Spec>();
    readonly pods = new Map<string, Pods>();

    /** Ready pods of a Deployment, of whatever template. */
    ready(key: string): number {
        let sum = 0;
        for (const { count } of this.pods.get(key)?.ready.values() ?? []) sum += count;
        return sum;
    }

    /** Ready pods of the template that a Deployment has now. */
    current(key: string): number {
        const spec = this.specs.get(key);
        if (spec?.kind !== "Deployment") return 0;
        return this.pods.get(key)?.ready.get(spec.template)?.count ?? 0;
    }

    /** Whether all of a Deployment's pods are ready ones of its template. */
    isRolledOut(key: string): boolean {
        const spec = this.specs.get(key);
        if (spec?.kind !== "Deployment") return true;
        return this.current(key) >= spec.replicas && this.current(key) === this.ready(key);
    }

    create(key: string, spec: Spec): void {
        this.specs.set(key, { ...spec });
        if (spec.kind !== "Deployment") return;
        this.pods.set(key, { ready: new Map(), owner: "pulumi" });
    }

    /** `keepReplicas`: the size is left to whoever changed it. */
    update(key: string, spec: Spec, keepReplicas: boolean): void {
        const before = this.specs.get(key);
        const pods = this.pods.get(key);
        if (before?.kind !== "Deployment" || spec.kind !== "Deployment" || pods === undefined) {
            this.specs.set(key, { ...spec });
            return;
        }
        const replicas = keepReplicas ? before.replicas : spec.replicas;
        if (replicas !== before.replicas) pods.owner = "pulumi";
        this.specs.set(key, { ...spec, replicas });
        this.shrink(key, replicas);
    }

    delete(key: string): void {
        this.specs.delete(key);
        this.pods.delete(key);
    }

    /** Every autoscaler moves its Deployment to a size between its bounds, but not away from 0. */
    scale(size: (now: number, bounds: AutoscalerSpec) => number): void {
        for (const bounds of this.specs.values()) {
            if (bounds.kind !== "Autoscaler") continue;
            const spec = this.specs.get(bounds.target);
            const pods = this.pods.get(bounds.target);
            if (spec?.kind !== "Deployment" || pods === undefined || spec.replicas === 0) continue;
            const replicas = size(spec.replicas, bounds);
            if (replicas === spec.replicas) continue;
            spec.replicas = replicas;
            pods.owner = "autoscaler";
            this.shrink(bounds.target, replicas);
        }
    }

    /** What time alone brings: autoscalers keep to their bounds, rollouts get as far as they can. */
    settle(): void {
        this.scale((now, { min, max }) => Math.min(Math.max(now, min), max));
        for (const [key, { ready }] of this.pods) {
            const { template, broken, replicas, maxUnavailable, shares } = this.specs.get(
                key,
            ) as DeploymentSpec;
            // Behind new pods that do not get ready the old ones stay.
            if (broken) this.shrink(key, Math.max(replicas - maxUnavailable, 0));
            else {
                ready.clear();
                if (replicas > 0) ready.set(template, { count: replicas, shares });
            }
        }
    }

    /** Pods go, of old templates first. */
    private shrink(key: string, replicas: number): void {
        const { ready } = this.pods.get(key) as Pods;
        const { template } = this.specs.get(key) as DeploymentSpec;
        let surplus = this.ready(key) - replicas;
        for (const [name, group] of [...ready].sort(([a]) => (a === template ? 1 : -1))) {
            if (surplus <= 0) return;
            const gone = Math.min(group.count, surplus);
            surplus -= gone;
            group.count -= gone;
            if (group.count === 0) ready.delete(name);
        }
    }

    /** The Deployments behind a Service. */
    behind(serviceKey: string): string[] {
        const service = this.specs.get(serviceKey);
        if (service?.kind !== "Service") return [];
        const namespace = `${serviceKey.split("/")[0]}/`;
        return [...this.pods.keys()].filter((key) => {
            const { labels } = this.specs.get(key) as DeploymentSpec;
            return key.startsWith(namespace) && matches(service.selector, labels);
        });
    }
}

function matches(selector: Labels, labels: Labels): boolean {
    return Object.entries(selector).every(([name, value]) => labels[name] === value);
}
