import type { Json } from "../types";
import { kindKey } from "./kinds";
import { isMap, type KubeObject } from "./objects";
import type { Segment } from "./paths";

/** Which fields of a kind can only be changed by making the object anew. */
export interface Mutability {
    configMaps: boolean;
    secrets: boolean;
}

const under = (prefix: string, fields: string): string[] =>
    fields.split(" ").map((field) => `${prefix}.${field}`);

const WORKLOAD = ["spec.selector"];
const STATEFUL_SET = under(
    "spec",
    "podManagementPolicy revisionHistoryLimit selector serviceName volumeClaimTemplates",
);
const JOB = under("spec", "completions parallelism selector template");
const CONTAINER =
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources " +
    "securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices " +
    "volumeMounts workingDir";
const POD = [
    ...under(
        "spec",
        "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC " +
            "hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy " +
            "priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName " +
            "securityContext serviceAccount serviceAccountName shareProcessNamespace subdomain " +
            "terminationGracePeriodSeconds volumes",
    ),
    ...under("spec.containers.*", CONTAINER),
    ...under("spec.initContainers.*", CONTAINER),
];
const VOLUME = under(
    "spec",
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk " +
        "glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos " +
        "vsphereVolume",
);

/** The provider's own table: a few of these the API server would change, but the provider does not. */
const FORCE_NEW: Record<string, string[]> = {
    "apps/v1/DaemonSet": WORKLOAD,
    "apps/v1/Deployment": WORKLOAD,
    "apps/v1/StatefulSet": STATEFUL_SET,
    "batch/v1/Job": JOB,
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
    "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
    "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
    "v1/PersistentVolume": VOLUME,
    "v1/PersistentVolumeClaim": under("spec", "accessModes selector storageClassName volumeName"),
    "v1/Pod": POD,
    "v1/ResourceQuota": ["spec.scopes"],
    "v1/Secret": ["type"],
    "v1/Service": ["spec.clusterIP"],
};

/** Paths (`*`: any index) whose change replaces `object`; identity always does. */
export function forceNewPaths(object: KubeObject, mutable: Mutability): string[][] {
    const identity = ["metadata.name", "metadata.namespace"];
    const immutable = object.immutable === true;
    const kind = kindKey(object);
    const own =
        kind === "v1/Secret" && (!mutable.secrets || immutable)
            ? ["type", "stringData", "data"]
            : kind === "v1/ConfigMap" && (!mutable.configMaps || immutable)
              ? ["binaryData", "data"]
              : (FORCE_NEW[kind] ?? []);
    return [...identity, ...own].map((path) => path.split("."));
}

/** True if setting `path` to `value` touches the force-new path `pattern`. */
export function touches(
    path: readonly Segment[],
    value: Json,
    pattern: readonly string[],
): boolean {
    const shared = Math.min(path.length, pattern.length);
    for (let index = 0; index < shared; index++) {
        const wanted = pattern[index];
        const got = path[index];
        if (wanted === "*" ? typeof got !== "number" : got !== wanted) return false;
    }
    return path.length >= pattern.length || holds(value, pattern.slice(path.length));
}

/** True if `value` has something at `pattern`. */
function holds(value: Json, pattern: readonly string[]): boolean {
    const [key, ...rest] = pattern;
    if (key === undefined) return true;
    if (key === "*") return Array.isArray(value) && value.some((item) => holds(item, rest));
    return isMap(value) && Object.hasOwn(value, key) && holds(value[key] ?? null, rest);
}
