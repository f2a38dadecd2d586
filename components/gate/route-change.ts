import { isDeepStrictEqual } from "node:util";
import type { ResourceHookArgs } from "@pulumi/pulumi";
import { SERVES_ANNOTATION } from "./spec";

/** The part of a hook's arguments that the gate reads. */
export type RouteChange = Pick<ResourceHookArgs, "oldInputs" | "newInputs">;

/** Whether the gate has to look: a create, another destination, or something else that runs there. */
export function routeMoves({ oldInputs, newInputs }: RouteChange): boolean {
    const part = (inputs: Inputs) => [destinationOf(inputs), servesOf(inputs)];
    return oldInputs === undefined || !isDeepStrictEqual(part(oldInputs), part(newInputs ?? {}));
}

type Inputs = Record<string, unknown>;

/** What sends the traffic on: a Service's selector and ports, a router's template, an HTTPRoute's rules. */
function destinationOf({ kind, spec }: Inputs): unknown {
    const { selector, ports, template, rules } = (spec ?? {}) as Record<string, unknown>;
    if (kind === "Deployment") return template;
    if (kind === "HTTPRoute") return rules;
    if (!Array.isArray(ports)) return { selector, ports };
    const targets = ports.map((port: { port?: unknown; targetPort?: unknown }) => [
        port.port,
        port.targetPort,
    ]);
    return { selector, targets };
}

function servesOf(inputs: Inputs): unknown {
    const metadata = inputs.metadata as { annotations?: Record<string, unknown> } | undefined;
    return metadata?.annotations?.[SERVES_ANNOTATION];
}
