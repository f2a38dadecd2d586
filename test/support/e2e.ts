import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api } from "@kubernetes/client-node";
import { API_IMAGES, type ApiImage, loadImages, POSTGRES_IMAGE } from "../../sandbox/images";
import { connect, deleteNamespace, type NamedCluster } from "../../scripts/demo/cluster";
import { createScratch, type Scratch } from "../../scripts/demo/scratch";
import { type DemoStack, openStack, type Run } from "../../scripts/demo/stack";
import { resolveEngine } from "../../scripts/engine";
import {
    dueBetween,
    explainFailures,
    latencyFigures,
    now,
    type Prober,
    type Sample,
    startProber,
} from "../../scripts/prober";
import { silentProgress } from "../../scripts/progress";
import type { Cluster } from "./cluster";

export const ROOT = path.join(__dirname, "..", "..");

/** Each transition is watched by at least so many requests, 200 a second. */
export const REQUESTS_PER_TRANSITION = Number(process.env.CUTOVER_E2E_REQUESTS ?? 1_000);
/** How long that takes: 5 ms for each. */
export const LOAD_MS = 5 * REQUESTS_PER_TRANSITION;
/** Pods that end have a preStop sleep of 10 s and a grace of 30 s. */
const SETTLE_DEADLINE_MS = 90_000;
const FIRST_ANSWER_MS = 30_000;

/** One line of `out/e2e.json`. */
export interface TransitionRow {
    kind: "transition";
    name: string;
    requests: number;
    failed: number;
    /** p99 during the transition ÷ p99 during no-op updates of the same run. */
    p99Ratio: number;
    /** Wall time of the engine's process. */
    seconds: number;
}

/**
 * Several stacks share a node of 2 CPUs, and what their pods request is set aside whether they use it
 * or not. With the documents' 100m each, the fourth stack's pods would wait for room.
 */
const SMALL_REQUESTS = { memory: "64Mi", cpu: "25m", "ephemeral-storage": "64Mi" };

const rows: object[] = [];

/**
 * Adds a row to `out/e2e.json`, which holds those of the present run: of this mocha process, or of all
 * that the runner starts, which collects them in the file `CUTOVER_E2E_ROWS`.
 */
export function addRow(row: { kind: string; name: string }): void {
    const shared = process.env.CUTOVER_E2E_ROWS;
    if (shared) return appendFileSync(shared, JSON.stringify(row) + "\n");
    rows.push(row);
    mkdirSync(path.join(ROOT, "out"), { recursive: true });
    writeFileSync(path.join(ROOT, "out", "e2e.json"), JSON.stringify(rows, undefined, 2) + "\n");
}

/** The program on the cluster, in a scratch folder and a namespace of its own. */
export interface TestStack {
    cluster: NamedCluster;
    stack: DemoStack;
    scratch: Scratch;
    namespace: string;
    /** Where this machine reaches the public Service. */
    url: string;
    /** Destroys the stack and removes namespace, volume and scratch folder. */
    destroy(): Promise<void>;
}

export interface TestStackOptions {
    /** Also the namespace. */
    name: string;
    /** Its public Service's; each stack needs another. */
    nodePort: number;
    /**
     * Config on top of `Pulumi.dev.yaml` and of small requests; keys as in `pulumi config set --path`.
     */
    config?: Record<string, string>;
}

/**
 * A stack of the project's own program, configured but not yet deployed. Left-overs of an earlier run
 * that was killed are removed first.
 */
export async function openTestStack(
    shared: Cluster,
    { name, nodePort, config }: TestStackOptions,
): Promise<TestStack> {
    if (shared.sandbox) await loadImages(shared.sandbox, silentProgress);
    const own = shared.sandbox === undefined;
    const cluster = await connect(shared.context, own ? undefined : shared.kubeconfig);
    await deleteNamespace(cluster, name);
    const engine = await resolveEngine();
    const scratch = await createScratch(ROOT, shared.kubeconfig);
    const stack = await openStack(scratch, "dev", engine.command);
    await stack.configure({
        "kubernetes:context": shared.context,
        "cutover:namespace": name,
        "cutover:nodePort": String(nodePort),
        'cutover:releases["1.0.0"].image': apiImage("1.0.0"),
        "cutover:database.image": image(POSTGRES_IMAGE),
        ...requests("cutover:api"),
        ...requests("cutover:database"),
        ...config,
    });
    return {
        cluster,
        stack,
        scratch,
        namespace: name,
        url: `http://${process.env.CUTOVER_E2E_HOST ?? "127.0.0.1"}:${nodePort}`,
        destroy: async () => {
            try {
                await stack.destroy();
            } finally {
                await deleteNamespace(cluster, name);
                await scratch.remove();
            }
        },
    };
}

/** Config that replaces the requests of what `key` configures, which are one map. */
function requests(key: string): Record<string, string> {
    const entries = Object.entries(SMALL_REQUESTS);
    return Object.fromEntries(
        entries.map(([name, value]) => [`${key}.resources.requests["${name}"]`, value]),
    );
}

/** The sample API's image of a release, as the cluster under test pulls it. */
export function apiImage(release: ApiImage): string {
    return image(API_IMAGES[release]);
}

/** On a cluster of one's own the images come from the registry `CUTOVER_E2E_REGISTRY`. */
function image(reference: string): string {
    const registry = process.env.CUTOVER_E2E_REGISTRY;
    return registry ? reference.replace(/^cutover\.local/, registry) : reference;
}

/** What a transition showed. */
export interface Transition {
    /** What the work returned. */
    run: Run;
    /** All requests that were due from its start until everything had settled. */
    samples: Sample[];
    row: TransitionRow;
}

/** Load on a stack, and transitions under it. */
export class LoadedStack {
    private baselineP99 = 0;

    private constructor(
        readonly prober: Prober,
        private readonly target: TestStack,
    ) {}

    /** Starts the load once the Service answers; stop it with {@link stop}. */
    static async start(target: TestStack): Promise<LoadedStack> {
        const { url } = target;
        const allowAnyHost = process.env.CUTOVER_E2E_HOST !== undefined;
        const scout = await startProber({ url, rate: 10, maxSeconds: 60, allowAnyHost });
        await scout
            .until(`an answer from ${url}`, FIRST_ANSWER_MS, (all) => all.find(({ ok }) => ok))
            .finally(() => scout.stop());
        const prober = await startProber({ url, maxSeconds: 3_600, allowAnyHost });
        return new LoadedStack(prober, target);
    }

    /** No-op updates: what the latency of every later transition is compared with. */
    async baseline(): Promise<Transition> {
        this.baselineP99 = 0;
        return this.transition("no-op", async () => {
            const runs = [await this.target.stack.up(), await this.target.stack.up()];
            const changes = runs.flatMap((run) => run.changes);
            const [first, second] = runs as [Run, Run];
            return { ...second, from: first.from, changes };
        });
    }

    /**
     * Does `work` under load and goes on until pods have settled and enough requests were sent. Every
     * single failure is an assertion error that says what happened to which request.
     */
    async transition(name: string, work: () => Promise<Run>): Promise<Transition> {
        const from = now();
        const run = await work();
        await this.settle();
        const samples = await this.prober.until(
            `requests during ${name}`,
            60_000 + LOAD_MS,
            (all) => {
                const window = dueBetween(all, from, Infinity);
                return window.length >= REQUESTS_PER_TRANSITION ? window : undefined;
            },
        );
        const { p99 } = latencyFigures(samples);
        if (this.baselineP99 === 0) this.baselineP99 = p99;
        const failed = samples.filter(({ ok }) => !ok);
        const row: TransitionRow = {
            kind: "transition",
            name,
            requests: samples.length,
            failed: failed.length,
            p99Ratio: Math.round((p99 / this.baselineP99) * 100) / 100,
            seconds: Math.round(run.seconds * 1_000) / 1_000,
        };
        addRow(row);
        if (failed.length > 0) keepEvidence(name, failed);
        assert.equal(failed.length, 0, `${name}:\n${explainFailures(samples).join("\n")}`);
        return { run, samples, row };
    }

    async stop(): Promise<void> {
        await this.prober.stop();
    }

    /** Waits until no pod is starting or ending: an ending pod is what loses requests. */
    private async settle(): Promise<void> {
        const { cluster, namespace } = this.target;
        const api = cluster.client.makeApiClient(CoreV1Api);
        const deadline = Date.now() + SETTLE_DEADLINE_MS;
        for (;;) {
            const { items } = await api.listNamespacedPod({ namespace });
            const moving = items.filter(
                ({ metadata, status }) =>
                    metadata?.deletionTimestamp !== undefined ||
                    !status?.conditions?.some((c) => c.type === "Ready" && c.status === "True"),
            );
            if (moving.length === 0) return;
            const names = moving.map(({ metadata }) => metadata?.name).join(", ");
            assert.ok(Date.now() < deadline, `pods did not settle within 90 s: ${names}`);
            await sleep(500);
        }
    }
}

/** The failed requests one by one, for whoever has to find out why. */
function keepEvidence(name: string, failed: readonly Sample[]): void {
    const file = path.join(ROOT, "out", `failed-${name.replace(/\W+/g, "-")}.jsonl`);
    writeFileSync(file, failed.map((sample) => JSON.stringify(sample) + "\n").join(""));
}
