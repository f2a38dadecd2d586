import type { ContainerStatus, Deployment, Pod } from "./reader";

/**
 * Something that keeps a target from being ready, and for how long it may last, in seconds, before
 * waiting on is pointless.
 */
export interface Problem {
    kind:
        "image" | "config" | "crash" | "unready" | "unschedulable" | "zero" | "refused" | "stalled";
    /** Who has it: with `kind` it stays the same while the problem lasts, whatever its wording. */
    owner: string;
    /** One line for the user: `pod x: ImagePullBackOff: Back-off pulling image "y"`. */
    text: string;
    patienceSeconds: number;
    /** How long it has lasted already by the cluster's own record, in seconds, where that is known. */
    lastedSeconds?: number;
}

/**
 * Patience with what a second try can heal: a registry that stutters, a Secret that comes late, a
 * quota that a terminating pod is about to free, a crash while the database starts.
 */
export const RETRIED_PATIENCE_SECONDS = 10;

/** A pod that still crashes after this many restarts does not heal by waiting. */
export const HOPELESS_RESTARTS = 3;

/**
 * The part of the gate's deadline that a container may run without getting ready: several rounds of
 * its probes, and time left to say so before the deadline.
 */
export const UNREADY_PATIENCE_SHARE = 0.5;

const IMAGE_REASONS = new Set(["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"]);
const HOPELESS_REASONS = new Set(["InvalidImageName", "ErrImageNeverPull"]);
const CONFIG_REASONS = new Set([
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
]);

/** Takes requests: ready, and not on its way out. */
export function isReady(pod: Pod): boolean {
    return pod.metadata.deletionTimestamp === undefined && readyCondition(pod)?.status === "True";
}

/** For how long a ready pod with restarts must have been ready: in a crash loop it is, now and then. */
export const STEADY_SECONDS = 10;

/** Ready, and to be believed: it did not restart just now. */
export function isSteady(pod: Pod, now: number): boolean {
    if (!isReady(pod)) return false;
    const readyFor = secondsSince(readyCondition(pod)?.lastTransitionTime, now) ?? Infinity;
    return readyFor >= STEADY_SECONDS || containerStatuses(pod).every((s) => s.restartCount === 0);
}

function readyCondition(pod: Pod) {
    return pod.status?.conditions?.find(({ type }) => type === "Ready");
}

/** What is wrong with a pod that is not steady; nothing when it may just need a moment. */
export function podProblems(pod: Pod, now: number, deadlineSeconds: number): Problem[] {
    if (isReady(pod)) return unsteadyProblems(pod);
    const found = containerStatuses(pod).flatMap((status) =>
        containerProblems(pod, status, now, deadlineSeconds),
    );
    const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
        // An autoscaler may be bringing a node: named as the reason, but waited for.
        found.push({
            kind: "unschedulable",
            owner: pod.metadata.name,
            text: `pod ${pod.metadata.name}: Unschedulable: ${scheduled.message ?? "no reason given"}`,
            patienceSeconds: Infinity,
        });
    }
    return found;
}

function unsteadyProblems(pod: Pod): Problem[] {
    return containerStatuses(pod)
        .filter(({ restartCount }) => restartCount > 0)
        .map((status) => ({
            kind: "crash" as const,
            // Apart from the crash before it, whose time does not count against a recovery.
            owner: `${pod.metadata.name}/${status.name}/again`,
            text: `pod ${pod.metadata.name}: ready only just now: ${describeCrash(status)}`,
            // Just over the time after which it counts as ready again.
            patienceSeconds: STEADY_SECONDS + 2,
        }));
}

export function containerStatuses(pod: Pod): ContainerStatus[] {
    return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
}

function containerProblems(
    pod: Pod,
    status: ContainerStatus,
    now: number,
    deadlineSeconds: number,
): Problem[] {
    if (status.ready) return [];
    const owner = `${pod.metadata.name}/${status.name}`;
    const { waiting, running } = status.state ?? {};
    const reason = waiting?.reason ?? "";
    const describe = (what: string) => `pod ${pod.metadata.name}: ${what}`;
    const said = describe(waiting?.message ? `${reason}: ${waiting.message}` : reason);

    if (HOPELESS_REASONS.has(reason))
        return [{ kind: "image", owner, text: said, patienceSeconds: 0 }];
    if (IMAGE_REASONS.has(reason)) {
        return [
            {
                kind: "image",
                owner,
                text: said,
                patienceSeconds: RETRIED_PATIENCE_SECONDS,
                // A back-off follows a failed pull, so the pod has been unable to start all along.
                ...(reason === "ImagePullBackOff" && {
                    lastedSeconds: unreadySeconds(pod, pod.status?.startTime, now),
                }),
            },
        ];
    }
    if (CONFIG_REASONS.has(reason)) {
        return [{ kind: "config", owner, text: said, patienceSeconds: RETRIED_PATIENCE_SECONDS }];
    }
    if (reason === "CrashLoopBackOff") {
        const hopeless = status.restartCount >= HOPELESS_RESTARTS;
        return [
            {
                kind: "crash",
                owner,
                text: describe(`CrashLoopBackOff: ${describeCrash(status)}`),
                patienceSeconds: hopeless ? 0 : RETRIED_PATIENCE_SECONDS,
            },
        ];
    }
    if (running) {
        // A startup probe has its own limit, after which the container restarts and is counted above.
        const starting = status.started === false;
        const state = starting ? "is still starting" : "runs but is not ready";
        return [
            {
                kind: "unready",
                owner,
                text: describe(`container ${status.name} ${state}`),
                patienceSeconds: starting ? Infinity : deadlineSeconds * UNREADY_PATIENCE_SHARE,
                lastedSeconds: unreadySeconds(pod, running.startedAt, now),
            },
        ];
    }
    return [];
}

/** For how long a pod is not ready: since `startedAt`, or since it stopped being ready later. */
function unreadySeconds(pod: Pod, startedAt: string | undefined, now: number): number | undefined {
    const since = [startedAt, readyCondition(pod)?.lastTransitionTime]
        .map((time) => secondsSince(time, now))
        .filter((seconds) => seconds !== undefined);
    return since.length === 0 ? undefined : Math.min(...since);
}

function describeCrash(status: ContainerStatus): string {
    const last = status.lastState?.terminated ?? status.state?.terminated;
    const exit = last ? `, last exit code ${last.exitCode} (${last.reason ?? "no reason"})` : "";
    return `container ${status.name} restarted ${status.restartCount} times${exit}`;
}

/** What is wrong with the Deployment itself, that no pod of it can tell. */
export function deploymentProblems(deployment: Deployment): Problem[] {
    const owner = deployment.metadata.name;
    const { status, spec } = deployment;
    const found: Problem[] = [];
    if (spec.replicas === 0) {
        found.push({
            kind: "zero",
            owner,
            text: `Deployment ${owner} is scaled to 0 (an autoscaler leaves it there too)`,
            patienceSeconds: RETRIED_PATIENCE_SECONDS,
        });
    }
    // Conditions about an older spec say nothing about this one.
    if ((status?.observedGeneration ?? 0) < (deployment.metadata.generation ?? 0)) return found;
    for (const condition of status?.conditions ?? []) {
        const text = `Deployment ${owner}: ${condition.reason ?? condition.type}: ${condition.message ?? ""}`;
        if (condition.type === "ReplicaFailure" && condition.status === "True") {
            // Quota, Pod Security admission or a webhook refuses the pods.
            const patienceSeconds = RETRIED_PATIENCE_SECONDS;
            found.push({ kind: "refused", owner, text, patienceSeconds });
        }
        if (condition.type === "Progressing" && condition.reason === "ProgressDeadlineExceeded") {
            found.push({ kind: "stalled", owner, text, patienceSeconds: 0 });
        }
    }
    return found;
}

export function secondsSince(time: string | undefined, now: number): number | undefined {
    const at = time === undefined ? NaN : Date.parse(time);
    return Number.isNaN(at) ? undefined : (now - at) / 1000;
}

/** The key under which a gate remembers since when it sees a problem. */
export function problemKey({ kind, owner }: Problem): string {
    return `${owner}/${kind}`;
}
