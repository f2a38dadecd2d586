import type { Figures } from "../prober";
import type { ReportData } from "../report";
import type { DemoResult, Recording } from "./recording";

/** The demo's page: the chart's input and the same tables as on the terminal. */
export function toReport(recording: Recording, result: DemoResult): ReportData {
    const engine = result.engine === "cli" ? "Pulumi CLI" : "stand-in engine";
    return {
        title: "Blue/green switch under load",
        summary:
            `${count(result.requests)} requests at ${result.ratePerSecond} per second, ` +
            `${count(result.failed)} failed. Kubernetes ${result.kubernetes}, ` +
            `${engine} ${result.engineVersion}. Half of the requests open a new connection; the ` +
            "other half use kept-alive ones, which stay on their pod until it closes them.",
        passed: result.passed,
        samples: recording.samples,
        phases: recording.phases,
        marks: recording.phases.flatMap(({ name, routeChange }) =>
            routeChange
                ? [{ at: routeChange.at, label: `route → ${name === "back" ? "blue" : "green"}` }]
                : [],
        ),
        tables: [
            phaseTable(result),
            requestTable(result),
            releaseTable(result),
            ...problems(result),
        ],
    };
}

export function phaseTable({ phases }: DemoResult) {
    return {
        heading: "Phases",
        columns: ["phase", "seconds", "moved after", "requests", "failed", "p99 ms"],
        rows: phases.map((phase) => [
            phase.name,
            phase.seconds.toFixed(2),
            phase.trafficMovedSeconds === undefined
                ? ""
                : `${phase.trafficMovedSeconds.toFixed(2)} s`,
            phase.requests === 0 ? "" : count(phase.requests),
            phase.requests === 0 ? "" : count(phase.failed),
            phase.requests === 0 ? "" : phase.latencyMs.p99.toFixed(1),
        ]),
    };
}

export function requestTable(result: DemoResult) {
    const row = (name: string, { requests, failed, latencyMs }: Figures) => [
        name,
        count(requests),
        count(failed),
        ...[latencyMs.p50, latencyMs.p99, latencyMs.max].map((value) => value.toFixed(1)),
    ];
    return {
        heading: "Requests",
        columns: ["connections", "requests", "failed", "p50 ms", "p99 ms", "max ms"],
        rows: [
            row("new", result.connections.new),
            row("kept-alive", result.connections.keptAlive),
            row("all", result),
        ],
    };
}

function releaseTable({ requestsPerRelease }: DemoResult) {
    return {
        heading: "Answers",
        columns: ["release", "requests"],
        rows: Object.entries(requestsPerRelease).map(([release, requests]) => [
            release,
            count(requests),
        ]),
    };
}

function problems({ complaints }: DemoResult) {
    if (complaints.length === 0) return [];
    return [{ heading: "What did not hold", columns: [""], rows: complaints.map((one) => [one]) }];
}

function count(value: number): string {
    return value.toLocaleString("en");
}
