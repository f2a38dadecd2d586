import type { WatchEvent } from "../client";
import {
    annotation,
    conditionOf,
    generationOf,
    integer,
    isOwnedBy,
    type KubeObject,
    maps,
    nameOf,
    text,
} from "../objects";
import { unreadyPodsOf } from "./pod-state";
import { ObjectReadiness, ObjectSet, type Target } from "./readiness";
import { selectorText } from "./selector";

const REVISION = "deployment.kubernetes.io/revision";

/**
 * A Deployment is ready when its controller has seen the change, it is Available, the ReplicaSet
 * of its current revision has all its pods ready, and a rollout is complete. Old pods may still
 * be there. A stuck rollout (ProgressDeadlineExceeded) is reported but not final: it may recover.
 */
export class DeploymentReadiness extends ObjectReadiness {
    private readonly replicaSets = new ObjectSet();
    private readonly pods = new ObjectSet();
    private readonly claims = new ObjectSet();
    private reconciled = false;
    /** The generation that was written: an older one is yesterday's news. */
    private readonly wantedGeneration: number;

    /** @param before the object before the change; undefined if it was just created */
    constructor(
        created: KubeObject,
        private readonly before?: KubeObject,
    ) {
        super(created);
        this.wantedGeneration = generationOf(created);
        const labelSelector = selectorText(created);
        this.targets.push({ apiVersion: "apps/v1", kind: "ReplicaSet", labelSelector });
        this.targets.push({ apiVersion: "v1", kind: "Pod", labelSelector });
        for (const name of claimNames(created)) {
            this.targets.push({ apiVersion: "v1", kind: "PersistentVolumeClaim", name });
        }
    }

    override observe(target: Target, event: WatchEvent): void {
        if (target === this.own) this.observeDeployment(event);
        else this.setOf(target).apply(event);
    }

    override reset(target: Target): void {
        if (target !== this.own) this.setOf(target).clear();
    }

    private setOf(target: Target): ObjectSet {
        if (target.kind === "ReplicaSet") return this.replicaSets;
        return target.kind === "Pod" ? this.pods : this.claims;
    }

    private observeDeployment(event: WatchEvent): void {
        if (event.type === "DELETED" || generationOf(event.object) < this.wantedGeneration) return;
        this.object = event.object;
        this.reconciled =
            integer(event.object, "status", "observedGeneration") === generationOf(event.object);
    }

    ready(): boolean {
        return (
            this.reconciled &&
            this.available &&
            (this.firstRevision || this.rolledOut) &&
            this.replicaSetReady &&
            this.unboundClaims.length === 0
        );
    }

    private get available(): boolean {
        return conditionOf(this.object, "Available")?.status === "True";
    }

    private get rolledOut(): boolean {
        const progressing = conditionOf(this.object, "Progressing");
        return progressing?.status === "True" && progressing.reason === "NewReplicaSetAvailable";
    }

    private get revision(): string {
        return annotation(this.object, REVISION);
    }

    /** The first revision is created, not rolled out: there is no rollout to complete. */
    private get firstRevision(): boolean {
        return this.revision === "1";
    }

    private get currentReplicaSet(): KubeObject | undefined {
        return this.replicaSets
            .all()
            .find(
                (set) => isOwnedBy(set, this.object) && annotation(set, REVISION) === this.revision,
            );
    }

    private get counts(): { ready: number; wanted: number } {
        const set = this.currentReplicaSet;
        // Both are live values, so scaling by hand or by an autoscaler does not hang the wait; the
        // larger one, because the ReplicaSet may not have been resized yet.
        const wanted = Math.max(
            integer(set, "spec", "replicas") ?? 1,
            this.firstRevision || this.rolledOut
                ? (integer(this.object, "spec", "replicas") ?? 1)
                : 0,
        );
        return { ready: integer(set, "status", "readyReplicas") ?? 0, wanted };
    }

    private get replicaSetReady(): boolean {
        const { ready, wanted } = this.counts;
        return this.revision !== "" && this.currentReplicaSet !== undefined && ready >= wanted;
    }

    private get unboundClaims(): KubeObject[] {
        return this.claims.all().filter((claim) => text(claim, "status", "phase") !== "Bound");
    }

    progress(): string {
        const { ready, wanted } = this.counts;
        return `Waiting for app ReplicaSet to be available (${ready}/${wanted} Pods available)`;
    }

    override reasons(): string[] {
        const reasons = this.conditionProblems();
        if (this.unboundClaims.length > 0) {
            const names = this.unboundClaims.map(nameOf).join(",");
            reasons.push(`Failed to bind PersistentVolumeClaim(s): "${names}"`);
        }
        if (!this.reconciled) {
            reasons.push("The Deployment controller has not seen the change");
        } else if (!this.available) {
            reasons.push("Minimum number of live Pods was not attained");
        } else if (this.firstRevision ? !this.replicaSetReady : !this.rolledOut) {
            reasons.push(
                "Minimum number of Pods to consider the application live was not attained",
            );
        } else if (!this.replicaSetReady) {
            reasons.push(
                "Attempted to roll forward to new ReplicaSet, but minimum number of Pods did not become live",
            );
        }
        return [...reasons, ...super.warnings()];
    }

    override warnings(): string[] {
        return [...this.conditionProblems(), ...super.warnings()];
    }

    private conditionProblems(): string[] {
        const problems: string[] = [];
        for (const condition of maps(this.object, "status", "conditions")) {
            // ReplicaFailure: pods are refused, by a quota or a security policy.
            const bad = condition.type === "ReplicaFailure" ? "True" : "False";
            const reason = text(condition, "reason");
            const message = text(condition, "message");
            if (condition.status === bad && reason !== "" && message !== "") {
                problems.push(`[${reason}] ${message}`);
            }
        }
        return problems;
    }

    /** Old pods that go are no problem. */
    override unreadyPods(): KubeObject[] {
        const set = this.currentReplicaSet;
        return set === undefined ? [] : unreadyPodsOf(set, this.pods.all());
    }
}

function claimNames(deployment: KubeObject): string[] {
    return maps(deployment, "spec", "template", "spec", "volumes").flatMap((volume) => {
        const name = text(volume, "persistentVolumeClaim", "claimName");
        return name === "" ? [] : [name];
    });
}
