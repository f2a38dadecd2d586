import type { Input } from "@pulumi/pulumi";
import { COMPONENT, POD_SECURITY_STANDARD, POD_SECURITY_VERSION } from "./defaults";
import { Track, type Side, type Strategy } from "./plan/types";

type Labels = Record<string, Input<string>>;

/**
 * The pods of one side. Neither release nor image nor weight may ever be part of it: it is immutable.
 */
export function sideSelector(app: string, side: Side): Record<string, string> {
    return isTrack(side) ? { app, track: side } : { app, deployment: side };
}

/**
 * On the pods of a strategy whose public Service selects more than one side; no pod of another
 * strategy has the same.
 */
export const STRATEGY_LABEL = "cutover.local/strategy";

/** All pods of a strategy, whatever their side. */
export function strategySelector(app: string, strategy: Strategy): Record<string, string> {
    return { app, [STRATEGY_LABEL]: strategy };
}

function isTrack(side: Side): side is Track {
    return side === Track.stable || side === Track.canary;
}

/** The labels that all objects of an API share, below those that the user wants. */
export function appLabels(app: string, partOf: Input<string>, user: Labels = {}): Labels {
    return {
        ...user,
        app,
        component: COMPONENT,
        "app.kubernetes.io/name": app,
        "app.kubernetes.io/component": COMPONENT,
        "app.kubernetes.io/part-of": partOf,
        "app.kubernetes.io/managed-by": "pulumi",
    };
}

/** The same with what tells one release on one side from the others. */
export function releaseLabels(instance: string, release: string): Record<string, string> {
    return {
        version: release,
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/version": release,
    };
}

/**
 * Makes Kubernetes itself refuse pods that are less hardened than ours, and say so in audit logs and
 * to whoever applies them.
 */
export const namespaceLabels: Record<string, string> = Object.fromEntries(
    ["enforce", "audit", "warn"].flatMap((mode) => [
        [`pod-security.kubernetes.io/${mode}`, POD_SECURITY_STANDARD],
        [`pod-security.kubernetes.io/${mode}-version`, POD_SECURITY_VERSION],
    ]),
);
