import {
    Idle,
    Track,
    type Bounds,
    type Desired,
    type Side,
    type Size,
    type SideState,
} from "./types";
import { canaryPods, splitsByPods } from "./weights";

/** Size of a side with `weight` percent of the traffic. */
export function sizeOf(side: Side, weight: number, desired: Desired): Size {
    if (splitsByPods(desired)) return countedSize(side, desired);
    if (side === Track.canary) return canarySize(weight, desired);
    return weight > 0 ? liveSize(desired) : idleSize(desired);
}

/** Size of a side that carries traffic. The floor only ever raises it. */
function liveSize(desired: Desired): Size {
    const floor = desired.capacityFloor ?? 0;
    if (desired.autoscaling === undefined) {
        return { replicas: Math.max(desired.replicas, floor) };
    }
    const { minReplicas, maxReplicas } = desired.autoscaling;
    const bounds = { minReplicas: Math.max(minReplicas, floor), maxReplicas };
    return { replicas: bounds.minReplicas, bounds };
}

/**
 * Size of a side without traffic. `warm` is as many pods as the live side surely has, so that moving
 * the route back needs no new ones. An idle autoscaler has equal bounds, at least 1: a Deployment at
 * 0 switches its autoscaler off for good.
 */
function idleSize(desired: Desired): Size {
    return held(idleReplicas(desired, liveSize(desired).replicas), desired);
}

/** The pods are the split: their number follows from the weight alone, also where it is 0. */
function countedSize(side: Side, { replicas, canaryWeight }: Desired): Size {
    const canary = canaryPods(replicas, canaryWeight);
    return { replicas: side === Track.canary ? canary : replicas - canary };
}

/**
 * Where something else splits the traffic, the stable side stays whole, so that the way back needs no
 * new pods, and the canary has its share of that. At 0 percent, `warm` is one pod to look at.
 */
function canarySize(weight: number, desired: Desired): Size {
    if (weight === 0) return held(idleReplicas(desired, 1), desired);
    const live = liveSize(desired);
    const replicas = Math.max(1, Math.ceil((live.replicas * weight) / 100));
    if (live.bounds === undefined) return { replicas };
    return { replicas, bounds: { ...live.bounds, minReplicas: replicas } };
}

function idleReplicas({ idle }: Desired, warm: number): number {
    if (idle === Idle.warm) return warm;
    return idle === Idle.cold ? 0 : idle;
}

/** A size that an autoscaler, if there is one, does not change. */
function held(replicas: number, { autoscaling }: Desired): Size {
    if (autoscaling === undefined) return { replicas };
    return { replicas, bounds: { minReplicas: replicas, maxReplicas: replicas } };
}

/**
 * The `replicas` that a Deployment starts with. Where an autoscaler takes over a running Deployment
 * it starts from the size that this has, inside the bounds, rather than shrinking it first.
 */
export function seedReplicas(size: Size, previous: SideState | undefined): number {
    if (size.bounds === undefined) return size.replicas;
    return clamp(previous?.replicas ?? size.replicas, size.bounds);
}

/**
 * Whether an autoscaler owned the Deployment's `replicas` already when the last `up` ended. Only then
 * may `up` leave the field alone: a Deployment that was at 0 would stay there.
 */
export function ownedByAutoscaler(size: Size, previous: SideState | undefined): boolean {
    return (
        size.bounds !== undefined && previous?.maxReplicas !== undefined && previous.replicas >= 1
    );
}

function clamp(value: number, { minReplicas, maxReplicas }: Bounds): number {
    return Math.min(Math.max(value, minReplicas), maxReplicas);
}
