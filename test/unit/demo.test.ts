import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { Sample } from "../../scripts/prober";
import { renderPage } from "../../scripts/report";
import {
    type Change,
    changeOf,
    describeChange,
    movesOnlyTheRoute,
} from "../../scripts/demo/changes";
import { complaintsOf } from "../../scripts/demo/checks";
import { abortable, Cleanup } from "../../scripts/demo/cleanup";
import { explainKept } from "../../scripts/demo/keep";
import { parseOptions } from "../../scripts/demo/options";
import {
    type PhaseName,
    type PhaseRecord,
    type Recording,
    toResult,
} from "../../scripts/demo/recording";
import { toReport } from "../../scripts/demo/report";
import { createScratch } from "../../scripts/demo/scratch";
import { describeLoad, renderResult } from "../../scripts/demo/terminal";

const SELECTOR: Change = {
    op: "update",
    type: "kubernetes:core/v1:Service",
    name: "flask-api",
    fields: [{ path: "spec.selector.deployment", from: "blue", to: "green" }],
};
const DEPLOYMENT: Change = {
    op: "create",
    type: "kubernetes:apps/v1:Deployment",
    name: "flask-api-green",
    fields: [],
};

/** Phase `i` of the six lasts from second 10 × i to 10 × i + 2 after the epoch. */
function phase(i: number, name: PhaseName, overrides: Partial<PhaseRecord> = {}): PhaseRecord {
    const from = i * 10_000;
    return { name, from, to: from + 2_000, seconds: 2, changes: [], ...overrides };
}

/** A run that did all it claims: the route moves 1 s into `switch` and into `back`. */
function goodRun(): Recording {
    const moved = (at: number, color: string) => ({
        changes: [SELECTOR],
        routeChange: { at, service: "flask-api-bg", selector: { deployment: color } },
        trafficMovedSeconds: 0.05,
    });
    const samples = Array.from({ length: 1_200 }, (_, n): Sample => {
        const due = 10_000 + n * 50;
        const green = due >= 51_000 && due < 61_000;
        return {
            n,
            kind: n % 2 === 0 ? "keptAlive" : "new",
            due,
            start: due,
            end: due + 2,
            ok: true,
            status: 200,
            reused: false,
            release: green ? "2.0.0" : "1.0.0",
            color: green ? "green" : "blue",
        };
    });
    return {
        engine: { kind: "stand-in", version: "3.248.0" },
        kubernetes: "v1.34.4",
        rate: 20,
        releases: { blue: "1.0.0", green: "2.0.0" },
        phases: [
            phase(0, "deploy", { changes: [DEPLOYMENT] }),
            phase(1, "green", { changes: [DEPLOYMENT] }),
            phase(2, "no-op", { runs: [2.5, 2, 1.9] }),
            phase(3, "preview", { changes: [SELECTOR] }),
            phase(5, "switch", { ...moved(51_000, "green"), seconds: 2.2 }),
            phase(6, "back", moved(61_000, "blue")),
        ],
        samples,
    };
}

/** The run with one phase changed. */
function withPhase(name: PhaseName, overrides: Partial<PhaseRecord>): Recording {
    const run = goodRun();
    const phases = run.phases.map((one) => (one.name === name ? { ...one, ...overrides } : one));
    return { ...run, phases };
}

function withSamples(change: (sample: Sample) => Partial<Sample> | undefined): Recording {
    const run = goodRun();
    return { ...run, samples: run.samples.map((one) => ({ ...one, ...change(one) })) };
}

describe("demo checks", () => {
    it("has no complaint about a run that did all it claims", () => {
        assert.deepEqual(complaintsOf(goodRun()), []);
    });

    const broken: Record<string, [Recording, RegExp]> = {
        "a deploy that made nothing": [withPhase("deploy", { changes: [] }), /deploy: created/],
        "a no-op that changed something": [
            withPhase("no-op", { changes: [DEPLOYMENT] }),
            /no-op: changed something: \+ Deployment flask-api-green/,
        ],
        "a green that did not come": [
            withPhase("green", { changes: [] }),
            /green: changed nothing/,
        ],
        "a green that took traffic": [
            withSamples(({ due }) => (due > 10_100 && due < 10_200 ? { release: "2.0.0" } : {})),
            /green: 1 requests left 1\.0\.0/,
        ],
        "a preview that does not show the selector": [
            withPhase("preview", { changes: [DEPLOYMENT] }),
            /preview: did not show the change of the selector/,
        ],
        "a preview that moved the route": [
            withPhase("preview", { routeChange: { at: 30_500, service: "a", selector: {} } }),
            /preview: the route changed/,
        ],
        "a switch that changed more than the route": [
            withPhase("switch", { changes: [SELECTOR, DEPLOYMENT] }),
            /switch: expected one changed selector and nothing else, got ~ Service .*; \+ Deploy/,
        ],
        "a switch that the cluster did not see": [
            withPhase("switch", { routeChange: undefined }),
            /switch: no Service changed its selector/,
        ],
        "a switch whose traffic never moved": [
            withPhase("switch", { trafficMovedSeconds: undefined }),
            /switch: new connections did not all reach 2\.0\.0/,
        ],
        "a switch that was slow to arrive": [
            withPhase("switch", { trafficMovedSeconds: 1.2 }),
            /switch: new connections reached 2\.0\.0 1\.20 s after .*expected at most 1 s/,
        ],
        "a switch that did not hold": [
            withSamples(({ due }) => (due === 56_050 ? { release: "1.0.0" } : {})),
            /switch: 1 new connections came back to another release/,
        ],
        "a way back that did not hold": [
            withSamples(({ due }) => (due > 69_900 ? { release: "2.0.0" } : {})),
            /back: \d new connections came back to another release/,
        ],
        "a failed request": [
            withSamples(({ n }) => (n === 7 ? { ok: false, error: "ECONNRESET" } : {})),
            /failed: 1 × ECONNRESET on a new connection/,
        ],
        "a run without load": [{ ...goodRun(), samples: [] }, /no request was sent/],
        "a run that broke off": [{ ...goodRun(), error: "pulumi up failed" }, /^pulumi up failed$/],
        "a phase left out": [
            { ...goodRun(), phases: goodRun().phases.slice(0, 5) },
            /back: did not take place/,
        ],
    };
    for (const [what, [recording, complaint]] of Object.entries(broken)) {
        it(`complains about ${what}`, () => {
            const complaints = complaintsOf(recording);
            assert.ok(
                complaints.some((one) => complaint.test(one)),
                `got ${JSON.stringify(complaints)}`,
            );
        });
    }

    it("lets kept-alive connections stay on the old release", () => {
        const run = withSamples(({ kind, due }) =>
            kind === "keptAlive" && due >= 51_000 ? { release: "1.0.0" } : {},
        );
        assert.deepEqual(complaintsOf(run), []);
    });
});

describe("demo result", () => {
    it("has the figures of the run, of each connection kind and of each phase", () => {
        const result = toResult(goodRun(), []);
        assert.equal(result.passed, true);
        assert.equal(result.engine, "stand-in");
        assert.equal(result.engineVersion, "3.248.0");
        assert.equal(result.kubernetes, "v1.34.4");
        assert.equal(result.requests, 1_200);
        assert.equal(result.failed, 0);
        assert.deepEqual(result.latencyMs, { p50: 2, p99: 2, max: 2 });
        assert.equal(result.connections.new.requests, 600);
        assert.equal(result.connections.keptAlive.requests, 600);
        assert.deepEqual(result.requestsPerRelease, { "1.0.0": 1_000, "2.0.0": 200 });
        assert.equal(result.switchToNoOpRatio, 1.1);
        assert.equal(result.backToNoOpRatio, 1);
        assert.deepEqual(
            result.phases.map(({ name }) => name),
            ["deploy", "green", "no-op", "preview", "switch", "back"],
        );
        const [deploy, , noOp, , moved] = result.phases;
        assert.deepEqual(noOp?.runs, [2.5, 2, 1.9]);
        assert.equal(deploy?.requests, 0, "the load starts when something answers");
        assert.deepEqual(
            [moved?.seconds, moved?.trafficMovedSeconds, moved?.requests],
            [2.2, 0.05, 40],
        );
    });

    it("has no ratio where a run ended before the phase", () => {
        const run = goodRun();
        run.phases = run.phases.filter(({ name }) => name !== "back");
        const result = toResult(run, []);
        assert.equal(result.switchToNoOpRatio, 1.1);
        assert.equal(result.backToNoOpRatio, undefined);
        assert.doesNotMatch(renderResult(result), /back ÷/);
    });

    it("is not passed with a complaint, and says so on the terminal and on the page", () => {
        const result = toResult(goodRun(), ["switch: went wrong"]);
        assert.equal(result.passed, false);
        assert.match(renderResult(result), /✗ switch: went wrong/);
        assert.doesNotMatch(renderResult(result), /✓/);
        const page = renderPage(toReport(goodRun(), result));
        assert.match(page, /badge failed/);
        assert.match(page, /<td>switch: went wrong<\/td>/);
    });

    it("shows a short table with every phase and connection kind", () => {
        const text = renderResult(toResult(goodRun(), []));
        for (const name of [
            "deploy",
            "no-op",
            "green",
            "preview",
            "switch",
            "back",
            "kept-alive",
        ]) {
            assert.ok(text.includes(name), name);
        }
        assert.match(text, /switch ÷ no-op = 1\.10, back ÷ no-op = 1\.00/);
        assert.match(text, /none of 1,200 requests failed/);
        assert.ok(text.split("\n").length < 30);
    });

    it("marks the route's changes in the report", () => {
        const report = toReport(goodRun(), toResult(goodRun(), []));
        assert.deepEqual(report.marks, [
            { at: 51_000, label: "route → green" },
            { at: 61_000, label: "route → blue" },
        ]);
    });

    it("describes the load by the latest requests of each kind", () => {
        const { samples } = goodRun();
        assert.equal(
            describeLoad([]),
            "0 requests, 0 failed; new connections: nothing yet; kept-alive: nothing yet",
        );
        assert.equal(
            describeLoad(samples.slice(0, 920)),
            "920 requests, 0 failed; new connections: 1.0.0 50 %, 2.0.0 50 %; " +
                "kept-alive: 1.0.0 50 %, 2.0.0 50 %",
        );
    });
});

describe("demo changes", () => {
    const event = (op: string, type: string, extra: object = {}) =>
        ({
            resourcePreEvent: {
                metadata: { op, type, urn: `urn:pulumi:dev::cutover::${type}::the-name`, ...extra },
            },
        }) as unknown as EngineEvent;

    it("reads an update with its fields before and after", () => {
        const change = changeOf(
            event("update", "kubernetes:core/v1:Service", {
                detailedDiff: { "spec.selector.deployment": {}, 'metadata.labels["a.b/c"]': {} },
                old: { inputs: { spec: { selector: { deployment: "blue" } } } },
                new: {
                    inputs: {
                        spec: { selector: { deployment: "green" } },
                        metadata: { labels: { "a.b/c": "d" } },
                    },
                },
            }),
        );
        assert.equal(
            describeChange(change!),
            '~ Service the-name: spec.selector.deployment "blue" → "green", ' +
                'metadata.labels["a.b/c"] (none) → "d"',
        );
    });

    it("leaves out what stays, reads, and components such as the stack itself", () => {
        const component = { new: { custom: false } };
        assert.equal(changeOf(event("same", "kubernetes:core/v1:Service")), undefined);
        assert.equal(changeOf(event("read", "pulumi:pulumi:StackReference")), undefined);
        assert.equal(changeOf(event("update", "cutover:index:BlueGreen", component)), undefined);
        assert.equal(changeOf(event("delete", "a:b:C", { old: { custom: false } })), undefined);
        assert.ok(changeOf(event("update", "a:b:C", { new: { custom: true } })));
        assert.equal(changeOf({} as EngineEvent), undefined);
    });

    it("names creations, deletions and replacements", () => {
        const describe = (op: string) => describeChange(changeOf(event(op, "a:b:Pod"))!);
        assert.equal(describe("create"), "+ Pod the-name");
        assert.equal(describe("delete"), "- Pod the-name");
        assert.equal(describe("replace"), "[replace] Pod the-name");
    });

    it("takes only a lone change of a Service's selector for a moved route", () => {
        assert.equal(movesOnlyTheRoute([SELECTOR]), true);
        assert.equal(movesOnlyTheRoute([]), false);
        assert.equal(movesOnlyTheRoute([SELECTOR, DEPLOYMENT]), false);
        assert.equal(movesOnlyTheRoute([{ ...SELECTOR, op: "replace" }]), false);
        const port = [{ path: "spec.ports[0].port", from: 1, to: 2 }];
        assert.equal(movesOnlyTheRoute([{ ...SELECTOR, fields: port }]), false);
    });
});

describe("demo options", () => {
    const own = {
        context: "mine",
        imageBlue: "r/a:1",
        imageGreen: "r/a:2",
        url: "http://10.0.0.1",
    };

    it("defaults to the sandbox at 200 requests per second", () => {
        assert.deepEqual(parseOptions({}), {
            keep: false,
            json: false,
            rate: 200,
            out: "out",
            own: undefined,
        });
    });

    it("takes a cluster of one's own with its images and address", () => {
        assert.deepEqual(parseOptions({ ...own, releaseGreen: "2.1.0" }).own, {
            context: "mine",
            blue: { release: "1.0.0", image: "r/a:1" },
            green: { release: "2.1.0", image: "r/a:2" },
            url: "http://10.0.0.1",
        });
    });

    it("refuses half an own cluster, and its flags without one", () => {
        assert.throws(() => parseOptions({ ...own, imageGreen: undefined }), /--context needs/);
        assert.throws(() => parseOptions({ ...own, url: undefined }), /--url/);
        assert.throws(
            () => parseOptions({ imageBlue: "a", url: "b" }),
            /--image-blue, --url: only with --context/,
        );
    });

    it("refuses a rate that is no number or out of bounds", () => {
        for (const rate of ["fast", "0", "9", "1001", "20.5", ""]) {
            assert.throws(() => parseOptions({ rate }), /--rate: expected a whole number/, rate);
        }
    });
});

describe("demo cleanup", () => {
    it("undoes in reverse order, goes on after a failure, and reports it", async () => {
        const cleanup = new Cleanup();
        const order: string[] = [];
        cleanup.add("first", async () => void order.push("first"));
        cleanup.add("second", () => Promise.reject(new Error("stuck")));
        cleanup.add("third", async () => void order.push("third"));
        assert.deepEqual(await cleanup.run(), ["second: stuck"]);
        assert.deepEqual(order, ["third", "first"]);
        assert.deepEqual(await cleanup.run(), [], "runs once");
    });

    it("stops waiting when it is told to", async () => {
        const controller = new AbortController();
        const waiting = abortable(controller.signal, new Promise(() => undefined));
        controller.abort(new Error("enough"));
        await assert.rejects(waiting, /enough/);
        await assert.rejects(abortable(controller.signal, Promise.resolve(1)), /enough/);
        assert.equal(await abortable(new AbortController().signal, Promise.resolve(1)), 1);
    });

    it("turns the first SIGINT into an abort and survives the following ones", async function () {
        this.timeout(20_000);
        const module = path.join(__dirname, "..", "..", "scripts", "demo", "cleanup");
        const program = `
            const { onInterrupt } = require(${JSON.stringify(module)});
            const interrupt = onInterrupt(() => console.log("again"));
            const alive = setInterval(() => {}, 1000);
            interrupt.signal.addEventListener("abort", () => {
                console.log(interrupt.signal.reason.message, interrupt.signal.reason.code);
                setTimeout(() => { clearInterval(alive); interrupt.dispose(); }, 500);
            });
            console.log("ready");`;
        const child = spawn(process.execPath, ["-r", require.resolve("tsx/cjs"), "-e", program]);
        let output = "";
        let sent = 0;
        child.stdout.on("data", (chunk: Buffer) => {
            output += chunk.toString();
            if (output.includes("ready") && sent === 0) sent += Number(child.kill("SIGINT"));
            if (output.includes("interrupted") && sent === 1) sent += Number(child.kill("SIGTERM"));
        });
        const code = await new Promise((resolve) => child.once("close", resolve));
        assert.equal(output, "ready\ninterrupted by SIGINT 130\nagain\n");
        assert.equal(code, 0);
    });
});

describe("demo scratch folder", () => {
    it("copies the config, links the rest, and never writes to the checkout", async () => {
        const root = await mkdtemp(path.join(tmpdir(), "checkout-"));
        await mkdir(path.join(root, "components"));
        await mkdir(path.join(root, ".git"));
        for (const file of ["Pulumi.yaml", "Pulumi.dev.yaml", "index.ts", "PulumiPlugin.yaml"]) {
            await writeFile(path.join(root, file), file);
        }
        const scratch = await createScratch(root, "/kube/config");
        const at = (name: string) => path.join(scratch.folder, name);

        await writeFile(at("Pulumi.dev.yaml"), "changed");
        assert.equal(await readFile(path.join(root, "Pulumi.dev.yaml"), "utf8"), "Pulumi.dev.yaml");
        assert.equal(readlinkSync(at("index.ts")), path.join(root, "index.ts"));
        assert.equal(readlinkSync(at("components")), path.join(root, "components"));
        assert.ok(!existsSync(at(".git")));
        assert.equal(scratch.env.KUBECONFIG, "/kube/config");
        assert.equal(scratch.env.PULUMI_BACKEND_URL, `file://${at(".pulumi-state")}`);
        assert.ok(scratch.env.PULUMI_CONFIG_PASSPHRASE!.length >= 20);
        const other = await createScratch(root, "/kube/config");
        assert.notEqual(other.env.PULUMI_CONFIG_PASSPHRASE, scratch.env.PULUMI_CONFIG_PASSPHRASE);

        await Promise.all([scratch.remove(), other.remove()]);
        assert.ok(!existsSync(scratch.folder));
        assert.ok(existsSync(path.join(root, "components")), "removal does not follow links");
        await rm(root, { recursive: true });
    });

    it("is explained without the passphrase, which is in a file for its owner alone", async () => {
        const folder = await mkdtemp(path.join(tmpdir(), "it's kept-"));
        const text = await explainKept({
            scratch: {
                folder,
                env: { PULUMI_CONFIG_PASSPHRASE: "s3cret", KUBECONFIG: "/k" },
                remove: async () => undefined,
            },
            root: "/opt/cutover",
            binDir: "/opt/cutover/sandbox/engine/bin",
            stack: "dev",
            url: "http://127.0.0.1:30999",
            sandboxStarted: true,
            namespace: "endpoint-stats",
        });
        assert.doesNotMatch(text, /s3cret/);
        assert.match(text, /\/opt\/cutover\/bin\/cutover sandbox down/);
        const file = path.join(folder, "env.sh");
        assert.equal((await stat(file)).mode & 0o777, 0o600);
        const shell = spawn("sh", [
            "-ec",
            `. '${file.replaceAll("'", `'\\''`)}'; echo "$PULUMI_CONFIG_PASSPHRASE|$(pwd)|$PATH"`,
        ]);
        let said = "";
        shell.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
        await new Promise((resolve) => shell.once("close", resolve));
        const [passphrase, pwd, search] = said.trim().split("|");
        assert.deepEqual([passphrase, pwd], ["s3cret", folder]);
        assert.ok(search!.startsWith("/opt/cutover/sandbox/engine/bin:"));
        await rm(folder, { recursive: true });
    });
});
