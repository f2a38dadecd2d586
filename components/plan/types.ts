/** The two places of a blue/green pair in which a release can run. */
export const Color = { blue: "blue", green: "green" } as const;
export type Color = (typeof Color)[keyof typeof Color];

/** How one release replaces another. */
export const Strategy = { rolling: "rolling", blueGreen: "blueGreen", canary: "canary" } as const;
export type Strategy = (typeof Strategy)[keyof typeof Strategy];

/** What decides where a request goes: a Service selector, an nginx split or an HTTPRoute. */
export const Routing = { service: "service", nginx: "nginx", gateway: "gateway" } as const;
export type Routing = (typeof Routing)[keyof typeof Routing];

/** Whether the sides share one namespace or have one each. */
export const Isolation = { shared: "shared", namespaces: "namespaces" } as const;
export type Isolation = (typeof Isolation)[keyof typeof Isolation];

/** What becomes of the color without traffic; a number of pods is the third choice. */
export const Idle = { warm: "warm", cold: "cold" } as const;
export type Idle = (typeof Idle)[keyof typeof Idle];

/** How the public Service is exposed. */
export const ServiceType = {
    clusterIP: "ClusterIP",
    nodePort: "NodePort",
    loadBalancer: "LoadBalancer",
} as const;
export type ServiceType = (typeof ServiceType)[keyof typeof ServiceType];

/** The place of one workload in its strategy: a color of a pair. */
export type Side = Color;

/** The bounds between which an autoscaler keeps a live side. */
export interface Bounds {
    minReplicas: number;
    maxReplicas: number;
}

/** What the user wants, as far as it decides which workloads exist, their sizes and their order. */
export interface Desired {
    name: string;
    namespace: string;
    serviceName: string;
    /** Port of the public Service and of the pods. */
    port: number;
    strategy: Strategy;
    routing: Routing;
    isolation: Isolation;
    /** Names of the declared releases. */
    releases: readonly string[];
    /** The release that runs on each color; a color without one has no workload. */
    colors: Partial<Record<Color, string>>;
    activeColor: Color;
    /** Size of the live side, in pods, without autoscaling. */
    replicas: number;
    /** Size of the idle side: `warm`, `cold` or a number of pods. */
    idle: Idle | number;
    autoscaling?: Bounds;
    /** Least size of the live side while a switch is going on, in pods. */
    capacityFloor?: number;
}

/** How many pods a workload has. */
export interface Size {
    /** What it surely has: its `replicas`, or its autoscaler's `minReplicas`. */
    replicas: number;
    /** The autoscaler's bounds; absent when the size is fixed. */
    bounds?: Bounds;
}

/** One side after this `up`. */
export interface SidePlan {
    side: Side;
    /** Name of its Deployment. */
    deployment: string;
    release: string;
    /** Share of the traffic, in percent. */
    weight: number;
    size: Size;
    /** The `replicas` that its Deployment is created with. */
    seed: number;
    /** Whether an autoscaler owns `replicas` already, so that `up` must leave the field alone. */
    ignoreReplicas: boolean;
}

/** The decision: what exists after this `up`, and in which order it gets there. */
export interface Plan {
    sides: SidePlan[];
    /** The side that the route selects, and the one that it leaves, if it moves. */
    route: { target: Side; from: Side | undefined };
    /** The core rule: what grows, then the route, then what shrinks. */
    order: { beforeRoute: Side[]; afterRoute: Side[] };
    /** What this `up` is about to do, in words; empty when nothing changes. */
    notes: string[];
    /** What the stack's outputs remember once the route is where the plan wants it. */
    state: State;
}

/**
 * The part of the stack's last outputs that the next plan compares with. Plain enough for the schema
 * of a component package: no literals, no unions, no mapped types.
 */
export interface State {
    /** Version of this shape: 1. */
    version: number;
    name: string;
    namespace: string;
    serviceName: string;
    port: number;
    strategy: Strategy;
    routing: Routing;
    isolation: Isolation;
    /** Share of the traffic of each side, in percent. */
    weights: Record<string, number>;
    /** What ran on each side that had a release. */
    sides: Record<string, SideState>;
}

export interface SideState {
    release: string;
    replicas: number;
    /** Upper bound of its autoscaler; absent when its size is fixed. */
    maxReplicas?: number;
}
