import { ApiError } from "../api-error";
import { type KubeClient } from "../client";
import { kindKey } from "../kinds";
import { Annotation, annotation, isAnnotated, type KubeObject, text } from "../objects";
import { DeploymentReadiness } from "./deployment";
import { JobReadiness } from "./job";
import { PodReadiness } from "./pod";
import type { Readiness } from "./readiness";
import { ServiceReadiness } from "./service";
import {
    claimReadiness,
    daemonSetReadiness,
    quotaReadiness,
    tokenReadiness,
    volumeReadiness,
} from "./simple";
import { StatefulSetReadiness } from "./stateful-set";
import { WaitForReadiness } from "./wait-for";

/**
 * The rule by which `created` counts as ready; undefined if it is as soon as it exists.
 *
 * @param inputs the program's object: its annotations decide
 * @param before the object before an update
 */
export async function readinessOf(
    client: KubeClient,
    inputs: KubeObject,
    created: KubeObject,
    before?: KubeObject,
): Promise<Readiness | undefined> {
    if (isAnnotated(inputs, Annotation.skipAwait)) return undefined;
    if (annotation(created, Annotation.waitFor) !== "") return new WaitForReadiness(created);
    switch (kindKey(created)) {
        case "apps/v1/DaemonSet":
            return daemonSetReadiness(created);
        case "apps/v1/Deployment":
            return new DeploymentReadiness(created);
        case "apps/v1/StatefulSet":
            return new StatefulSetReadiness(created);
        case "batch/v1/Job":
            return new JobReadiness(created);
        case "v1/PersistentVolume":
            return volumeReadiness(created);
        case "v1/PersistentVolumeClaim":
            return claimReadiness(
                created,
                before === undefined,
                await bindingMode(client, created),
            );
        case "v1/Pod":
            return new PodReadiness(created);
        case "v1/ResourceQuota":
            return quotaReadiness(created);
        case "v1/Secret":
            return text(created, "type") === "kubernetes.io/service-account-token"
                ? tokenReadiness(created)
                : undefined;
        case "v1/Service":
            return new ServiceReadiness(created);
        default:
            return undefined;
    }
}

/** Kinds whose readiness a refresh looks at. */
const CHECKED_AT_REFRESH = [
    "apps/v1/DaemonSet",
    "apps/v1/Deployment",
    "apps/v1/StatefulSet",
    "batch/v1/Job",
    "v1/Pod",
    "v1/Service",
];

export async function refreshReadinessOf(
    client: KubeClient,
    inputs: KubeObject,
    live: KubeObject,
): Promise<Readiness | undefined> {
    return CHECKED_AT_REFRESH.includes(kindKey(live)) && annotation(live, Annotation.waitFor) === ""
        ? readinessOf(client, inputs, live)
        : undefined;
}

async function bindingMode(client: KubeClient, claim: KubeObject): Promise<string> {
    const name = text(claim, "spec", "storageClassName");
    if (name === "") return "Immediate";
    try {
        const path = `/apis/storage.k8s.io/v1/storageclasses/${name}`;
        return text(await client.request("GET", path), "volumeBindingMode");
    } catch (error) {
        // A class that is not there yet, or that we may not read: wait for the binding.
        if (error instanceof ApiError) return "Immediate";
        throw error;
    }
}
