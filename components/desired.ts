import type { BlueGreenArgs } from "./blue-green";
import type { CanaryArgs } from "./canary";
import * as defaults from "./defaults";
import { Isolation, Strategy, type Desired } from "./plan/types";
import type { RollingArgs } from "./rolling";
import type { StrategyArgs } from "./strategy";
import type { Checked } from "./validation/rules";

/** The arguments of a blue/green pair with every default in place. */
export function desiredBlueGreen(name: string, args: BlueGreenArgs): Desired {
    return {
        ...common(name, args),
        strategy: Strategy.blueGreen,
        sides: { blue: args.blue, green: args.green },
        activeColor: args.activeColor ?? defaults.ACTIVE_COLOR,
        canaryWeight: args.canaryWeight ?? defaults.CANARY_WEIGHT,
        isolation: args.isolation ?? defaults.ISOLATION,
        replicas: args.replicas ?? defaults.REPLICAS,
        idle: args.idleReplicas ?? args.idle ?? defaults.IDLE,
    };
}

/** The arguments of a canary pair with every default in place. */
export function desiredCanary(name: string, args: CanaryArgs): Desired {
    return {
        ...common(name, args),
        strategy: Strategy.canary,
        sides: { stable: args.stable, canary: args.canary },
        canaryWeight: args.canaryWeight ?? defaults.CANARY_WEIGHT,
        replicas: args.replicas ?? defaults.CANARY_REPLICAS,
        idle: args.idleReplicas ?? args.idle ?? defaults.IDLE,
    };
}

/** The arguments of a rolling update with every default in place. */
export function desiredRolling(name: string, args: RollingArgs): Desired {
    return {
        ...common(name, args),
        strategy: Strategy.rolling,
        sides: { current: args.current },
        replicas: args.replicas ?? defaults.REPLICAS,
    };
}

function common(name: string, args: StrategyArgs): Omit<Desired, "strategy" | "sides"> {
    const app = args.name ?? name;
    const { autoscaling } = args;
    const port = args.api?.port ?? defaults.PORT;
    return {
        name: app,
        namespace: args.namespace ?? defaults.NAMESPACE,
        serviceName: args.serviceName ?? app,
        servicePort: args.servicePort ?? port,
        port,
        routing: args.routing ?? defaults.ROUTING,
        isolation: Isolation.shared,
        releases: Object.keys(args.releases),
        activeColor: defaults.ACTIVE_COLOR,
        canaryWeight: 0,
        replicas: defaults.REPLICAS,
        idle: defaults.IDLE,
        autoscaling: autoscaling && {
            minReplicas: autoscaling.minReplicas ?? defaults.AUTOSCALING.minReplicas,
            maxReplicas: autoscaling.maxReplicas ?? defaults.AUTOSCALING.maxReplicas,
        },
        capacityFloor: args.capacityFloor,
    };
}

/** The same as the rules look at it. */
export function checkedOf(desired: Desired, args: StrategyArgs): Checked {
    const { sides, ...rest } = desired;
    return {
        ...rest,
        ...sides,
        serviceType: args.serviceType ?? defaults.SERVICE_TYPE,
        nodePort: args.nodePort,
        router: args.router,
        gateway: args.gateway,
        gateDeadlineSeconds: args.gateDeadlineSeconds,
        rollingUpdate: args.rollingUpdate,
        releases: args.releases,
        autoscaling: args.autoscaling && { ...args.autoscaling, ...desired.autoscaling },
    };
}
