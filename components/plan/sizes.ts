import { Idle, type Bounds, type Desired, type Size, type SideState } from "./types";

/** Size of the side that carries the traffic. The floor only ever raises it. */
export function liveSize(desired: Desired): Size {
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
export function idleSize(desired: Desired): Size {
    const replicas = idleReplicas(desired);
    if (desired.autoscaling === undefined) return { replicas };
    return { replicas, bounds: { minReplicas: replicas, maxReplicas: replicas } };
}

function idleReplicas(desired: Desired): number {
    if (desired.idle === Idle.warm) return liveSize(desired).replicas;
    if (desired.idle === Idle.cold) return 0;
    return desired.idle;
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
