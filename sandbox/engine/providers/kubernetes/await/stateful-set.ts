import type { WatchEvent } from "../client";
import { generationOf, integer, type KubeObject, text } from "../objects";
import { unreadyPodsOf } from "./pod-state";
import { ObjectReadiness, ObjectSet, type Target } from "./readiness";
import { selectorText } from "./selector";

/**
 * A StatefulSet is ready when its controller has seen the change, all replicas are ready and of
 * the current revision, and no revision is on its way (with `OnDelete`: when all are ready).
 */
export class StatefulSetReadiness extends ObjectReadiness {
    private readonly pods = new ObjectSet();
    private readonly wantedGeneration: number;

    constructor(created: KubeObject) {
        super(created);
        this.wantedGeneration = generationOf(created);
        this.targets.push({
            apiVersion: "v1",
            kind: "Pod",
            labelSelector: selectorText(created),
        });
    }

    override observe(target: Target, event: WatchEvent): void {
        if (target !== this.own) this.pods.apply(event);
        else if (event.type !== "DELETED" && generationOf(event.object) >= this.wantedGeneration) {
            this.object = event.object;
        }
    }

    override reset(target: Target): void {
        if (target !== this.own) this.pods.clear();
    }

    ready(): boolean {
        return this.observed && this.replicasReady && this.revisionReady;
    }

    private get observed(): boolean {
        return (
            (integer(this.object, "status", "observedGeneration") ?? 0) >= generationOf(this.object)
        );
    }

    private get onDelete(): boolean {
        return (
            generationOf(this.object) > 1 &&
            text(this.object, "spec", "updateStrategy", "type") === "OnDelete"
        );
    }

    private count(field: string): number {
        return integer(this.object, "status", field) ?? 0;
    }

    private get wanted(): number {
        return integer(this.object, "spec", "replicas") ?? 1;
    }

    private get replicasReady(): boolean {
        const fields = ["replicas", "readyReplicas", ...(this.onDelete ? [] : ["currentReplicas"])];
        return fields.every((field) => this.count(field) === this.wanted);
    }

    private get revisionReady(): boolean {
        const current = text(this.object, "status", "currentRevision");
        return (
            this.onDelete ||
            (current !== "" && current === text(this.object, "status", "updateRevision"))
        );
    }

    /** Ready replicas of the wanted revision. */
    private get readyCount(): number {
        const ready = this.count("readyReplicas");
        return this.revisionReady ? ready : Math.min(ready, this.count("updatedReplicas"));
    }

    progress(): string {
        if (!this.replicasReady || !this.observed) {
            return `Waiting for StatefulSet to roll out (${this.readyCount}/${this.wanted} Pods ready)`;
        }
        return "Waiting for StatefulSet to update .status.currentRevision";
    }

    override reasons(): string[] {
        const reasons: string[] = [];
        if (!this.observed) reasons.push("The StatefulSet controller has not seen the change");
        if (!this.replicasReady) {
            reasons.push(
                `${this.readyCount} out of ${this.wanted} replicas succeeded readiness checks`,
            );
        }
        if (!this.revisionReady) {
            reasons.push(
                `StatefulSet controller failed to advance from revision "${text(this.object, "status", "currentRevision")}" ` +
                    `to revision "${text(this.object, "status", "updateRevision")}"`,
            );
        }
        return [...reasons, ...this.warnings()];
    }

    override unreadyPods(): KubeObject[] {
        return unreadyPodsOf(this.object, this.pods.all());
    }
}
