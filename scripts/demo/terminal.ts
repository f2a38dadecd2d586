import Table from "cli-table3";
import colors from "picocolors";
import type { Prober, Sample } from "../prober";
import type { Say } from "../progress";
import type { ReportTable } from "../report";
import type { DemoResult } from "./recording";
import { phaseTable, requestTable } from "./report";

/** Often enough to be alive on a terminal, rare enough not to fill a log. */
const TERMINAL_MS = 500;
const LOG_MS = 10_000;

/** The closing words: two short tables and one line that says whether all claims held. */
export function renderResult(result: DemoResult): string {
    const engine = result.engine === "cli" ? "Pulumi CLI" : "stand-in engine";
    const { switchToNoOpRatio, backToNoOpRatio } = result;
    const lines = [
        ...(result.phases.length > 0 ? [renderTable(phaseTable(result))] : []),
        ...(result.requests > 0 ? [renderTable(requestTable(result))] : []),
        `${engine} ${result.engineVersion}, Kubernetes ${result.kubernetes}` +
            (switchToNoOpRatio === undefined
                ? ""
                : `, switch ÷ no-op = ${switchToNoOpRatio.toFixed(2)}`) +
            (backToNoOpRatio === undefined ? "" : `, back ÷ no-op = ${backToNoOpRatio.toFixed(2)}`),
        ...result.complaints.map((complaint) => colors.red(`✗ ${complaint}`)),
    ];
    if (result.passed) {
        const all = result.requests.toLocaleString("en");
        lines.push(colors.green(`✓ every phase did what it says, none of ${all} requests failed`));
    }
    return lines.join("\n");
}

function renderTable({ columns, rows }: ReportTable): string {
    const table = new Table({
        head: [...columns],
        colAligns: columns.map((_, i) => (i === 0 ? "left" : "right")),
        // The library colors whatever the output is; a log file must not be full of codes.
        style: colors.isColorSupported
            ? { head: ["bold"], border: ["gray"], compact: true }
            : { head: [], border: [], compact: true },
    });
    for (const row of rows) table.push([...row]);
    return table.toString();
}

/** Shows the load in the running step's status line; returns the function that ends it. */
export function showLoad(prober: Prober | undefined, say: Say): () => void {
    if (!prober) return () => undefined;
    const interval = process.stdout.isTTY ? TERMINAL_MS : LOG_MS;
    let last = Date.now();
    return prober.onSamples(() => {
        if (Date.now() - last < interval) return;
        last = Date.now();
        say(describeLoad(prober.samples));
    });
}

/** `12,345 requests, 0 failed; new connections: 2.0.0 100 %; kept-alive: 1.0.0 40 %, 2.0.0 60 %` */
export function describeLoad(samples: readonly Sample[]): string {
    const failed = samples.reduce((count, sample) => count + (sample.ok ? 0 : 1), 0);
    const latest = samples.slice(-200);
    return (
        `${samples.length.toLocaleString("en")} requests, ${failed} failed; ` +
        `new connections: ${shares(latest.filter(({ kind }) => kind === "new"))}; ` +
        `kept-alive: ${shares(latest.filter(({ kind }) => kind === "keptAlive"))}`
    );
}

function shares(samples: readonly Sample[]): string {
    const counts = new Map<string, number>();
    for (const { release = "none" } of samples) counts.set(release, (counts.get(release) ?? 0) + 1);
    const parts = [...counts]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([release, count]) => `${release} ${Math.round((count / samples.length) * 100)} %`);
    return parts.join(", ") || "nothing yet";
}
