import type { GateContext } from "../../components/gate/hooks";
import type {
    ClusterReader,
    Condition,
    ContainerStatus,
    Deployment,
    EndpointSlice,
    KubernetesEvent,
    Pod,
    ReplicaSet,
} from "../../components/gate/reader";
import { SERVES_ANNOTATION, type GateSpec, type GateTarget } from "../../components/gate/spec";

/** The moment at which every fake cluster starts. */
export const START = Date.parse("2026-01-01T12:00:00Z");

/** The timestamp `seconds` after the start (before it when negative). */
export function at(seconds: number): string {
    return new Date(START + seconds * 1000).toISOString();
}

/** A blue/green route with green as its target. */
export function gateSpec(overrides: Partial<GateSpec> = {}): GateSpec {
    return {
        context: "fake",
        namespace: "stats",
        route: "api-bg",
        targets: [greenTarget()],
        from: [
            {
                deployment: "api-blue",
                selector: { app: "api", deployment: "blue" },
                label: "blue",
            },
        ],
        selector: { app: "api", deployment: "green" },
        ...overrides,
    };
}

/** Green, with some of it changed. */
export function greenTarget(overrides: Partial<GateTarget> = {}): GateTarget {
    return {
        deployment: "api-green",
        selector: { app: "api", deployment: "green" },
        neededReady: 3,
        label: "green",
        ...overrides,
    };
}

/** The inputs of a Service that selects `color`, of which it says what runs there. */
export function serviceInputs(
    color: string,
    labels: Record<string, string> = {},
    serves = "release 2.0.0",
) {
    return {
        metadata: { name: "api-bg", labels, annotations: { [SERVES_ANNOTATION]: serves } },
        spec: {
            selector: { app: "api", deployment: color },
            ports: [{ name: "http", port: 80, targetPort: "http" }],
        },
    };
}

export const blueToGreen = { oldInputs: serviceInputs("blue"), newInputs: serviceInputs("green") };

export interface PodOptions {
    color?: string;
    /** Defaults to the current template of the color. */
    hash?: string;
    ready?: boolean;
    terminating?: boolean;
    container?: Partial<ContainerStatus>;
    conditions?: Condition[];
    startedSecondsAgo?: number;
}

/** One pod as the API returns it; ready for long unless told otherwise. */
export function pod(name: string, options: PodOptions = {}): Pod {
    const { color = "green", hash = "v1", ready = true, startedSecondsAgo = 600 } = options;
    const since = at(-startedSecondsAgo);
    return {
        metadata: {
            name,
            labels: { app: "api", deployment: color, "pod-template-hash": `${color}-${hash}` },
            ...(options.terminating && { deletionTimestamp: at(-1) }),
        },
        status: {
            phase: "Running",
            startTime: since,
            conditions: options.conditions ?? [
                { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since },
            ],
            containerStatuses: [
                {
                    name: "api",
                    ready,
                    restartCount: 0,
                    state: { running: { startedAt: since } },
                    ...options.container,
                },
            ],
        },
    };
}

/** A pod that waits with `reason`. */
export function waitingPod(name: string, reason: string, options: PodOptions = {}): Pod {
    return pod(name, {
        ready: false,
        startedSecondsAgo: 2,
        ...options,
        container: {
            state: { waiting: { reason, message: `${reason} said` } },
            ...options.container,
        },
    });
}

/** The Deployment of a color, whose controller has seen its newest spec. */
export function deployment(color: string, overrides: Partial<Deployment> = {}): Deployment {
    return {
        metadata: {
            name: `api-${color}`,
            uid: `uid-${color}`,
            generation: 4,
            annotations: { "deployment.kubernetes.io/revision": "2" },
        },
        spec: {
            replicas: 3,
            template: { spec: { containers: [{ name: "api", image: "api:2", env: [] }] } },
        },
        status: { observedGeneration: 4, conditions: [] },
        ...overrides,
    };
}

/** A cluster in memory with a clock of its own: `sleep` moves it, and `script` says what changes when. */
export class FakeCluster implements ClusterReader {
    deployments: Deployment[] = [deployment("blue"), deployment("green")];
    pods: Pod[] = [];
    slices: EndpointSlice[] = [];
    events: Record<string, KubernetesEvent[]> = {};
    logs: Record<string, string> = {};
    closed = 0;
    connected = 0;
    reads: string[] = [];
    readonly said: { level: "info" | "warn"; message: string; passing: boolean }[] = [];
    private elapsed = 0;
    private readonly script: { afterSeconds: number; change: () => void }[] = [];
    private failure: (() => Error) | undefined;

    /** Changes the cluster once its clock passes `afterSeconds`. */
    after(afterSeconds: number, change: () => void): this {
        this.script.push({ afterSeconds, change });
        return this;
    }

    /** Every read throws this from now on; undefined heals it. */
    failWith(failure: (() => Error) | undefined): this {
        this.failure = failure;
        return this;
    }

    context(): GateContext {
        return {
            connect: () => {
                this.connected++;
                return Promise.resolve(this);
            },
            clock: {
                now: () => this.elapsed,
                sleep: (milliseconds) => {
                    this.elapsed += milliseconds;
                    const due = this.script.filter((s) => s.afterSeconds * 1000 <= this.elapsed);
                    for (const step of due) {
                        this.script.splice(this.script.indexOf(step), 1);
                        step.change();
                    }
                    return Promise.resolve();
                },
            },
            log: {
                info: (message, passing = false) =>
                    void this.said.push({ level: "info", message, passing }),
                warn: (message) => void this.said.push({ level: "warn", message, passing: false }),
            },
        };
    }

    get elapsedSeconds(): number {
        return this.elapsed / 1000;
    }

    /** What stays on the terminal. */
    get kept(): string[] {
        return this.said.filter(({ passing }) => !passing).map(({ message }) => message);
    }

    getDeployment(_namespace: string, name: string): Promise<Deployment | undefined> {
        return this.read("deployment", () =>
            this.deployments.find(({ metadata }) => metadata.name === name),
        );
    }

    listReplicaSets(_namespace: string, selector: Record<string, string>): Promise<ReplicaSet[]> {
        return this.read("replicasets", () =>
            ["v0", "v1"].map((hash, index) => ({
                metadata: {
                    name: `api-${selector.deployment}-${hash}`,
                    labels: { "pod-template-hash": `${selector.deployment}-${hash}` },
                    annotations: { "deployment.kubernetes.io/revision": String(index + 1) },
                    ownerReferences: [{ uid: `uid-${selector.deployment}` }],
                },
            })),
        );
    }

    listPods(_namespace: string, selector: Record<string, string>): Promise<Pod[]> {
        return this.read("pods", () =>
            this.pods.filter(({ metadata }) =>
                Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value),
            ),
        );
    }

    listEndpointSlices(): Promise<EndpointSlice[]> {
        return this.read("endpointslices", () => this.slices);
    }

    listEvents(_namespace: string, kind: string, name: string): Promise<KubernetesEvent[]> {
        return this.read("events", () => this.events[`${kind}/${name}`] ?? []);
    }

    podLogs(_namespace: string, name: string, options: { previous: boolean }): Promise<string> {
        return this.read(
            "logs",
            () => this.logs[options.previous ? `${name} previous` : name] ?? "",
        );
    }

    now(): number {
        return START + this.elapsed;
    }

    close(): void {
        this.closed++;
    }

    private read<T>(what: string, answer: () => T): Promise<T> {
        this.reads.push(what);
        if (this.failure) return Promise.reject(this.failure());
        return Promise.resolve(answer());
    }
}

/** An EndpointSlice with these pods in it, all ready. */
export function slice(...pods: string[]): EndpointSlice {
    return {
        metadata: { name: "api-bg-1" },
        endpoints: pods.map((name, index) => ({
            addresses: [`10.0.0.${index + 1}`],
            conditions: { ready: true },
            targetRef: { kind: "Pod", name },
        })),
    };
}
