import * as pulumi from "@pulumi/pulumi";
import { connect } from "./client";
import { judgeEndpoints } from "./endpoints";
import { gatherEvidence } from "./evidence";
import { forecast } from "./preview";
import { isReady, problemKey } from "./problems";
import { ClusterError, NoClusterError, type ClusterReader } from "./reader";
import { changesSides, routeMoves, type RouteChange } from "./route-change";
import {
    ENDPOINTS_DEADLINE_SECONDS,
    GATE_DEADLINE_SECONDS,
    GateError,
    type GateSpec,
} from "./spec";
import {
    currentPods,
    judgeTarget,
    problemsOf,
    readSide,
    type SideState,
    type Verdict,
} from "./target";
import { systemClock, waitFor, type Clock, type Look } from "./wait";

/** Where the gate reports to. */
export interface GateLog {
    /** `passing` lines are progress and need not be kept. */
    info(message: string, passing?: boolean): void;
    warn(message: string): void;
}

export interface GateContext {
    connect(spec: GateSpec): Promise<ClusterReader>;
    clock: Clock;
    log: GateLog;
}

/** Holds the route back until its target can take the traffic; throws `GateError` where it cannot. */
export async function beforeRoute(
    spec: GateSpec,
    change: RouteChange,
    options: { dryRun: boolean },
    context: GateContext = engineContext(),
): Promise<void> {
    if (!routeMoves(change)) return;
    const { target } = spec;
    if (target.neededReady < 1) {
        throw new GateError(
            `${staysPut(spec, change)}: ${target.label} is declared with ${target.neededReady} pods, and a live side needs at least 1`,
        );
    }
    if (options.dryRun) return previewRoute(spec, change, context);

    const verdict = await withReader(spec, context, (reader) =>
        awaitTarget(spec, change, reader, context),
    ).catch((error: unknown) => {
        throw blind(error) ? new GateError(`${staysPut(spec, change)}: ${error.message}`) : error;
    });
    context.log.info(`${target.label} has ${verdict.ready} ready pods; ${moveOf(spec, change)}`);
}

/** Makes sure that the route's traffic reaches the target's ready pods and nothing else. */
export async function afterRoute(
    spec: GateSpec,
    change: RouteChange,
    context: GateContext = engineContext(),
): Promise<void> {
    if (!routeMoves(change)) return;
    const { service, target } = spec;
    await withReader(spec, context, (reader) => awaitEndpoints(spec, reader, context)).catch(
        (error: unknown) => {
            const done = `${service} points to ${target.label}, but its endpoints cannot be checked`;
            throw blind(error) ? new GateError(`${done}: ${error.message}`) : error;
        },
    );
}

async function awaitEndpoints(
    spec: GateSpec,
    reader: ClusterReader,
    { clock, log }: GateContext,
): Promise<void> {
    const { namespace, service, target } = spec;
    const look = async (): Promise<Look<string[]>> => {
        const [slices, pods] = await Promise.all([
            reader.listEndpointSlices(namespace, service),
            reader.listPods(namespace, target.selector),
        ]);
        const { serving, because } = judgeEndpoints(slices, pods);
        return because === undefined ? { done: serving } : { because };
    };
    const result = await waitFor(look, {
        deadlineSeconds: ENDPOINTS_DEADLINE_SECONDS,
        clock,
        say: (line) => log.info(`${service}: ${line}`, true),
    });
    if (result.value !== undefined) return;
    const state = await readSide(reader, namespace, target).catch(() => undefined);
    const evidence = state ? `\n${await gatherEvidence(reader, namespace, state)}` : "";
    throw new GateError(
        `${service} points to ${target.label}, but after ${ENDPOINTS_DEADLINE_SECONDS} s ${result.because}${evidence}`,
    );
}

async function awaitTarget(
    spec: GateSpec,
    change: RouteChange,
    reader: ClusterReader,
    { clock, log }: GateContext,
): Promise<Verdict> {
    const { namespace, target, deadlineSeconds = GATE_DEADLINE_SECONDS } = spec;
    const seenSince = new Map<string, number>();
    let last: SideState | undefined;
    let ready = 0;

    const look = async (): Promise<Look<Verdict>> => {
        last = await readSide(reader, namespace, target);
        if (last === undefined) {
            throw new GateError(
                `${staysPut(spec, change)}: Deployment ${namespace}/${target.deployment} of ${target.label} does not exist`,
            );
        }
        for (const problem of problemsOf(last, deadlineSeconds)) {
            const key = problemKey(problem);
            if (!seenSince.has(key)) seenSince.set(key, last.now);
        }
        const verdict = judgeTarget(last, target, { deadlineSeconds, seenSince });
        ready = verdict.ready;
        return verdict.kind === "waiting" ? { because: verdict.because } : { done: verdict };
    };
    const result = await waitFor(look, {
        deadlineSeconds,
        clock,
        say: (line) => log.info(`waiting for ${readiness(spec, ready)}: ${line}`, true),
    });
    if (result.value?.kind === "ready") return result.value;
    const because = result.value?.kind === "failed" ? result.value.because : result.because;
    const evidence = last ? `\n${await gatherEvidence(reader, namespace, last)}` : "";
    throw new GateError(
        `${staysPut(spec, change)}: ${because} (${readiness(spec, ready)} after ${Math.round(result.waitedSeconds)} s)${evidence}`,
    );
}

async function previewRoute(
    spec: GateSpec,
    change: RouteChange,
    context: GateContext,
): Promise<void> {
    const { namespace, service, target, previous } = spec;
    const deadlineSeconds = spec.deadlineSeconds ?? GATE_DEADLINE_SECONDS;
    try {
        await withReader(spec, context, async (reader) => {
            const [state, before] = await Promise.all([
                readSide(reader, namespace, target),
                previous && readSide(reader, namespace, previous),
            ]);
            const { kind, message } = forecast(state, target, deadlineSeconds);
            // A side that has the traffic already may fail and be changed all the same.
            if (kind === "hopeless" && changesSides(change)) {
                const evidence = state ? `\n${await gatherEvidence(reader, namespace, state)}` : "";
                throw new GateError(
                    `${staysPut(spec, change)}: this update keeps what fails in ${target.label}; release a fix to it first. ${message}${evidence}`,
                );
            }
            const now = previous
                ? `; ${previous.label} has ${before ? currentPods(before).filter(isReady).length : 0} ready pods now`
                : "";
            const line = `${message}: ${moveOf(spec, change)}${now}`;
            if (kind === "ok") context.log.info(line);
            else context.log.warn(line);
        });
    } catch (error) {
        if (!blind(error)) throw error;
        context.log.warn(
            `${service}: the ready pods of ${target.label} cannot be checked in this preview: ${error.message}`,
        );
    }
}

/** Whether the gate could not see, as opposed to having seen what it refuses. */
function blind(error: unknown): error is ClusterError | NoClusterError {
    return error instanceof ClusterError || error instanceof NoClusterError;
}

async function withReader<T>(
    spec: GateSpec,
    context: GateContext,
    work: (reader: ClusterReader) => Promise<T>,
): Promise<T> {
    const reader = await context.connect(spec);
    try {
        return await work(reader);
    } finally {
        reader.close();
    }
}

function staysPut(spec: GateSpec, { oldInputs }: RouteChange): string {
    if (oldInputs === undefined) return `${spec.service} is not created`;
    return spec.previous
        ? `${spec.service} stays on ${spec.previous.label}`
        : `${spec.service} stays as it is`;
}

function moveOf(spec: GateSpec, { oldInputs }: RouteChange): string {
    if (oldInputs === undefined) return `${spec.service} → ${spec.target.label}`;
    return spec.previous
        ? `${spec.service} ${spec.previous.label} → ${spec.target.label}`
        : `${spec.service} → ${spec.target.label}`;
}

function readiness({ target }: GateSpec, ready: number): string {
    return `${target.label} has ${ready} of ${target.neededReady} ready pods`;
}

/** The gate as the engine runs it. */
function engineContext(): GateContext {
    const ignore = () => undefined;
    return {
        connect,
        clock: systemClock,
        log: {
            // Progress that cannot be delivered must not fail a deployment.
            info: (message, passing) =>
                void pulumi.log.info(message, undefined, undefined, passing).catch(ignore),
            warn: (message) => void pulumi.log.warn(message).catch(ignore),
        },
    };
}
