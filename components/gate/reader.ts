/**
 * What the gate reads of a cluster: the few fields that its decisions need, in the API's own JSON
 * shape, so that a test can write them down as they are.
 */
export interface Metadata {
    name: string;
    namespace?: string;
    uid?: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    ownerReferences?: { uid: string }[];
}

export interface Condition {
    type: string;
    status: string;
    reason?: string;
    message?: string;
    lastTransitionTime?: string;
}

export interface Deployment {
    metadata: Metadata;
    spec: {
        replicas?: number;
        template: { spec: { containers: Container[] } };
    };
    status?: {
        observedGeneration?: number;
        conditions?: Condition[];
    };
}

export interface Container {
    name: string;
    image?: string;
    env?: { name: string; value?: string }[];
}

export interface ReplicaSet {
    metadata: Metadata;
}

export interface ContainerStatus {
    name: string;
    ready: boolean;
    /** False while a startup probe has not passed yet. */
    started?: boolean | null;
    restartCount: number;
    state?: ContainerState;
    lastState?: ContainerState;
}

export interface ContainerState {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode: number; reason?: string; message?: string };
}

export interface Pod {
    metadata: Metadata;
    status?: {
        phase?: string;
        reason?: string;
        message?: string;
        startTime?: string;
        conditions?: Condition[];
        initContainerStatuses?: ContainerStatus[];
        containerStatuses?: ContainerStatus[];
    };
}

export interface EndpointSlice {
    metadata: Metadata;
    endpoints?: Endpoint[] | null;
}

export interface Endpoint {
    addresses: string[];
    conditions?: { ready?: boolean | null; terminating?: boolean | null };
    targetRef?: { kind?: string; name?: string };
}

export interface KubernetesEvent {
    type?: string;
    reason?: string;
    message?: string;
    count?: number;
    firstTimestamp?: string | null;
    lastTimestamp?: string | null;
    eventTime?: string | null;
}

/** A read of the cluster that gave no answer. */
export class ClusterError extends Error {
    constructor(
        message: string,
        /** HTTP status, or undefined when no answer came at all. */
        readonly status: number | undefined,
    ) {
        super(message);
        this.name = "ClusterError";
    }

    /** Whether the same request may succeed a moment later. */
    get retriable(): boolean {
        return this.status === undefined || this.status === 429 || this.status >= 500;
    }
}

/** There is no way to any cluster: no kubeconfig, no such context, credentials that cannot be had. */
export class NoClusterError extends Error {
    constructor(message: string) {
        super(message);
        this.name = "NoClusterError";
    }
}

/** The gate's whole view of the cluster; everything throws `ClusterError` when it gets no answer. */
export interface ClusterReader {
    /** Undefined when there is none by that name. */
    getDeployment(namespace: string, name: string): Promise<Deployment | undefined>;
    listReplicaSets(namespace: string, selector: Record<string, string>): Promise<ReplicaSet[]>;
    listPods(namespace: string, selector: Record<string, string>): Promise<Pod[]>;
    listEndpointSlices(namespace: string, service: string): Promise<EndpointSlice[]>;
    /** The events about one object, in no particular order. */
    listEvents(namespace: string, kind: string, name: string): Promise<KubernetesEvent[]>;
    /** The last lines of a container's log, of its previous run with `previous`. */
    podLogs(
        namespace: string,
        pod: string,
        options: { container: string; lines: number; previous: boolean },
    ): Promise<string>;
    /** The API server's clock in ms since 1970, as of its last answer: ages are measured by it. */
    now(): number;
    close(): void;
}
