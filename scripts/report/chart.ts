import { scaleLinear } from "d3-scale";
import { escape } from "./escape";
import { failurePanel, latencyPanel, type Panel, releasePanel, round } from "./panels";
import { colorsOf, type Range, rangeOf, releasesOf } from "./series";
import { chartStyle, releaseClasses } from "./style";
import type { ReportData, ReportMark, ReportPhase } from "./types";

const WIDTH = 1_000;
const MARGIN = { left: 76, right: 44, top: 64, bottom: 44 };
const PANEL_GAP = 26;
/** Narrower bands have no room for their name on one line. */
const LEAST_LABEL_PX = 7;

/**
 * The run as one SVG: answers per release on new and on kept-alive connections, latency, failures,
 * over the same time axis with the phases shaded. Self-contained: colors follow the viewer's light or
 * dark scheme, without a script.
 */
export function renderChart(
    data: Pick<ReportData, "title" | "samples" | "phases" | "marks">,
): string {
    const range = rangeOf(data.samples) ?? { from: 0, to: 1_000 };
    const seconds = (range.to - range.from) / 1_000;
    const x = scaleLinear([0, seconds], [MARGIN.left, WIDTH - MARGIN.right]);
    const classes = releaseClasses(releasesOf(data.samples), colorsOf(data.samples));
    const input = { samples: data.samples, range, x, classes };
    const panels = [
        releasePanel("new", "new connections", input),
        releasePanel("keptAlive", "kept-alive connections", input),
        latencyPanel(input),
        failurePanel(input),
    ];
    let y = MARGIN.top;
    const placed = panels.map((panel) => {
        const top = y;
        y += panel.height + PANEL_GAP;
        return `<g transform="translate(0 ${top})">${panelFrame(panel)}${panel.body}</g>`;
    });
    const bottom = y - PANEL_GAP;
    const height = bottom + MARGIN.bottom;
    const toX = (at: number) => x(Math.min(seconds, Math.max(0, (at - range.from) / 1_000)));

    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(data.title)}" class="cutover-chart">`,
        `<title>${escape(data.title)}</title>`,
        `<style>${chartStyle}</style>`,
        `<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>`,
        timeAxis(x, bottom),
        ...placed,
        phaseBands(data.phases, range, toX, bottom),
        markLines(data.marks, range, toX, bottom),
        "</svg>",
    ].join("\n");
}

function panelFrame(panel: Panel): string {
    const ticks = panel.ticks.map(
        ({ y, label }) =>
            `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y)}" y2="${round(y)}"/>` +
            `<text class="tick" x="${MARGIN.left - 8}" y="${round(y + 3.5)}" text-anchor="end">${escape(label)}</text>`,
    );
    return (
        `<text class="heading" x="${MARGIN.left}" y="-7">${escape(panel.heading)}` +
        `<tspan class="unit" dx="6">${escape(panel.unit)}</tspan></text>` +
        ticks.join("") +
        `<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${panel.height}" y2="${panel.height}"/>`
    );
}

function phaseBands(
    phases: readonly ReportPhase[],
    range: Range,
    toX: (at: number) => number,
    bottom: number,
): string {
    const shown = phases.filter((phase) => phase.to > range.from && phase.from < range.to);
    return shown
        .map((phase) => {
            const from = toX(phase.from);
            const width = Math.max(1, toX(phase.to) - from);
            const room = phase.name.length * LEAST_LABEL_PX;
            // Names of short phases stand on their edge instead of running into the next one.
            const label =
                width >= room
                    ? `<text class="phase" x="${round(from + width / 2)}" y="30" text-anchor="middle">`
                    : `<text class="phase" transform="translate(${round(from + width / 2 + 3)} 44) rotate(-38)">`;
            return (
                `<rect class="band" x="${round(from)}" y="${MARGIN.top - 22}" width="${round(width)}" height="${round(bottom - MARGIN.top + 22)}"/>` +
                `${label}${escape(phase.name)}</text>`
            );
        })
        .join("\n");
}

function markLines(
    marks: readonly ReportMark[],
    range: Range,
    toX: (at: number) => number,
    bottom: number,
): string {
    const shown = marks.filter((mark) => mark.at >= range.from && mark.at <= range.to);
    return shown
        .map((mark) => {
            const at = round(toX(mark.at));
            const room = mark.label.length * LEAST_LABEL_PX + 6;
            const fits = at + room < WIDTH - MARGIN.right;
            const anchor = fits ? `x="${at + 6}"` : `x="${at - 6}" text-anchor="end"`;
            return (
                `<line class="mark" x1="${at}" x2="${at}" y1="${MARGIN.top - 22}" y2="${bottom}"/>` +
                `<text class="mark-label" ${anchor} y="${MARGIN.top + 26}">${escape(mark.label)}</text>`
            );
        })
        .join("\n");
}

function timeAxis(x: ReturnType<typeof scaleLinear<number, number>>, bottom: number): string {
    const ticks = x.ticks(10).map((tick) => {
        const at = round(x(tick));
        return (
            `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}"/>` +
            `<text class="tick" x="${at}" y="${bottom + 19}" text-anchor="middle">${tick}</text>`
        );
    });
    const end = WIDTH - MARGIN.right;
    return (
        ticks.join("") +
        `<text class="unit" x="${end}" y="${bottom + 36}" text-anchor="end">seconds</text>`
    );
}
