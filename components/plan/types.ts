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

/** The two tracks of a canary pair. */
export const Track = { stable: "stable", canary: "canary" } as const;
export type Track = (typeof Track)[keyof typeof Track];

/** The one place of a rolling update. */
export const Current = { current: "current" } as const;
export type Current = (typeof Current)[keyof typeof Current];

/** The place of one workload in its strategy: a color, a track, or the only one. */
export type Side = Color | Track | Current;

/** Every side, in the order in which they are listed. */
export const SIDES: readonly Side[] = ["blue", "green", "stable", "canary", "current"];

/** The sides of each strategy. */
export const SIDES_OF: Readonly<Record<Strategy, readonly Side[]>> = {
    rolling: ["current"],
    blueGreen: ["blue", "green"],
    canary: ["stable", "canary"],
};

/** The bounds between which an autoscaler keeps a live side. */
export interface Bounds {
    minReplicas: number;
    maxReplicas: number;
}

/** What the user wants, as far as it decides which workloads exist, their sizes and their order. */
export interface Desired {
    name: string;
    /** The namespace of what the sides share; with isolation `namespaces` a side's own has its name added. */
    namespace: string;
    serviceName: string;
    /** Port of the public Service and of every side's own. */
    servicePort: number;
    /** Port of the pods. */
    port: number;
    strategy: Strategy;
    routing: Routing;
    isolation: Isolation;
    /** Names of the declared releases. */
    releases: readonly string[];
    /** The release that runs on each side of the strategy; a side without one has no workload. */
    sides: Partial<Record<Side, string>>;
    /** The color with the traffic; only the strategy `blueGreen` looks at it. */
    activeColor: Color;
    /** Share of the canary, or of the idle color, in percent: 0 to 100, at most one decimal. */
    canaryWeight: number;
    /** Size of the live side, or of a whole canary pair that is routed by its sizes; in pods. */
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
    /** The namespace of its workload. */
    namespace: string;
    /** Name of its Deployment. */
    deployment: string;
    release: string;
    /** Share of the traffic that is asked for, in percent. */
    weight: number;
    /** Share that it really gets, in percent, rounded to one decimal: another one only where pods are counted. */
    share: number;
    size: Size;
    /** The `replicas` that its Deployment is created with. */
    seed: number;
    /** Whether an autoscaler owns `replicas` already, so that `up` must leave the field alone. */
    ignoreReplicas: boolean;
}

/** Where the traffic goes after this `up`, and where it went before. */
export interface RoutePlan {
    /** Share of each side that gets some, in percent, as it really is. */
    weights: Partial<Record<Side, number>>;
    /** The sides that get some, the largest share first. */
    live: Side[];
    /** The same before; empty before the first `up`. */
    before: Partial<Record<Side, number>>;
}

/** The decision: what exists after this `up`, and in which order it gets there. */
export interface Plan {
    sides: SidePlan[];
    route: RoutePlan;
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
    servicePort: number;
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
