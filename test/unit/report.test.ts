import assert from "node:assert/strict";
import { renderChart, renderPage, type ReportData } from "../../scripts/report";
import type { Sample } from "../../scripts/prober";
import { escape } from "../../scripts/report/escape";
import {
    failureSeries,
    latencySeries,
    rangeOf,
    releaseSeries,
    releasesOf,
} from "../../scripts/report/series";
import { releaseClasses } from "../../scripts/report/style";

const T = 1_000_000;

/** Ten seconds at 100/s; 1.0.0 on blue until second 5, then 2.0.0 on green. */
function run(override: (sample: Sample) => Partial<Sample> = () => ({})): Sample[] {
    return Array.from({ length: 1_001 }, (_, n) => {
        const due = T + n * 10;
        const moved = due >= T + 5_000;
        const sample: Sample = {
            n,
            kind: n % 2 === 0 ? "keptAlive" : "new",
            due,
            start: due,
            end: due + 2,
            ok: true,
            reused: false,
            release: moved ? "2.0.0" : "1.0.0",
            color: moved ? "green" : "blue",
        };
        return { ...sample, ...override(sample) };
    });
}

function report(overrides: Partial<ReportData> = {}): ReportData {
    return {
        title: "Demo",
        summary: "nothing lost",
        passed: true,
        samples: run(),
        phases: [{ name: "switch", from: T + 4_000, to: T + 6_000 }],
        marks: [{ at: T + 5_000, label: "route → green" }],
        tables: [{ heading: "Phases", columns: ["phase"], rows: [["switch"]] }],
        ...overrides,
    };
}

describe("report series", () => {
    const range = rangeOf(run())!;

    it("counts answers per second of each release, per connection kind", () => {
        const { releases, bins } = releaseSeries(run(), "new", range, 1_000);
        assert.deepEqual(releases, ["1.0.0", "2.0.0"]);
        assert.equal(bins.length, 10);
        assert.deepEqual(bins[0], { t: 0.5, value: { "1.0.0": 50, "2.0.0": 0 } });
        assert.deepEqual(bins[9], { t: 9.5, value: { "1.0.0": 0, "2.0.0": 50 } });
    });

    it("scales counts to a second whatever the bin", () => {
        const { bins } = releaseSeries(run(), "keptAlive", range, 500);
        assert.equal(bins.length, 20);
        assert.equal(bins[3]!.value["1.0.0"], 50);
    });

    it("leaves failures out of answers and latency, and counts them apart", () => {
        const samples = run((sample) =>
            sample.n >= 100 && sample.n < 200 ? { ok: false, end: sample.due + 5_000 } : {},
        );
        const { bins } = releaseSeries(samples, "new", range, 1_000);
        assert.equal(bins[1]!.value["1.0.0"], 0);
        assert.deepEqual(failureSeries(samples, range, 1_000), [{ t: 1.5, value: 100 }]);
        const latency = latencySeries(samples, 99, range, 1_000);
        assert.equal(latency.length, 9, "a second without an answer has no latency");
        assert.ok(latency.every(({ value }) => value === 2));
    });

    it("has a range of at least a second, and none without samples", () => {
        assert.equal(rangeOf([]), undefined);
        assert.deepEqual(rangeOf(run().slice(0, 1)), { from: T, to: T + 1_000 });
        assert.deepEqual(rangeOf(run().toReversed()), { from: T, to: T + 10_000 });
    });

    it("names releases in order of appearance", () => {
        assert.deepEqual(releasesOf(run()), ["1.0.0", "2.0.0"]);
    });
});

describe("report colors", () => {
    it("draws a release in the color that it runs on, each color once", () => {
        const colors = new Map([
            ["1.0.0", "blue"],
            ["2.0.0", "green"],
            ["3.0.0", "blue"],
            ["4.0.0", "stable"],
        ]);
        assert.deepEqual(
            [...releaseClasses(["1.0.0", "2.0.0", "3.0.0", "4.0.0"], colors)],
            [
                ["1.0.0", "blue"],
                ["2.0.0", "green"],
                ["3.0.0", "other-1"],
                ["4.0.0", "other-2"],
            ],
        );
    });
});

describe("report chart", () => {
    it("shows each release on both connection kinds, phases, marks and the absence of failures", () => {
        const svg = renderChart(report());
        assert.equal(svg.match(/<path class="area blue"/g)?.length, 2);
        assert.equal(svg.match(/<path class="area green"/g)?.length, 2);
        assert.equal(svg.match(/class="release-label"[^>]*>2\.0\.0</g)?.length, 2);
        assert.match(svg, />switch<\/text>/);
        assert.match(svg, />route → green<\/text>/);
        assert.match(svg, /none of 1,001 requests failed/);
        assert.doesNotMatch(svg, /class="failure"/);
    });

    it("draws a bar for each second with failures and claims nothing else", () => {
        const svg = renderChart(
            report({ samples: run((sample) => (sample.n < 150 ? { ok: false } : {})) }),
        );
        assert.equal(svg.match(/<rect class="failure"/g)?.length, 2);
        assert.doesNotMatch(svg, /requests failed/);
    });

    it("places phases and marks on the time axis", () => {
        const svg = renderChart(report());
        const band = /<rect class="band" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/.exec(svg);
        const mark = /<line class="mark" x1="([\d.]+)"/.exec(svg);
        const [x, width] = [Number(band?.[1]), Number(band?.[2])];
        // The plot is 880 px wide and starts at 76: seconds 4 to 6 of 10, the mark at second 5.
        assert.ok(Math.abs(x - (76 + 0.4 * 880)) < 0.2, `band at ${x}`);
        assert.ok(Math.abs(width - 0.2 * 880) < 0.2, `band ${width} wide`);
        assert.ok(Math.abs(Number(mark?.[1]) - (76 + 0.5 * 880)) < 0.2);
    });

    it("leaves out phases and marks from before and after the load", () => {
        const svg = renderChart(
            report({
                phases: [{ name: "deploy", from: T - 9_000, to: T - 1_000 }],
                marks: [{ at: T + 60_000, label: "late" }],
            }),
        );
        assert.doesNotMatch(svg, />deploy<|>late</);
    });

    it("renders an empty run without breaking and without claiming success", () => {
        const svg = renderChart(report({ samples: [], phases: [], marks: [] }));
        assert.doesNotMatch(svg, /NaN|undefined|Infinity|requests failed/);
    });

    it("is well-formed and holds no number that is not one", () => {
        const svg = renderChart(report());
        assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
        assert.ok(balanced(svg), "tags are balanced");
    });
});

describe("report page", () => {
    it("is one file: no script, nothing loaded from anywhere", () => {
        const html = renderPage(report());
        assert.doesNotMatch(html, /<script|<link|<img|@import|url\(|\bsrc=/i);
        assert.doesNotMatch(html.replaceAll("http://www.w3.org/2000/svg", ""), /https?:/);
        assert.match(html, /prefers-color-scheme: dark/);
        assert.match(html, /<svg /);
    });

    it("says whether the run passed", () => {
        assert.match(renderPage(report()), /<span class="badge passed">passed</);
        assert.match(renderPage(report({ passed: false })), /<span class="badge failed">failed</);
    });

    it("escapes everything that comes from elsewhere", () => {
        const evil = `<script>alert("1")</script>&'`;
        const html = renderPage(
            report({
                title: evil,
                summary: evil,
                samples: run(() => ({ release: evil })),
                phases: [{ name: evil, from: T, to: T + 9_000 }],
                marks: [{ at: T + 100, label: evil }],
                tables: [{ heading: evil, columns: [evil], rows: [[evil]] }],
            }),
        );
        assert.doesNotMatch(html, /<script/);
        assert.ok(html.includes("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;"));
        assert.ok(balanced(html.slice(html.indexOf("<svg"), html.indexOf("</svg>") + 6)));
    });

    it("drops control characters, which no XML can hold", () => {
        assert.equal(escape("a\u0000b\u001bc\td"), "abc\td");
    });
});

function balanced(xml: string): boolean {
    const open: string[] = [];
    for (const [, close, name, self] of xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
        if (self) continue;
        if (!close) open.push(name!);
        else if (open.pop() !== name) return false;
    }
    return open.length === 0;
}
