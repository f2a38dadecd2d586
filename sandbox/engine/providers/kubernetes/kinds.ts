import { type KubeObject, text } from "./objects";

/** How a kind is addressed: `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>`. */
export interface Mapping {
    plural: string;
    namespaced: boolean;
}

/** The API server does not serve this kind: its CRD is missing, or the version was removed. */
export class NoMatchError extends Error {
    constructor(apiVersion: string, kind: string) {
        super(`no matches for kind "${kind}" in version "${apiVersion}"`);
        this.name = "NoMatchError";
    }
}

/**
 * The built-in kinds that programs declare, so that a run needs no discovery. Cluster-wide ones
 * are marked with `*`. Irregular plurals are written out.
 */
const BUILT_IN: Record<string, string> = {
    v1: "ConfigMap Endpoints:endpoints Event LimitRange Namespace* Node* PersistentVolume* PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service ServiceAccount",
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling/v1": "HorizontalPodAutoscaler",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "CronJob Job",
    "policy/v1": "PodDisruptionBudget",
    "networking.k8s.io/v1":
        "Ingress:ingresses IngressClass*:ingressclasses NetworkPolicy:networkpolicies",
    "discovery.k8s.io/v1": "EndpointSlice",
    "rbac.authorization.k8s.io/v1": "ClusterRole* ClusterRoleBinding* Role RoleBinding",
    "storage.k8s.io/v1": "StorageClass*:storageclasses VolumeAttachment* CSIDriver* CSINode*",
    "scheduling.k8s.io/v1": "PriorityClass*:priorityclasses",
    "coordination.k8s.io/v1": "Lease",
    "admissionregistration.k8s.io/v1":
        "MutatingWebhookConfiguration* ValidatingWebhookConfiguration* ValidatingAdmissionPolicy*:validatingadmissionpolicies ValidatingAdmissionPolicyBinding*",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition*",
    "apiregistration.k8s.io/v1": "APIService*",
};

const table = new Map<string, Mapping>();
for (const [apiVersion, kinds] of Object.entries(BUILT_IN)) {
    for (const entry of kinds.split(" ")) {
        const [marked = "", plural] = entry.split(":");
        const kind = marked.replace("*", "");
        table.set(`${apiVersion}/${kind}`, {
            plural: plural ?? `${kind.toLowerCase()}s`,
            namespaced: !marked.endsWith("*"),
        });
    }
}

/** `apps/v1/Deployment`, `v1/Service`: how kinds are named in tables. */
export const kindKey = (object: KubeObject): string =>
    `${text(object, "apiVersion")}/${text(object, "kind")}`;

/** True for the API groups of Kubernetes itself, false for those of custom resources. */
export const isBuiltIn = (apiVersion: string): boolean => apiVersion in BUILT_IN;

/** The kind's address if it is built in. */
export const builtInMapping = (apiVersion: string, kind: string): Mapping | undefined =>
    table.get(`${apiVersion}/${kind}`);

export const isCrd = (object: KubeObject): boolean =>
    object.kind === "CustomResourceDefinition" &&
    text(object, "apiVersion").startsWith("apiextensions.k8s.io/");

/** `apiVersion` and `kind` from a type token: `kubernetes:core/v1:Service` → `v1`, `Service`. */
export function kindOfType(type: string): { apiVersion: string; kind: string } {
    const [, module = "", kind = ""] = type.split(":");
    const [group, version] = module.split("/");
    if (version === undefined || kind === "") {
        throw new Error(`${type} is not supported by the stand-in engine; install the Pulumi CLI`);
    }
    const apiVersion = group === "core" ? version : module;
    return { apiVersion, kind: isPatch(type) ? kind.slice(0, -"Patch".length) : kind };
}

/**
 * Whether a resource of this type takes charge of fields of an object that it does not own: it makes
 * the object if there is none, and its deletion gives the fields up. The one such type that is
 * supported is the namespace's.
 */
export const isPatch = (type: string): boolean => type === "kubernetes:core/v1:NamespacePatch";

export const basePath = (apiVersion: string): string =>
    apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

export function collectionPath(apiVersion: string, mapping: Mapping, namespace: string): string {
    const scope = mapping.namespaced && namespace !== "" ? `/namespaces/${namespace}` : "";
    return `${basePath(apiVersion)}${scope}/${mapping.plural}`;
}
