export {
    startControlPlane,
    type ControlPlaneOptions,
    type RunningControlPlane,
} from "./control-plane";
export { down } from "./down";
export { importImage } from "./image-store";
export {
    logFileOf,
    logs,
    status,
    type ComponentStatus,
    type SandboxInfo,
    type SandboxOptions,
    type SandboxStatus,
} from "./status";
export { up } from "./up";
