import type { Input } from "@pulumi/pulumi";
import { COMPONENT, POD_SECURITY_STANDARD, POD_SECURITY_VERSION } from "./defaults";
import type { Side } from "./plan/types";

type Labels = Record<string, Input<string>>;

/** The pods of one side. Neither release nor image nor weight may ever be part of it: it is immutable. */
export function sideSelector(app: string, side: Side): Record<string, string> {
    return { app, deployment: side };
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
