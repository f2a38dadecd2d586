export { ACCEPT_DEADLINE_SECONDS } from "./defaults";
export { GatewayRoute, type GatewayRouteArgs } from "./route";
export { gatewayRules } from "./rules";
export type { GatewayBackend, GatewayParent, GatewaySettings } from "./settings";
