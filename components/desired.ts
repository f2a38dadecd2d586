import type { BlueGreenArgs } from "./blue-green";
import * as defaults from "./defaults";
import type { Desired } from "./plan/types";
import type { Checked } from "./validation/rules";

/** The arguments with every default in place. */
export function desiredOf(name: string, args: BlueGreenArgs): Desired {
    const app = args.name ?? name;
    const { autoscaling } = args;
    return {
        name: app,
        namespace: args.namespace ?? defaults.NAMESPACE,
        serviceName: args.serviceName ?? app,
        port: args.api?.port ?? defaults.PORT,
        strategy: "blueGreen",
        routing: "service",
        isolation: "shared",
        releases: Object.keys(args.releases),
        colors: { blue: args.blue, green: args.green },
        activeColor: args.activeColor ?? defaults.ACTIVE_COLOR,
        replicas: args.replicas ?? defaults.REPLICAS,
        idle: args.idleReplicas ?? args.idle ?? defaults.IDLE,
        autoscaling: autoscaling && {
            minReplicas: autoscaling.minReplicas ?? defaults.AUTOSCALING.minReplicas,
            maxReplicas: autoscaling.maxReplicas ?? defaults.AUTOSCALING.maxReplicas,
        },
        capacityFloor: args.capacityFloor,
    };
}

/** The same as the rules look at it. */
export function checkedOf(name: string, args: BlueGreenArgs): Checked {
    const { colors, ...desired } = desiredOf(name, args);
    return {
        ...desired,
        ...colors,
        serviceType: args.serviceType ?? defaults.SERVICE_TYPE,
        nodePort: args.nodePort,
        releases: args.releases,
        autoscaling: args.autoscaling && { ...args.autoscaling, ...desired.autoscaling },
    };
}
