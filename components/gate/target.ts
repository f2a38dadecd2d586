import { deploymentProblems, isSteady, podProblems, problemKey, type Problem } from "./problems";
import type { ClusterReader, Deployment, Pod, ReplicaSet } from "./reader";
import type { GateSide, GateTarget } from "./spec";

/** One look at a side of the route. */
export interface SideState {
    deployment: Deployment;
    /** The ReplicaSet of the Deployment's current template, once its controller has made it. */
    replicaSet: ReplicaSet | undefined;
    /** All pods that the side's selector matches. */
    pods: Pod[];
    /** The API server's clock, ms since 1970. */
    now: number;
}

export type Verdict =
    | { kind: "ready"; ready: number }
    /** `because` says in one line what is missing. */
    | { kind: "waiting"; ready: number; because: string }
    /** Waiting on is pointless, because of this. */
    | { kind: "failed"; ready: number; because: string };

/** Reads a side; undefined when its Deployment does not exist. */
export async function readSide(
    reader: ClusterReader,
    namespace: string,
    side: GateSide,
): Promise<SideState | undefined> {
    const [deployment, replicaSets, pods] = await Promise.all([
        reader.getDeployment(namespace, side.deployment),
        reader.listReplicaSets(namespace, side.selector),
        reader.listPods(namespace, side.selector),
    ]);
    if (deployment === undefined) return undefined;
    const replicaSet = currentReplicaSet(deployment, replicaSets);
    return { deployment, replicaSet, pods, now: reader.now() };
}

const REVISION = "deployment.kubernetes.io/revision";
const TEMPLATE_HASH = "pod-template-hash";

function currentReplicaSet(
    deployment: Deployment,
    replicaSets: ReplicaSet[],
): ReplicaSet | undefined {
    const { generation, uid, annotations } = deployment.metadata;
    // Until the controller has seen the newest spec, its revision is the one before.
    if ((deployment.status?.observedGeneration ?? 0) < (generation ?? 0)) return undefined;
    const revision = annotations?.[REVISION];
    return replicaSets.find(
        ({ metadata }) =>
            revision !== undefined &&
            metadata.annotations?.[REVISION] === revision &&
            metadata.ownerReferences?.some((owner) => owner.uid === uid),
    );
}

/**
 * The pods that run what the Deployment now says. Ready pods of an older template, left over by a
 * rollout that is stuck, run another release than the one that the route is to move to.
 */
export function currentPods({ pods, replicaSet }: SideState): Pod[] {
    const hash = replicaSet?.metadata.labels?.[TEMPLATE_HASH];
    if (hash === undefined) return [];
    return pods.filter(
        ({ metadata }) =>
            metadata.labels?.[TEMPLATE_HASH] === hash && metadata.deletionTimestamp === undefined,
    );
}

/** What a gate knows beside what it sees. */
export interface Patience {
    deadlineSeconds: number;
    /** Per problem the moment (ms, by the cluster's clock) when this gate first saw it. */
    seenSince: ReadonlyMap<string, number>;
}

/** Whether the route may move to the target. */
export function judgeTarget(state: SideState, target: GateTarget, patience: Patience): Verdict {
    const pods = target.anyTemplate ? state.pods : currentPods(state);
    const ready = pods.filter((pod) => isSteady(pod, state.now)).length;
    const left = olderPods(state, target).length;
    if (ready >= target.neededReady && left === 0) return { kind: "ready", ready };
    const problems = problemsOf(state, patience.deadlineSeconds);
    const final = problems.find((problem) => isFinal(problem, state.now, patience.seenSince));
    if (final) return { kind: "failed", ready, because: final.text };
    const because =
        problems[0]?.text ??
        (ready >= target.neededReady
            ? `${left} pods of an older template are still there`
            : unremarkable(state, target));
    return { kind: "waiting", ready, because };
}

/** Pods of an earlier template that are in the way. */
function olderPods(state: SideState, { exclusive = false, alone = false }: GateTarget): Pod[] {
    const current = currentPods(state);
    return state.pods
        .filter((pod) => !current.includes(pod))
        .filter(({ metadata }) => alone || (exclusive && metadata.deletionTimestamp === undefined));
}

/** What keeps the target from being ready, the Deployment's own problems first. */
export function problemsOf(state: SideState, deadlineSeconds: number): Problem[] {
    const unready = currentPods(state).filter((pod) => !isSteady(pod, state.now));
    const pods = unready.flatMap((pod) => podProblems(pod, state.now, deadlineSeconds));
    const deployment = deploymentProblems(state.deployment);
    // A pod's reason says more than "exceeded its progress deadline", which names no cause.
    const [stalled, refused] = partition(deployment, ({ kind }) => kind === "stalled");
    if (stalled.length === 0) return [...refused, ...pods];
    return [...refused, ...pods.map((problem) => ({ ...problem, patienceSeconds: 0 })), ...stalled];
}

export function isFinal(
    problem: Problem,
    now: number,
    seenSince: ReadonlyMap<string, number>,
): boolean {
    const seen = (now - (seenSince.get(problemKey(problem)) ?? now)) / 1000;
    return Math.max(seen, problem.lastedSeconds ?? 0) >= problem.patienceSeconds;
}

function unremarkable({ deployment, replicaSet }: SideState, target: GateTarget): string {
    if (replicaSet === undefined) {
        return `Deployment ${deployment.metadata.name} was changed and has no pods of its newest template yet`;
    }
    const wanted = deployment.spec.replicas ?? 1;
    return wanted < target.neededReady
        ? `Deployment ${deployment.metadata.name} is scaled to ${wanted}`
        : "pods are starting";
}

function partition<T>(all: T[], test: (item: T) => boolean): [T[], T[]] {
    return [all.filter(test), all.filter((item) => !test(item))];
}
