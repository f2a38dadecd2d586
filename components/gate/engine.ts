import * as pulumi from "@pulumi/pulumi";
import { connect } from "./client";
import { ClusterError, NoClusterError } from "./reader";
import { systemClock } from "./wait";

/** Where the gate reports to. */
export interface GateLog {
    /** `passing` lines are progress and need not be kept. */
    info(message: string, passing?: boolean): void;
    warn(message: string): void;
}

/** What checks of a cluster run with in the engine; tests replace it. */
export const engineContext = {
    connect,
    clock: systemClock,
    log: {
        // Progress that cannot be delivered must not fail a deployment.
        info: (message: string, passing?: boolean) =>
            void pulumi.log.info(message, undefined, undefined, passing).catch(ignore),
        warn: (message: string) => void pulumi.log.warn(message).catch(ignore),
    } satisfies GateLog,
};

function ignore(): void {}

/** Whether nothing could be seen, as opposed to something that is refused. */
export function blind(error: unknown): error is ClusterError | NoClusterError {
    return error instanceof ClusterError || error instanceof NoClusterError;
}

/** Does `work` with a connection of its own. */
export async function withReader<S, R extends { close(): void }, T>(
    spec: S,
    context: { connect(spec: S): Promise<R> },
    work: (reader: R) => Promise<T>,
): Promise<T> {
    const reader = await context.connect(spec);
    try {
        return await work(reader);
    } finally {
        reader.close();
    }
}
