import { isDeepStrictEqual } from "node:util";
import type { ResourceHookArgs } from "@pulumi/pulumi";
import { SERVES_ANNOTATION } from "./spec";

/** The part of a hook's arguments that the gate reads. */
export type RouteChange = Pick<ResourceHookArgs, "oldInputs" | "newInputs">;

/** Whether the gate has to look: a create, another destination, or something else that runs there. */
export function routeMoves(change: RouteChange): boolean {
    return !same(change, (inputs) => [destinationOf(inputs), servesOf(inputs)]);
}

/** Whether traffic goes to other pods than before, as opposed to the same side with new ones. */
export function changesSides(change: RouteChange): boolean {
    return !same(change, destinationOf);
}

type Inputs = Record<string, unknown>;

function same({ oldInputs, newInputs }: RouteChange, part: (inputs: Inputs) => unknown): boolean {
    return oldInputs !== undefined && isDeepStrictEqual(part(oldInputs), part(newInputs ?? {}));
}

function destinationOf(inputs: Inputs): unknown {
    const { selector, ports } = (inputs.spec ?? {}) as { selector?: unknown; ports?: unknown };
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
