export { cohort, type Share } from "./cohort";
export { renderNginx } from "./render";
export { Router, type RouterArgs } from "./router";
export { backendRules, routerRules, type RouterContext } from "./rules";
export type {
    Backend,
    ClientAddressArgs,
    RouterSettings,
    RouterTimeoutsArgs,
    StickyArgs,
} from "./settings";
