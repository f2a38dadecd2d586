import { type ScaleLinear, scaleLinear, scaleLog } from "d3-scale";
import { area, line, stack } from "d3-shape";
import type { ConnectionKind, Sample } from "../prober";
import { escape } from "./escape";
import {
    type Bin,
    failureSeries,
    latencySeries,
    type Range,
    releaseSeries,
    type ReleaseSeries,
} from "./series";

/** One chart of the stack: its body is drawn between y 0 and `height`. */
export interface Panel {
    heading: string;
    unit: string;
    height: number;
    ticks: { y: number; label: string }[];
    body: string;
}

export interface PanelInput {
    samples: readonly Sample[];
    range: Range;
    x: ScaleLinear<number, number>;
    /** CSS class by release. */
    classes: Map<string, string>;
}

/**
 * Short enough that a switch is a cliff, long enough for some tens of requests; on kept-alive
 * connections long enough that each of them is used several times.
 */
const REQUEST_BIN_MS: Record<ConnectionKind, number> = { new: 250, keptAlive: 500 };
/** p99 needs at least a hundred values to mean anything: half a second at the default rate. */
const LATENCY_BIN_MS = 1_000;
/** A release with a smaller stretch has no room for its name. */
const LEAST_LABEL_PX = 48;
const LABEL_HEIGHT_PX = 13;

/** Answers per second, stacked by release, on connections of one kind. */
export function releasePanel(kind: ConnectionKind, heading: string, input: PanelInput): Panel {
    const height = 120;
    const { x, classes } = input;
    const series = releaseSeries(input.samples, kind, input.range, REQUEST_BIN_MS[kind]);
    const totals = series.bins.map(({ value }) => sum(Object.values(value)));
    const y = scaleLinear([0, Math.max(1, ...totals) * 1.08], [height, 0]);
    // Both edges of each bin: a release that appears or vanishes ends exactly where the next begins.
    const half = REQUEST_BIN_MS[kind] / 2_000;
    const edges = series.bins.flatMap(({ t, value }) => [
        { t: t - half, value },
        { t: t + half, value },
    ]);
    const shape = area<[number, number] & { data: Bin<Record<string, number>> }>()
        .x(({ data }) => x(data.t))
        .y0(([low]) => y(low))
        .y1(([, high]) => y(high))
        .defined(([low, high]) => high > low)
        .digits(1);
    const layers = stack<Bin<Record<string, number>>, string>()
        .keys(series.releases)
        .value(({ value }, release) => value[release] ?? 0)(edges);
    const areas = layers.map(
        (layer) =>
            `<path class="area ${classes.get(layer.key)}" d="${shape(layer as never) ?? ""}"/>`,
    );
    const labels = series.releases.map((release) => releaseLabel(release, series, x, y));
    return {
        heading,
        unit: "answers per second, by release",
        height,
        ticks: y.ticks(3).map((tick) => ({ y: y(tick), label: String(tick) })),
        body: areas.join("") + labels.join(""),
    };
}

/** p50 and p99 per second on a logarithmic axis: both a 1 ms median and a 1 s outlier are visible. */
export function latencyPanel(input: PanelInput): Panel {
    const height = 120;
    const { x, samples, range } = input;
    const p50 = latencySeries(samples, 50, range, LATENCY_BIN_MS);
    const p99 = latencySeries(samples, 99, range, LATENCY_BIN_MS);
    const greatest = Math.max(10, ...p99.map(({ value }) => value));
    const y = scaleLog([0.5, greatest * 1.3], [height, 0]).clamp(true);
    const path = line<Bin<number>>()
        .x(({ t }) => x(t))
        .y(({ value }) => y(Math.max(0.5, value)))
        .digits(1);
    const [, right = 0] = x.range();
    const end = (points: Bin<number>[]) => y(Math.max(0.5, points.at(-1)?.value ?? 0.5)) + 4;
    const p50At = end(p50);
    // Where the lines end close together, the upper name moves up.
    const p99At = Math.min(end(p99), p50At - LABEL_HEIGHT_PX);
    const named = (name: string, points: Bin<number>[], at: number) =>
        points.length === 0
            ? ""
            : `<path class="line ${name}" d="${path(points) ?? ""}"/>` +
              `<text class="line-label ${name}" x="${right + 6}" y="${round(at)}">${name}</text>`;
    const powers = [1, 10, 100, 1_000, 10_000].filter((power) => power <= greatest * 1.3);
    return {
        heading: "latency",
        unit: "milliseconds from the due time, per second",
        height,
        ticks: powers.map((power) => ({ y: y(power), label: power.toLocaleString("en") })),
        body: named("p99", p99, p99At) + named("p50", p50, p50At),
    };
}

/** Failed requests per second; an empty panel says that there were none. */
export function failurePanel(input: PanelInput): Panel {
    const height = 44;
    const { x, samples, range } = input;
    const bins = failureSeries(samples, range, LATENCY_BIN_MS);
    const y = scaleLinear([0, Math.max(1, ...bins.map(({ value }) => value))], [height, 0]);
    const width = Math.max(2, x(LATENCY_BIN_MS / 1_000) - x(0) - 1);
    const bars = bins.map(
        ({ t, value }) =>
            `<rect class="failure" x="${round(x(t) - width / 2)}" y="${round(y(value))}" width="${round(width)}" height="${round(height - y(value))}"/>`,
    );
    const [left = 0, right = 0] = x.range();
    const none = `<text class="none" x="${round((left + right) / 2)}" y="${height / 2 + 5}" text-anchor="middle">none of ${samples.length.toLocaleString("en")} requests failed</text>`;
    const empty = samples.length === 0 ? "" : none;
    return {
        heading: "failures",
        unit: "requests per second",
        height,
        ticks: bins.length === 0 ? [] : [{ y: 0, label: String(y.domain()[1]) }],
        body: bins.length === 0 ? empty : bars.join(""),
    };
}

/** The release's name in the middle of its longest stretch as the one with most answers. */
function releaseLabel(
    release: string,
    series: ReleaseSeries,
    x: PanelInput["x"],
    y: ScaleLinear<number, number>,
): string {
    const leads = ({ value }: Bin<Record<string, number>>) =>
        (value[release] ?? 0) > 0.6 * sum(Object.values(value));
    let best = { start: 0, length: 0 };
    let start = 0;
    series.bins.forEach((bin, i) => {
        if (!leads(bin)) start = i + 1;
        else if (i - start + 1 > best.length) best = { start, length: i - start + 1 };
    });
    const middle = series.bins[best.start + Math.floor(best.length / 2)];
    const [first, second] = series.bins;
    const binPx = first && second ? x(second.t) - x(first.t) : 0;
    if (best.length * binPx < LEAST_LABEL_PX || !middle) return "";
    const total = sum(Object.values(middle.value));
    return `<text class="release-label" x="${round(x(middle.t))}" y="${round(y(total / 2) + 5)}" text-anchor="middle">${escape(release)}</text>`;
}

/** Tenths of a pixel: finer digits only make the file longer. */
export function round(value: number): number {
    return Math.round(value * 10) / 10;
}

function sum(values: readonly number[]): number {
    return values.reduce((total, value) => total + value, 0);
}
