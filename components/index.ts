export type {
    ApiArgs,
    AutoscalingArgs,
    ClusterArgs,
    LifecycleArgs,
    NodeAffinityArgs,
    NodePreferenceArgs,
    NodeRequirementArgs,
    ProbeArgs,
    ProbesArgs,
    ReleaseArgs,
    ResourcesArgs,
    RollingUpdateArgs,
    ScalingBehaviorArgs,
    ScalingPolicyArgs,
    ScalingRulesArgs,
    SecretFilesArgs,
    SecretKeyArgs,
    TolerationArgs,
} from "./args";
export { Autoscaler, type AutoscalerArgs } from "./autoscaler";
export { BlueGreen, type BlueGreenArgs } from "./blue-green";
export { Canary, type CanaryArgs } from "./canary";
export { Disruption, type DisruptionArgs } from "./disruption";
export {
    NetworkPolicies,
    type EgressPeerArgs,
    type ExternalServerArgs,
    type ListenersArgs,
    type NetworkArgs,
    type NetworkPeerArgs,
    type NetworkPoliciesArgs,
    type NetworkPortArgs,
} from "./network";
export { parseState, type State } from "./plan";
export { Color, Idle, ServiceType } from "./plan/types";
export { Postgres, type PostgresArgs, type SecretKey } from "./postgres";
export { Rolling, type RollingArgs } from "./rolling";
export { Route, type RouteArgs } from "./route";
export type { StrategyArgs } from "./strategy";
export { InvalidArgs } from "./validation/error";
export { Workload, type WorkloadArgs } from "./workload";
