import {
    dueBetween,
    explainFailures,
    type Figures,
    figures,
    type Sample,
    summarize,
    type Summary,
} from "../prober";
import type { Change } from "./changes";
import type { RouteChange } from "./route-watch";

/** The parts of the demo, in their order. */
export const PhaseName = {
    deploy: "deploy",
    noOp: "no-op",
    green: "green",
    preview: "preview",
    switch: "switch",
    back: "back",
} as const;
export type PhaseName = (typeof PhaseName)[keyof typeof PhaseName];

/** What was seen of one phase. Times are milliseconds since the epoch. */
export interface PhaseRecord {
    name: PhaseName;
    from: number;
    to: number;
    /** Wall seconds of the engine's process; for a phase of several runs their median. */
    seconds: number;
    changes: Change[];
    /** The change of a Service's selector that the cluster announced during the phase. */
    routeChange?: RouteChange;
    /** Seconds from there until all new connections reached the phase's release. */
    trafficMovedSeconds?: number;
}

/** Everything that a run of the demo observed; what it means is computed from it afterwards. */
export interface Recording {
    engine: { kind: "cli" | "stand-in"; version: string };
    kubernetes: string;
    rate: number;
    releases: { blue: string; green: string };
    phases: PhaseRecord[];
    /** Sorted by due time; empty when the load never started. */
    samples: Sample[];
    /** Why the run ended early. */
    error?: string;
}

/** `out/demo.json`. Latencies in milliseconds, from the due time. */
export interface DemoResult extends Summary {
    passed: boolean;
    /** Each claim that did not hold, one sentence each. */
    complaints: string[];
    /** Each kind of failed request with its count. */
    failures: string[];
    engine: "cli" | "stand-in";
    engineVersion: string;
    kubernetes: string;
    ratePerSecond: number;
    /** Wall time of the switching `up` ÷ that of a no-op `up` of the same stack in the same run. */
    switchToNoOpRatio?: number;
    phases: (Figures & { name: string; seconds: number; trafficMovedSeconds?: number })[];
}

export function toResult(recording: Recording, complaints: readonly string[]): DemoResult {
    const { samples, phases } = recording;
    const noOp = phases.find(({ name }) => name === PhaseName.noOp);
    const moved = phases.find(({ name }) => name === PhaseName.switch);
    return {
        passed: complaints.length === 0,
        complaints: [...complaints],
        engine: recording.engine.kind,
        engineVersion: recording.engine.version,
        kubernetes: recording.kubernetes,
        ratePerSecond: recording.rate,
        ...summarize(samples),
        failures: explainFailures(samples),
        switchToNoOpRatio: noOp && moved ? thousandth(moved.seconds / noOp.seconds) : undefined,
        phases: phases.map((phase) => ({
            name: phase.name,
            seconds: thousandth(phase.seconds),
            trafficMovedSeconds:
                phase.trafficMovedSeconds === undefined
                    ? undefined
                    : thousandth(phase.trafficMovedSeconds),
            ...figures(dueBetween(samples, phase.from, phase.to)),
        })),
    };
}

function thousandth(value: number): number {
    return Math.round(value * 1_000) / 1_000;
}
