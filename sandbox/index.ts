export {
    startControlPlane,
    type ControlPlaneOptions,
    type RunningControlPlane,
} from "./control-plane";
