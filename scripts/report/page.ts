import { renderChart } from "./chart";
import { escape } from "./escape";
import type { ReportData, ReportTable } from "./types";

/**
 * The run as one HTML file: no script, no request to anywhere, so that it can be mailed, archived and
 * opened offline, and shows the same.
 */
export function renderPage(data: ReportData): string {
    const badge = data.passed ? "passed" : "failed";
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(data.title)}</title>
<style>
${PAGE_STYLE}
</style>
</head>
<body>
<main>
<header>
<h1>${escape(data.title)} <span class="badge ${badge}">${badge}</span></h1>
<p>${escape(data.summary)}</p>
</header>
<figure>
${renderChart(data)}
</figure>
<div class="tables">
${data.tables.map(renderTable).join("\n")}
</div>
</main>
</body>
</html>
`;
}

function renderTable(table: ReportTable): string {
    const cells = (tag: "th" | "td", row: readonly string[]) =>
        row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("");
    return `<section>
<h2>${escape(table.heading)}</h2>
<table>
<thead><tr>${cells("th", table.columns)}</tr></thead>
<tbody>
${table.rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}
</tbody>
</table>
</section>`;
}

const PAGE_STYLE = `
:root { --paper: #ffffff; --page: #f6f8fa; --ink: #1f2328; --soft: #656d76; --rule: #d0d7de; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --paper: #0d1117; --page: #010409; --ink: #e6edf3; --soft: #9198a1; --rule: #30363d; --good: #2ea043; --bad: #f85149; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { font-size: 26px; margin: 0 0 6px; display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
h2 { font-size: 15px; margin: 0 0 8px; }
header p { margin: 0 0 20px; color: var(--soft); max-width: 72ch; }
.badge { font-size: 13px; font-weight: 600; color: #ffffff; border-radius: 999px; padding: 2px 12px; }
.badge.passed { background: var(--good); } .badge.failed { background: var(--bad); }
figure { margin: 0 0 28px; border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; background: var(--paper); }
figure svg { display: block; width: 100%; height: auto; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); gap: 20px; align-items: start; }
section { background: var(--paper); border: 1px solid var(--rule); border-radius: 10px; padding: 16px 18px; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 0 5px 14px; border-top: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; border-top: 0; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
`.trim();
