import assert from "node:assert/strict";
import fc from "fast-check";
import {
    type ConnectionKind,
    dueBetween,
    explainFailures,
    firstAnswer,
    movedAfter,
    percentile,
    releasesSince,
    type Sample,
    summarize,
} from "../../scripts/prober";
import { countDue, dueAt, kindOf } from "../../scripts/prober/schedule";
import { assertTarget, resolveSettings } from "../../scripts/prober/settings";

/** Request `n` of a 100/s schedule on new connections, answered by 1.0.0 after 2 ms. */
function sample(n: number, overrides: Partial<Sample> = {}): Sample {
    const due = 1_000 + n * 10;
    return {
        n,
        kind: "new",
        due,
        start: due,
        end: due + 2,
        ok: true,
        status: 200,
        reused: false,
        release: "1.0.0",
        ...overrides,
    };
}

function failed(n: number, overrides: Partial<Sample> = {}): Sample {
    return sample(n, { ok: false, release: undefined, error: "ECONNRESET", ...overrides });
}

describe("prober schedule", () => {
    const schedule = { startedAt: 5_000, rate: 200, total: 1_000 };

    it("has the n-th request due at the n-th interval", () => {
        assert.equal(dueAt(schedule, 0), 5_000);
        assert.equal(dueAt(schedule, 200), 6_000);
        assert.equal(dueAt({ ...schedule, rate: 3 }, 3), 6_000);
    });

    it("counts what is due: none before the start, never more than the total", () => {
        assert.equal(countDue(schedule, 4_999.9), 0);
        assert.equal(countDue(schedule, 5_000), 1);
        assert.equal(countDue(schedule, 5_004.9), 1);
        assert.equal(countDue(schedule, 5_005), 2);
        assert.equal(countDue(schedule, 1e9), 1_000);
    });

    it("finds a request due exactly when its due time has come, at any rate", () => {
        const rates = fc.integer({ min: 1, max: 1_000 });
        fc.assert(
            fc.property(rates, fc.integer({ min: 0, max: 100_000 }), (rate, n) => {
                const any = { startedAt: 0, rate, total: 1e9 };
                const due = dueAt(any, n);
                assert.equal(countDue(any, due + 1e-6), n + 1);
                assert.ok(countDue(any, due - 1e-3) <= n);
            }),
        );
    });

    it("alternates between kept-alive and new connections", () => {
        assert.deepEqual([0, 1, 2, 3].map(kindOf), ["keptAlive", "new", "keptAlive", "new"]);
    });
});

describe("prober statistics", () => {
    it("takes percentiles by nearest rank", () => {
        const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
        assert.equal(percentile(hundred, 50), 50);
        assert.equal(percentile(hundred, 99), 99);
        assert.equal(percentile(hundred, 100), 100);
        assert.equal(percentile([7], 1), 7);
        assert.equal(percentile([1, 2], 99), 2);
        assert.equal(percentile([], 99), 0);
        assert.throws(() => percentile([1], 0), RangeError);
        assert.throws(() => percentile([1], 101), RangeError);
    });

    it("yields a measured value that enough values do not exceed", () => {
        const values = fc.array(fc.double({ noNaN: true, min: 0, max: 1e4 }), { minLength: 1 });
        fc.assert(
            fc.property(values, fc.integer({ min: 1, max: 100 }), (unsorted, percent) => {
                const sorted = unsorted.toSorted((a, b) => a - b);
                const found = percentile(sorted, percent);
                assert.ok(sorted.includes(found));
                const within = sorted.filter((value) => value <= found).length;
                assert.ok(within >= (percent / 100) * sorted.length - 1e-9);
            }),
        );
    });

    it("counts latency from the due time, per connection kind, over answered requests", () => {
        const kept: Partial<Sample> = { kind: "keptAlive" };
        const summary = summarize([
            sample(0, kept),
            sample(1),
            sample(2, { ...kept, start: 1_060, end: 1_061 }),
            failed(3, { end: 9_000 }),
        ]);
        assert.equal(summary.requests, 4);
        assert.equal(summary.failed, 1);
        assert.deepEqual(summary.latencyMs, { p50: 2, p99: 41, max: 41 });
        assert.deepEqual(summary.connections.keptAlive, {
            requests: 2,
            failed: 0,
            latencyMs: { p50: 2, p99: 41, max: 41 },
        });
        assert.equal(summary.connections.new.failed, 1);
        assert.equal(summary.connections.new.latencyMs.max, 2);
    });

    it("counts answers per release, and failures without a release apart", () => {
        const mixed = [sample(0), sample(1, { release: "2.0.0" }), sample(2), failed(3)];
        assert.deepEqual(summarize(mixed).requestsPerRelease, { "1.0.0": 2, "2.0.0": 1, none: 1 });
    });

    it("selects by due time, the end excluded", () => {
        const all = [0, 1, 2, 3].map((n) => sample(n));
        assert.deepEqual(
            dueBetween(all, 1_010, 1_030).map(({ n }) => n),
            [1, 2],
        );
    });

    it("groups failures by what happened and where", () => {
        const reset = { kind: "keptAlive" as const, reused: true, lastPod: "blue-1" };
        assert.deepEqual(
            explainFailures([
                sample(0),
                failed(1, { error: "ECONNREFUSED" }),
                failed(2, reset),
                failed(3, reset),
            ]),
            [
                "2 × ECONNRESET on a kept-alive connection (used before), pod blue-1",
                "1 × ECONNREFUSED on a new connection (first use)",
            ],
        );
    });
});

describe("prober queries", () => {
    const since = 1_105;
    const moved = (n: number) => sample(n, { release: "2.0.0" });

    /** Request 0–12 by the old release, 13–40 by the new one. */
    const clean = Array.from({ length: 41 }, (_, n) => (n <= 12 ? sample(n) : moved(n)));

    it("measures until the first answer after the last one of the old release", () => {
        assert.equal(movedAfter(clean, "2.0.0", since), 1_132 - since);
    });

    it("has not moved while the old release still answers now and then", () => {
        const flapping = clean.map((one) => (one.n === 25 ? sample(25) : one));
        assert.equal(movedAfter(flapping, "2.0.0", since), undefined);
        assert.equal(movedAfter(flapping, "2.0.0", since, 10), 1_262 - since);
    });

    it("does not take a failure for an answer of the new release", () => {
        const broken = clean.map((one) => (one.n === 20 ? failed(20) : one));
        assert.equal(movedAfter(broken, "2.0.0", since), 1_212 - since);
    });

    it("ignores kept-alive connections, which stay on the old pods", () => {
        const kept = Array.from({ length: 40 }, (_, n) =>
            sample(n, { kind: "keptAlive" as ConnectionKind }),
        );
        assert.equal(movedAfter([...kept, ...clean], "2.0.0", since), 1_132 - since);
    });

    it("needs enough answers, and is never negative", () => {
        assert.equal(movedAfter(clean.slice(0, 20), "2.0.0", since), undefined);
        assert.equal(movedAfter(clean, "2.0.0", 1_400, 1), 2);
        assert.equal(movedAfter([], "2.0.0", since), undefined);
    });

    it("names the releases seen since a time, failures as none", () => {
        assert.deepEqual(releasesSince(clean, "new", 1_130), new Set(["2.0.0"]));
        assert.deepEqual(releasesSince(clean, "new", 1_120), new Set(["1.0.0", "2.0.0"]));
        assert.deepEqual(releasesSince([failed(0)], "new", 0), new Set(["none"]));
        assert.deepEqual(releasesSince(clean, "keptAlive", 0), new Set());
    });

    it("finds the first answer by its arrival", () => {
        const slow = sample(13, { release: "2.0.0", end: 5_000 });
        const found = firstAnswer([...clean.slice(0, 13), slow, moved(14)], "2.0.0", since);
        assert.equal(found?.n, 14);
        assert.equal(firstAnswer(clean, "3.0.0", 0), undefined);
    });
});

describe("prober settings", () => {
    it("accepts loopback and the hosts that the sandbox handed over", () => {
        for (const url of ["http://127.0.0.1:30999", "http://127.9.9.9/", "http://[::1]:80/"]) {
            assert.ok(assertTarget({ url }));
        }
        assert.ok(assertTarget({ url: "http://localhost:1/" }));
        assert.ok(assertTarget({ url: "http://10.200.0.5/", allowHosts: ["10.200.0.5"] }));
        assert.ok(assertTarget({ url: "http://api.example.com/", allowAnyHost: true }));
    });

    it("refuses any other target, naming it", () => {
        assert.throws(
            () => assertTarget({ url: "http://example.com/" }),
            /url: example.com is neither loopback nor an address of the sandbox; .*--context/,
        );
        assert.throws(() => assertTarget({ url: "http://127.0.0.1.example.com/" }), /neither/);
        assert.throws(() => assertTarget({ url: "http://10.200.0.6/", allowHosts: ["10.0.0.1"] }));
        assert.throws(() => assertTarget({ url: "https://127.0.0.1/" }), /expected protocol http/);
        assert.throws(() => assertTarget({ url: "30999" }), /expected an absolute http URL/);
    });

    it("fills in the defaults and bounds rate, time and connections", () => {
        const url = "http://127.0.0.1:30999";
        assert.deepEqual(resolveSettings({ url }), {
            url: `${url}/`,
            rate: 200,
            maxSeconds: 900,
            timeoutMs: 5_000,
            keptAliveConnections: 10,
            file: undefined,
        });
        assert.throws(() => resolveSettings({ url, rate: 1_001 }), /rate: .* 1 to 1000, got 1001/);
        assert.throws(() => resolveSettings({ url, rate: Number.NaN }), /rate: .*got NaN/);
        assert.throws(() => resolveSettings({ url, maxSeconds: 0 }), /maxSeconds/);
        assert.throws(() => resolveSettings({ url, keptAliveConnections: 101 }), /keptAlive/);
    });
});
