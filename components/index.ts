export type {
    ApiArgs,
    AutoscalingArgs,
    ClusterArgs,
    LifecycleArgs,
    ProbeArgs,
    ProbesArgs,
    ReleaseArgs,
    ResourcesArgs,
    ScalingBehaviorArgs,
    ScalingPolicyArgs,
    ScalingRulesArgs,
    SecretFilesArgs,
} from "./args";
export { Autoscaler, type AutoscalerArgs } from "./autoscaler";
export { BlueGreen, type BlueGreenArgs } from "./blue-green";
export { parseState, type State } from "./plan";
export { Color, Idle, ServiceType } from "./plan/types";
export { Postgres, type PostgresArgs, type SecretKey } from "./postgres";
export { Route, type RouteArgs } from "./route";
export { InvalidArgs } from "./validation/error";
export { Workload, type WorkloadArgs } from "./workload";
