import type { WatchEvent } from "../client";
import { conditionOf, integer, type KubeObject, nameOf, text } from "../objects";
import { shortName, unreadyPodsOf } from "./pod-state";
import { ObjectReadiness, ObjectSet, ReadinessFailure, type Target } from "./readiness";

/** A Job is ready when it is complete; one that failed for good fails at once. */
export class JobReadiness extends ObjectReadiness {
    private readonly pods = new ObjectSet();
    /** What its pods said: they may be gone by the time the Job gives up. */
    private readonly said = new Set<string>();

    constructor(created: KubeObject) {
        super(created);
        const labelSelector = `batch.kubernetes.io/job-name=${nameOf(created)}`;
        this.targets.push({ apiVersion: "v1", kind: "Pod", labelSelector });
    }

    override observe(target: Target, event: WatchEvent): void {
        super.observe(target, event);
        if (target === this.own) return;
        this.pods.apply(event);
        for (const problem of this.warnings()) this.said.add(problem);
    }

    override reset(target: Target): void {
        if (target !== this.own) this.pods.clear();
    }

    ready(): boolean {
        if (this.failure !== undefined) {
            throw new ReadinessFailure(
                `Resource '${nameOf(this.object)}' was created but failed to initialize`,
            );
        }
        return this.isComplete();
    }

    isComplete(): boolean {
        return (
            text(this.object, "status", "startTime") !== "" &&
            conditionOf(this.object, "Complete")?.status === "True"
        );
    }

    private get failure(): string | undefined {
        const failed = conditionOf(this.object, "Failed");
        if (failed?.status !== "True") return undefined;
        return `[${text(failed, "reason")}] ${text(failed, "message")}`;
    }

    progress(): string {
        const count = (field: string): number => integer(this.object, "status", field) ?? 0;
        return (
            `Waiting for Job "${shortName(this.object)}" to succeed ` +
            `(Active: ${count("active")} | Succeeded: ${count("succeeded")} | Failed: ${count("failed")})`
        );
    }

    override reasons(): string[] {
        return [...(this.failure === undefined ? [] : [this.failure]), ...this.said];
    }

    override unreadyPods(): KubeObject[] {
        return unreadyPodsOf(this.object, this.pods.all());
    }
}
