import * as pulumi from "@pulumi/pulumi";
import type { GateSpec } from "./spec";

export {
    ENDPOINTS_DEADLINE_SECONDS,
    GATE_DEADLINE_SECONDS,
    GateError,
    SERVES_ANNOTATION,
} from "./spec";
export type { GateSide, GateSpec, GateTarget } from "./spec";

/**
 * Whether routes get their hooks. Not under Pulumi's mocks, whose monitor cannot register any, and
 * not with `CUTOVER_GATE=off`, which is for tests of everything but the gate.
 */
export function gateEnabled(): boolean {
    if (process.env.CUTOVER_GATE === "off") return false;
    const monitor = pulumi.runtime.getMonitor();
    return (
        monitor !== undefined &&
        typeof monitor.registerResourceHook === "function" &&
        !("mocks" in monitor)
    );
}

/**
 * The hooks of a route: before it is created or moved they wait until its target has the ready pods
 * that it needs; after, until the route's endpoints are exactly those pods. In preview they say what
 * will happen and fail only for what this `up` cannot cure. An update that leaves the route's
 * selector and target ports alone is waved through. `name` must be unique in the stack.
 */
export function routeHooks(name: string, spec: GateSpec): pulumi.ResourceHookBinding {
    if (!gateEnabled()) return {};
    // Asked here, in the program: a callback from the engine may run outside the program's context.
    const dryRun = pulumi.runtime.isDryRun();
    const before = new pulumi.ResourceHook(
        `${name}-gate-ready-pods`,
        async (args) => told(loadHooks().beforeRoute(spec, args, { dryRun })),
        { onDryRun: true },
    );
    const after = new pulumi.ResourceHook(`${name}-gate-endpoints`, async (args) =>
        told(loadHooks().afterRoute(spec, args)),
    );
    return {
        beforeCreate: [before],
        beforeUpdate: [before],
        afterCreate: [after],
        afterUpdate: [after],
    };
}

/** How long a refusal waits for messages on their way; some may wait for resources that come later. */
const DELIVERY_MS = 2_000;

/**
 * Lets a refusal out only when what was said before it has been delivered. The SDK sends messages one
 * by one, and a refused preview ends the program: those left would be printed as errors of their own.
 */
export async function told(checks: Promise<void>): Promise<void> {
    try {
        await checks;
    } catch (error) {
        let timer: NodeJS.Timeout | undefined;
        const deadline = new Promise((resolve) => (timer = setTimeout(resolve, DELIVERY_MS)));
        await Promise.race([pulumi.log.debug("the gate refuses"), deadline]);
        clearTimeout(timer);
        throw error;
    }
}

/**
 * The checks and their HTTP client are loaded only when a route is about to move. By `require`, for
 * a program that Pulumi compiles on the fly cannot `import()` a file without its extension.
 */
function loadHooks(): typeof import("./hooks") {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    return require("./hooks") as typeof import("./hooks");
}
