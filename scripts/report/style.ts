/** Classes for releases that do not run on a color of their own, in order of appearance. */
const OTHERS = ["other-1", "other-2", "other-3", "other-4"];

/**
 * A CSS class per release: its color's name where it has one and no other release took it before,
 * so that blue is drawn blue; else one of a few others.
 */
export function releaseClasses(
    releases: readonly string[],
    colors: ReadonlyMap<string, string>,
): Map<string, string> {
    const classes = new Map<string, string>();
    const taken = new Set<string>();
    let others = 0;
    for (const release of releases) {
        const color = colors.get(release);
        const own =
            (color === "blue" || color === "green") && !taken.has(color) ? color : undefined;
        const name = own ?? OTHERS[others++ % OTHERS.length] ?? "other-1";
        taken.add(name);
        classes.set(release, name);
    }
    return classes;
}

/** Scoped to the chart, so that the same SVG stands alone as a file and inline in a page. */
export const chartStyle = `
.cutover-chart { --paper: #ffffff; --ink: #1f2328; --soft: #656d76; --rule: #d0d7de; --band: #8c959f;
  --blue: #2f6fde; --green: #1f9d55; --other-1: #b7791f; --other-2: #8250df; --other-3: #bf3989; --other-4: #0e7490;
  --p50: #57606a; --p99: #c2410c; --bad: #cf222e; --label: #ffffff;
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .cutover-chart { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --rule: #30363d; --band: #6e7681;
  --blue: #388bfd; --green: #2ea043; --other-1: #d29922; --other-2: #a371f7; --other-3: #db61a2; --other-4: #22a6b9;
  --p50: #9198a1; --p99: #f0883e; --bad: #f85149; } }
.cutover-chart .paper { fill: var(--paper); }
.cutover-chart text { fill: var(--soft); font-size: 12px; }
.cutover-chart .heading { fill: var(--ink); font-size: 13px; font-weight: 600; }
.cutover-chart .unit { fill: var(--soft); font-size: 12px; font-weight: 400; }
.cutover-chart .tick { font-variant-numeric: tabular-nums; font-size: 11px; }
.cutover-chart .grid { stroke: var(--rule); stroke-width: 1; stroke-dasharray: 2 4; }
.cutover-chart .axis { stroke: var(--rule); stroke-width: 1; }
.cutover-chart .band { fill: var(--band); opacity: 0.2; }
.cutover-chart .phase { fill: var(--ink); font-size: 12px; font-weight: 600; }
.cutover-chart .mark { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 4 3; }
.cutover-chart .mark-label { fill: var(--label); font-size: 11.5px; font-weight: 600; }
.cutover-chart .area { opacity: 0.92; }
.cutover-chart .blue { fill: var(--blue); } .cutover-chart .green { fill: var(--green); }
.cutover-chart .other-1 { fill: var(--other-1); } .cutover-chart .other-2 { fill: var(--other-2); }
.cutover-chart .other-3 { fill: var(--other-3); } .cutover-chart .other-4 { fill: var(--other-4); }
.cutover-chart .release-label { fill: var(--label); font-size: 14px; font-weight: 700; }
.cutover-chart .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.cutover-chart .line.p50 { stroke: var(--p50); } .cutover-chart .line.p99 { stroke: var(--p99); }
.cutover-chart .line-label { font-weight: 600; }
.cutover-chart .line-label.p50 { fill: var(--p50); } .cutover-chart .line-label.p99 { fill: var(--p99); }
.cutover-chart .failure { fill: var(--bad); }
.cutover-chart .none { fill: var(--green); font-size: 13px; font-weight: 600; }
`.trim();
