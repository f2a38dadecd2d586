import { blind, engineContext, withReader, type GateLog } from "./engine";
import { judgeEndpoints } from "./endpoints";
import { gatherEvidence } from "./evidence";
import { labels, missing, moveOf, staysPut, type Judged } from "./messages";
import { forecast } from "./preview";
import { isReady, problemKey } from "./problems";
import type { ClusterReader } from "./reader";
import { routeMoves, type RouteChange } from "./route-change";
import {
    ENDPOINTS_DEADLINE_SECONDS,
    GATE_DEADLINE_SECONDS,
    GateError,
    type GateSide,
    type GateSpec,
    type GateTarget,
} from "./spec";
import { currentPods, judgeTarget, problemsOf, readSide, type SideState } from "./target";
import { waitFor, type Clock, type Look } from "./wait";

export interface GateContext {
    connect(spec: GateSpec): Promise<ClusterReader>;
    clock: Clock;
    log: GateLog;
}

/** Holds the route back until its targets can take the traffic; throws `GateError` where they cannot. */
export async function beforeRoute(
    spec: GateSpec,
    change: RouteChange,
    options: { dryRun: boolean },
    context: GateContext = engineContext,
): Promise<void> {
    if (!routeMoves(change)) return;
    for (const { label, neededReady } of spec.targets) {
        if (neededReady >= 1) continue;
        throw new GateError(
            `${staysPut(spec, change)}: ${label} is declared with ${neededReady} pods, and a live side needs at least 1`,
        );
    }
    if (options.dryRun) return previewRoute(spec, change, context);

    const verdicts = await withReader(spec, context, (reader) =>
        awaitTargets(spec, change, reader, context),
    ).catch((error: unknown) => {
        throw blind(error) ? new GateError(`${staysPut(spec, change)}: ${error.message}`) : error;
    });
    const ready = verdicts.map(({ target, verdict }) => `${target.label} has ${verdict.ready}`);
    context.log.info(`${ready.join(", ")} ready pods; ${moveOf(spec, change)}`);
}

/** Makes sure that the route's traffic reaches the targets' ready pods and nothing else. */
export async function afterRoute(
    spec: GateSpec,
    change: RouteChange,
    context: GateContext = engineContext,
): Promise<void> {
    const { selector } = spec;
    if (selector === undefined || !routeMoves(change)) return;
    await withReader(spec, context, (reader) =>
        awaitEndpoints(spec, selector, reader, context),
    ).catch((error: unknown) => {
        const done = `${spec.route} points to ${labels(spec.targets)}, but its endpoints cannot be checked`;
        throw blind(error) ? new GateError(`${done}: ${error.message}`) : error;
    });
}

async function awaitEndpoints(
    spec: GateSpec,
    selector: Record<string, string>,
    reader: ClusterReader,
    { clock, log }: GateContext,
): Promise<void> {
    const { namespace, route, targets } = spec;
    const look = async (): Promise<Look<string[]>> => {
        const [slices, pods] = await Promise.all([
            reader.listEndpointSlices(namespace, route),
            reader.listPods(namespace, selector),
        ]);
        const { serving, because } = judgeEndpoints(slices, pods);
        return because === undefined ? { done: serving } : { because };
    };
    const result = await waitFor(look, {
        deadlineSeconds: ENDPOINTS_DEADLINE_SECONDS,
        clock,
        say: (line) => log.info(`${route}: ${line}`, true),
    });
    if (result.value !== undefined) return;
    const states = await Promise.all(
        targets.map((target) => readOf(spec, reader, target).catch(() => undefined)),
    );
    throw new GateError(
        `${route} points to ${labels(targets)}, but after ${ENDPOINTS_DEADLINE_SECONDS} s ${result.because}${await evidenceOf(spec, reader, states)}`,
    );
}

async function awaitTargets(
    spec: GateSpec,
    change: RouteChange,
    reader: ClusterReader,
    { clock, log }: GateContext,
): Promise<Judged[]> {
    const { deadlineSeconds = GATE_DEADLINE_SECONDS } = spec;
    const seenSince = new Map<string, number>();
    let judged: Judged[] = [];

    const judge = async (target: GateTarget): Promise<Judged> => {
        const state = await readOf(spec, reader, target);
        if (state === undefined) {
            throw new GateError(
                `${staysPut(spec, change)}: Deployment ${target.namespace ?? spec.namespace}/${target.deployment} of ${target.label} does not exist`,
            );
        }
        for (const problem of problemsOf(state, deadlineSeconds)) {
            const key = problemKey(problem);
            if (!seenSince.has(key)) seenSince.set(key, state.now);
        }
        return {
            target,
            state,
            verdict: judgeTarget(state, target, { deadlineSeconds, seenSince }),
        };
    };
    const look = async (): Promise<Look<Judged[]>> => {
        judged = await Promise.all(spec.targets.map(judge));
        const failed = judged.some(({ verdict }) => verdict.kind === "failed");
        const waiting = judged.map(({ verdict }) => verdict).find(({ kind }) => kind === "waiting");
        return failed || waiting?.kind !== "waiting"
            ? { done: judged }
            : { because: waiting.because };
    };
    const result = await waitFor(look, {
        deadlineSeconds,
        clock,
        say: (line) => log.info(`waiting for ${missing(spec, judged)}: ${line}`, true),
    });
    const failed = judged.find(({ verdict }) => verdict.kind === "failed")?.verdict;
    if (result.value !== undefined && failed === undefined) return result.value;
    const because = failed?.kind === "failed" ? failed.because : result.because;
    const unready = judged.filter(({ verdict }) => verdict.kind !== "ready");
    const evidence = await evidenceOf(
        spec,
        reader,
        unready.map(({ state }) => state),
    );
    throw new GateError(
        `${staysPut(spec, change)}: ${because} (${missing(spec, judged)} after ${Math.round(result.waitedSeconds)} s)${evidence}`,
    );
}

async function previewRoute(
    spec: GateSpec,
    change: RouteChange,
    context: GateContext,
): Promise<void> {
    try {
        await withReader(spec, context, async (reader) => {
            const [targets, before] = await Promise.all([
                Promise.all(
                    spec.targets.map(async (target) => ({
                        target,
                        state: await readOf(spec, reader, target),
                    })),
                ),
                Promise.all(
                    spec.from.map(async (side) => ({
                        side,
                        state: await readOf(spec, reader, side),
                    })),
                ),
            ]);
            const now = before.map(
                ({ side, state }) =>
                    `; ${side.label} has ${state ? currentPods(state).filter(isReady).length : 0} ready pods now`,
            );
            for (const { target, state } of targets) {
                await foretell(spec, change, reader, context, { target, state }, now.join(""));
            }
        });
    } catch (error) {
        if (!blind(error)) throw error;
        context.log.warn(
            `${spec.route}: the ready pods of ${labels(spec.targets)} cannot be checked in this preview: ${error.message}`,
        );
    }
}

async function foretell(
    spec: GateSpec,
    change: RouteChange,
    reader: ClusterReader,
    { log }: GateContext,
    { target, state }: Omit<Judged, "verdict">,
    now: string,
): Promise<void> {
    const deadlineSeconds = spec.deadlineSeconds ?? GATE_DEADLINE_SECONDS;
    const { kind, message } = forecast(state, target, deadlineSeconds);
    if (kind === "hopeless" && (target.gains ?? true)) {
        throw new GateError(
            `${staysPut(spec, change)}: this update keeps what fails in ${target.label}; release a fix to it first. ${message}${await evidenceOf(spec, reader, [state])}`,
        );
    }
    const line = `${message}: ${moveOf(spec, change)}${now}`;
    if (kind === "ok") log.info(line);
    else log.warn(line);
}

function readOf(
    spec: GateSpec,
    reader: ClusterReader,
    side: GateSide,
): Promise<SideState | undefined> {
    return readSide(reader, side.namespace ?? spec.namespace, side);
}

/** The evidence of all that could be read, each part on lines of its own. */
async function evidenceOf(
    { namespace }: GateSpec,
    reader: ClusterReader,
    states: readonly (SideState | undefined)[],
): Promise<string> {
    const found = states.filter((state) => state !== undefined);
    const parts = await Promise.all(
        found.map((state) =>
            gatherEvidence(reader, state.deployment.metadata.namespace ?? namespace, state),
        ),
    );
    return parts.map((part) => `\n${part}`).join("");
}
