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
    green: "green",
    noOp: "no-op",
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
    /** The seconds of each run, in their order, of a phase of several. */
    runs?: number[];
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
    /**
     * Wall time of the one `up` that switches ÷ the median of the no-op `up`s of the same stack, with
     * both colors up, in the same run and under the same load.
     */
    switchToNoOpRatio?: number;
    /** The same of the `up` that goes back. */
    backToNoOpRatio?: number;
    phases: PhaseResult[];
}

/** One phase in `out/demo.json`. */
export interface PhaseResult extends Figures {
    name: string;
    /** Wall seconds of the engine's process; of the no-op phase the median of `runs`. */
    seconds: number;
    /** Seconds of each run of the no-op phase, in their order. */
    runs?: number[];
    /** Seconds from the route's change until all new connections reached the phase's release. */
    trafficMovedSeconds?: number;
}

export function toResult(recording: Recording, complaints: readonly string[]): DemoResult {
    const { samples, phases } = recording;
    const secondsOf = (phase: PhaseName) => phases.find(({ name }) => name === phase)?.seconds;
    const toNoOp = (phase: PhaseName) => ratio(secondsOf(phase), secondsOf(PhaseName.noOp));
    return {
        passed: complaints.length === 0,
        complaints: [...complaints],
        engine: recording.engine.kind,
        engineVersion: recording.engine.version,
        kubernetes: recording.kubernetes,
        ratePerSecond: recording.rate,
        ...summarize(samples),
        failures: explainFailures(samples),
        switchToNoOpRatio: toNoOp(PhaseName.switch),
        backToNoOpRatio: toNoOp(PhaseName.back),
        phases: phases.map((phase) => ({
            name: phase.name,
            seconds: thousandth(phase.seconds),
            runs: phase.runs?.map(thousandth),
            trafficMovedSeconds:
                phase.trafficMovedSeconds === undefined
                    ? undefined
                    : thousandth(phase.trafficMovedSeconds),
            ...figures(dueBetween(samples, phase.from, phase.to)),
        })),
    };
}

function ratio(above: number | undefined, below: number | undefined): number | undefined {
    return above === undefined || below === undefined ? undefined : thousandth(above / below);
}

function thousandth(value: number): number {
    return Math.round(value * 1_000) / 1_000;
}
