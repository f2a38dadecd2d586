import { isDeepStrictEqual } from "node:util";
import { generationOf, integer, isMap, type KubeObject, nameOf, pluck, text } from "../objects";
import { DEFAULT_TIMEOUT_SECONDS, ObjectReadiness } from "./readiness";

/** A rule that needs nothing but the object itself. */
export class PredicateReadiness extends ObjectReadiness {
    constructor(
        created: KubeObject,
        private readonly isReady: (object: KubeObject) => boolean,
        private readonly describe: (object: KubeObject) => string,
        override readonly defaultTimeoutSeconds: number = DEFAULT_TIMEOUT_SECONDS,
    ) {
        super(created);
    }

    ready(): boolean {
        return !this.deleted && this.isReady(this.object);
    }

    progress(): string {
        return this.describe(this.object);
    }

    override reasons(): string[] {
        return [this.describe(this.object)];
    }
}

const phase = (object: KubeObject): string => text(object, "status", "phase");

const describePhase = (object: KubeObject): string =>
    `${text(object, "kind")} ${nameOf(object)} is ${phase(object) || "not seen by its controller yet"}`;

/**
 * A claim whose class binds at first use is ready while Pending: its pod comes later. Any other
 * must be bound; so must one that was bound before the change.
 */
export const claimReadiness = (
    created: KubeObject,
    isNew: boolean,
    bindingMode: string,
): PredicateReadiness =>
    new PredicateReadiness(
        created,
        (claim) => {
            if (!isNew && phase(claim) === "Bound") return true;
            return phase(claim) === (bindingMode === "WaitForFirstConsumer" ? "Pending" : "Bound");
        },
        describePhase,
        300,
    );

export const volumeReadiness = (created: KubeObject): PredicateReadiness =>
    new PredicateReadiness(
        created,
        (volume) => ["Available", "Bound"].includes(phase(volume)),
        describePhase,
        300,
    );

export const quotaReadiness = (created: KubeObject): PredicateReadiness =>
    new PredicateReadiness(
        created,
        (quota) => isDeepStrictEqual(pluck(quota, "spec", "hard"), pluck(quota, "status", "hard")),
        () => "Waiting for the quota controller to take the limits over",
        60,
    );

/** A token Secret is filled by its controller. */
export const tokenReadiness = (created: KubeObject): PredicateReadiness =>
    new PredicateReadiness(
        created,
        (secret) => isMap(secret.data) && Object.keys(secret.data).length > 0,
        () => "Waiting for the token controller to fill the Secret; does its ServiceAccount exist?",
        5,
    );

/** A DaemonSet: all wanted pods are there, of the newest version, ready and available. */
export const daemonSetReadiness = (created: KubeObject): PredicateReadiness =>
    new PredicateReadiness(
        created,
        (set) => {
            const wanted = integer(set, "status", "desiredNumberScheduled");
            const enough = (field: string): boolean =>
                (integer(set, "status", field) ?? 0) >= (wanted ?? 0);
            return (
                wanted !== undefined &&
                integer(set, "status", "observedGeneration") === generationOf(set) &&
                [
                    "currentNumberScheduled",
                    "updatedNumberScheduled",
                    "numberAvailable",
                    "numberReady",
                ].every(enough)
            );
        },
        (set) =>
            `Available: ${integer(set, "status", "numberAvailable") ?? 0}/${integer(set, "status", "desiredNumberScheduled") ?? 0}`,
    );
