import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import type { ProbeArgs, ProbesArgs } from "./args";
import { LIVENESS_PROBE, READINESS_PROBE, STARTUP_PROBE, STARTUP_SECONDS } from "./defaults";

type Probe = types.input.core.v1.Probe;

/** The three probes of a container, each with its own purpose. */
export function probes(
    port: number,
    { startup = {}, readiness = {}, liveness = {} }: ProbesArgs = {},
): { startupProbe: Probe; readinessProbe: Probe; livenessProbe: Probe } {
    const alive = filled(LIVENESS_PROBE, liveness);
    // The question is the same as that of liveness: is the process there?
    const starting = filled({ ...STARTUP_PROBE, path: alive.path, failureThreshold: 0 }, startup);
    const failureThreshold = startup.failureThreshold ?? patience(starting, alive);
    return {
        startupProbe: probe(port, { ...starting, failureThreshold }),
        readinessProbe: probe(port, filled(READINESS_PROBE, readiness)),
        livenessProbe: probe(port, alive),
    };
}

/**
 * As many failures as fit into the time a start may take: never less than what the liveness probe
 * alone would have granted, so that a long delay that was given to it for slow starts still counts.
 */
function patience(
    { periodSeconds }: Required<ProbeArgs>,
    liveness: Required<ProbeArgs>,
): pulumi.Input<number> {
    const longest = (delay: number, period: number, failures: number) =>
        Math.max(STARTUP_SECONDS, delay + period * failures);
    const { initialDelaySeconds, failureThreshold } = liveness;
    return calculated(
        (every, delay, period, failures) => Math.ceil(longest(delay, period, failures) / every),
        [periodSeconds, initialDelaySeconds, liveness.periodSeconds, failureThreshold],
    );
}

type Four<T> = [T, T, T, T];

/** Plain where all numbers are. */
function calculated(
    calculate: (...numbers: Four<number>) => number,
    inputs: Four<pulumi.Input<number>>,
): pulumi.Input<number> {
    const known = (all: Four<pulumi.Input<number>>): all is Four<number> =>
        all.every((input) => typeof input === "number");
    if (known(inputs)) return calculate(...inputs);
    return pulumi.all(inputs).apply((numbers) => calculate(...numbers));
}

/** What is `undefined` in `own` counts as left out. */
function filled(base: Required<ProbeArgs>, own: ProbeArgs): Required<ProbeArgs> {
    return {
        path: own.path ?? base.path,
        initialDelaySeconds: own.initialDelaySeconds ?? base.initialDelaySeconds,
        periodSeconds: own.periodSeconds ?? base.periodSeconds,
        timeoutSeconds: own.timeoutSeconds ?? base.timeoutSeconds,
        successThreshold: own.successThreshold ?? base.successThreshold,
        failureThreshold: own.failureThreshold ?? base.failureThreshold,
    };
}

/** A delay of 0 is left out, as the API server does: there would be a difference at every refresh. */
function probe(port: number, { path, initialDelaySeconds, ...rest }: Required<ProbeArgs>): Probe {
    const delay = initialDelaySeconds === 0 ? {} : { initialDelaySeconds };
    return { httpGet: { path, port }, ...delay, ...rest };
}
