/**
 * Every default of the package, with its reason. "Document" is the deployment guide that the
 * components model; where no reason is given, the value is the guide's. Changing one changes what
 * runs in stacks that rely on it, so it belongs in the changelog.
 */

import type { ScalingBehaviorArgs } from "./args";
import { Color, Idle, Isolation, Routing, ServiceType, Strategy } from "./plan/types";

/** Name of the API, and of its container: part of every name and selector. */
export const NAME = "flask-api";

/** The namespace that everything lives in. */
export const NAMESPACE = "endpoint-stats";

/** The public Service of the guide's blue/green set-up; components default to the API's name. */
export const BLUE_GREEN_SERVICE_NAME = "flask-api-bg";

export const STRATEGY = Strategy.blueGreen;
export const ROUTING = Routing.service;
export const ISOLATION = Isolation.shared;

/** The color that starts with the traffic. */
export const ACTIVE_COLOR = Color.blue;

/** Pods of the live side. */
export const REPLICAS = 3;

/** Pods of a canary pair: the guide's four and one. */
export const CANARY_REPLICAS = 5;

/** A canary gets nothing until it is told to. */
export const CANARY_WEIGHT = 0;

/** The other color keeps its pods, because the way back must not wait for new ones. */
export const IDLE = Idle.warm;

/** Inside the cluster only: what else may reach it is for the user to decide. */
export const SERVICE_TYPE = ServiceType.clusterIP;

/** The port that container and Service share, and its name. */
export const PORT = 9999;
export const PORT_NAME = "http";

/** Role of the pods among those of the application: the guide's `component` label. */
export const COMPONENT = "api";

/** "Ready to serve": out of the Service after about 30 s of failures. */
export const READINESS_PROBE = {
    path: "/health",
    initialDelaySeconds: 5,
    periodSeconds: 10,
    timeoutSeconds: 2,
    successThreshold: 1,
    failureThreshold: 3,
} as const;

/** "The process hangs": restarted after about a minute of failures. */
export const LIVENESS_PROBE = {
    path: "/health",
    initialDelaySeconds: 15,
    periodSeconds: 20,
    timeoutSeconds: 3,
    successThreshold: 1, // Kubernetes allows no other for liveness.
    failureThreshold: 3,
} as const;

/**
 * "It has started": asked often, so that a pod is not held back by more than that, and for two minutes:
 * as long as a rollout may stall. Until it has passed once the other two are not asked, so a slow start
 * is no reason for a restart, and their numbers can stay strict.
 */
export const STARTUP_PROBE = {
    initialDelaySeconds: 0,
    periodSeconds: 1,
    timeoutSeconds: 2,
    successThreshold: 1, // Kubernetes allows no other here either.
} as const;
export const STARTUP_SECONDS = 120;

/** Memory and CPU are the guide's. Disk is bounded too, or one pod's logs can evict its neighbours. */
export const RESOURCES = {
    requests: { memory: "128Mi", cpu: "100m", "ephemeral-storage": "64Mi" },
    limits: { memory: "256Mi", cpu: "200m", "ephemeral-storage": "256Mi" },
} as const;

/** One new pod at a time, and none taken away before it is ready. */
export const MAX_SURGE = "1";
export const MAX_UNAVAILABLE = "0";

/** Old ReplicaSets that are kept: as many as releases are. */
export const REVISION_HISTORY_LIMIT = 5;

/**
 * One pod at a time may be evicted; a minimum of available pods would block every drain of a side that
 * has just so many. Pods that are not ready serve nobody and can always go.
 */
export const DISRUPTION = {
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: "AlwaysAllow",
} as const;

/** What the loss of must not take all pods: a node, a zone. */
export const SPREAD_OVER = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] as const;

/** Keeps a pod serving while the endpoints without it reach every node, in seconds. */
export const PRE_STOP_SLEEP_SECONDS = 10;

/** From the start of the preStop sleep to SIGKILL, in seconds. */
export const TERMINATION_GRACE_PERIOD_SECONDS = 30;

/** Age at which the API closes a kept-alive connection, in seconds, so that clients follow the route. */
export const MAX_CONNECTION_AGE_SECONDS = 30;

/** Where Prometheus finds the metrics. */
export const METRICS_PATH = "/metrics";

/** How long a rollout may stall before Kubernetes calls it failed, in seconds. */
export const PROGRESS_DEADLINE_SECONDS = 120;

/**
 * How long `up` waits for a Deployment at most, in seconds: long enough to see Kubernetes' own verdict,
 * short enough that a failed `up` gives the stack's lock back soon.
 */
export const UP_DEADLINE_SECONDS = 150;

/** User and group of the pods: above 10000, so that no user of a node has the same number. */
export const RUN_AS_USER = 10001;

/** What the pods may write to: their temporary folder, and no more than this. */
export const TMP_PATH = "/tmp";
export const TMP_SIZE_LIMIT = "64Mi";

/** Where a release's files and secrets are mounted. */
export const FILES_PATH = "/etc/cutover/files";
export const SECRETS_PATH = "/etc/cutover/secrets";

/** Where the sample API reads the password of its database. */
export const DATABASE_SECRET_PATH = "/etc/cutover/database";

/** The Pod Security Standard of our namespaces, and the version whose rules are meant. */
export const POD_SECURITY_STANDARD = "restricted";
export const POD_SECURITY_VERSION = "v1.34";

/** Bounds and targets of the autoscaler. */
export const AUTOSCALING = {
    minReplicas: 2,
    maxReplicas: 10,
    cpuPercent: 70,
    memoryPercent: 80,
} as const;

/** Up at once, by whichever of doubling and 4 pods a minute is more; down by halves, after 5 minutes. */
export const AUTOSCALING_BEHAVIOR: Required<ScalingBehaviorArgs> = {
    scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
    },
    scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: "Max",
        policies: [
            { type: "Percent", value: 100, periodSeconds: 60 },
            { type: "Pods", value: 4, periodSeconds: 60 },
        ],
    },
};

/** Domain of a cluster's Services: what a name that leads to another namespace must end with. */
export const CLUSTER_DOMAIN = "cluster.local";
