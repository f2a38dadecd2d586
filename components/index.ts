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
    GatewayRoute,
    type GatewayBackend,
    type GatewayParent,
    type GatewayRouteArgs,
    type GatewaySettings,
} from "./gateway";
export { namespaceLabels } from "./labels";
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
export { Color, Idle, Isolation, Routing, ServiceType } from "./plan/types";
export { Postgres, type PostgresArgs, type SecretKey } from "./postgres";
export { accessFrom, accessTo, type ColorAccessArgs, type DatabaseAccess } from "./postgres/access";
export { lastDatabaseState } from "./postgres/claim";
export { DatabaseAlias, type DatabaseAliasArgs } from "./postgres/alias";
export type { Database } from "./postgres/database";
export {
    ExternalDatabase,
    type ExternalDatabaseArgs,
    type PasswordSecretArgs,
} from "./postgres/external";
export { DatabaseSecret, type DatabaseSecretArgs } from "./postgres/secret";
export { parseDatabaseState, type DatabaseState } from "./postgres/state";
export { Rolling, type RollingArgs } from "./rolling";
export { Route, type RouteArgs } from "./route";
export {
    cohort,
    Router,
    type Backend,
    type ClientAddressArgs,
    type RouterArgs,
    type RouterSettings,
    type RouterTimeoutsArgs,
    type Share,
    type StickyArgs,
} from "./router";
export type { StrategyArgs } from "./strategy";
export { InvalidArgs } from "./validation/error";
export { Workload, type WorkloadArgs } from "./workload";
