import { setTimeout as sleep } from "node:timers/promises";
import {
    ConnectionKind,
    dueBetween,
    movedAfter,
    now,
    ofKind,
    type Prober,
    releasesSince,
    startProber,
} from "../prober";
import type { Progress, Say } from "../progress";
import { describeChange } from "./changes";
import { abortable } from "./cleanup";
import { deploymentsReady, type NamedCluster } from "./cluster";
import { PhaseName, type PhaseRecord, type Recording } from "./recording";
import { type RouteWatch, watchRoutes } from "./route-watch";
import type { DemoStack, Run } from "./stack";
import { describeLoad, showLoad } from "./terminal";

/** One alone says nothing about noise: the figure is the median of so many. */
const NO_OP_RUNS = 3;
/** Steady load before the first phase, between phases, and after the last one. */
const BASELINE_MS = 3_000;
const PAUSE_MS = 2_000;
const LAST_LOOK_MS = 10_000;
/** A healthy Service answers within moments of `up`; a cluster of one's own may need a load balancer. */
const FIRST_ANSWER_MS = 60_000;
/** Far above the second that is claimed: a late move is then reported with its figure. */
const MOVED_DEADLINE_MS = 15_000;
/** The sample API closes kept-alive connections after 30 s. */
const KEPT_ALIVE_DEADLINE_MS = 40_000;
/** The demo takes two minutes; ten are the bound for a slow machine. */
const LOAD_MAX_SECONDS = 600;

/** What the story plays on. */
export interface Stage {
    cluster: NamedCluster;
    stack: DemoStack;
    /** Namespace of the public Service. */
    namespace: string;
    /** Where the load goes; from the stack's output unless given. */
    url: string | undefined;
    allowAnyHost: boolean;
    /** Config that makes `release` known and puts it on green. */
    greenConfig: Record<string, string>;
    progress: Progress;
    signal: AbortSignal;
    /** Prints lines between steps. */
    print: (text: string) => void;
}

/**
 * Plays the demo: deploy, then under load green, no-op, preview, switch and back. Fills `recording`
 * as it goes, so that a run that breaks off still shows how far it came.
 */
export async function play(stage: Stage, recording: Recording): Promise<void> {
    const deployed = await stage.progress.step("deploy 1 of 2: blue, and the database", () =>
        stage.stack.up(),
    );
    record(recording, PhaseName.deploy, deployed);
    const url = stage.url ?? String((await stage.stack.outputs()).url?.value);
    await waitForAnswer(stage, url);
    const watch = await watchRoutes(stage.cluster.client, stage.namespace);
    try {
        const prober = await startProber({
            url,
            rate: recording.rate,
            maxSeconds: LOAD_MAX_SECONDS,
            allowAnyHost: stage.allowAnyHost,
        });
        try {
            await playUnderLoad(stage, recording, { prober, watch });
        } finally {
            recording.samples = await prober.stop();
        }
    } finally {
        watch.stop();
    }
}

interface Instruments {
    prober: Prober;
    watch: RouteWatch;
}

async function playUnderLoad(
    stage: Stage,
    recording: Recording,
    instruments: Instruments,
): Promise<void> {
    const { stack, signal } = stage;
    const { prober } = instruments;
    const { blue, green } = recording.releases;
    const step = <T>(title: string, work: (say: Say) => Promise<T>) =>
        stage.progress.step(title, async (say) => {
            const hide = showLoad(prober, say);
            try {
                return await work(say);
            } finally {
                hide();
            }
        });
    const pause = (milliseconds: number) => sleep(milliseconds, undefined, { signal });

    await step(`load: ${recording.rate} requests per second`, async () => pause(BASELINE_MS));

    await step(`green: bring ${green} up beside ${blue}`, async () => {
        await stack.configure(stage.greenConfig);
        record(recording, PhaseName.green, await stack.up(), instruments);
    });
    // `up` does not wait for an idle color, and a switch to one that is not ready is not a warm one.
    await step(`green: pods of ${green} get ready`, () =>
        deploymentsReady(stage.cluster, stage.namespace, signal),
    );

    await pause(PAUSE_MS);
    // Here, so that it is a no-op of the very stack that the switch is an update of.
    await step("no-op: pulumi up without a change", async () => {
        const runs: Run[] = [];
        while (runs.length < NO_OP_RUNS) runs.push(await stack.up());
        record(recording, PhaseName.noOp, combine(runs)).runs = runs.map(({ seconds }) => seconds);
    });

    await pause(PAUSE_MS);
    const preview = await step("preview: what activeColor: green would change", async () => {
        await stack.configure({ "cutover:activeColor": "green" });
        const run = await stack.preview();
        record(recording, PhaseName.preview, run, instruments);
        return run;
    });
    for (const change of preview.changes) stage.print(`  ${describeChange(change)}`);

    await pause(PAUSE_MS);
    await step(`switch: pulumi up, traffic to ${green}`, async () => {
        const phase = record(recording, PhaseName.switch, await stack.up(), instruments);
        await settle(phase, instruments, green);
    });
    await step("kept-alive connections follow as they reach their age", async () => {
        await keptAliveMoved(instruments, green, signal);
    });

    await step(`back: activeColor: blue, traffic to ${blue}`, async () => {
        await stack.configure({ "cutover:activeColor": "blue" });
        const phase = record(recording, PhaseName.back, await stack.up(), instruments);
        await settle(phase, instruments, blue);
    });
    await step("a last look", async (say) => {
        await pause(LAST_LOOK_MS);
        say(describeLoad(prober.samples));
    });
}

/** Keeps what a run showed, with the route's change that the cluster announced during it. */
function record(
    recording: Recording,
    name: PhaseName,
    run: Run,
    instruments?: Instruments,
): PhaseRecord {
    const phase: PhaseRecord = {
        name,
        from: run.from,
        to: run.to,
        seconds: run.seconds,
        changes: run.changes,
        routeChange: instruments?.watch.changes.find(({ at }) => at >= run.from && at <= run.to),
    };
    recording.phases.push(phase);
    return phase;
}

/** One record for several runs: the median time, and every change that any of them made. */
function combine(runs: readonly Run[]): Run {
    const bySeconds = runs.toSorted((a, b) => a.seconds - b.seconds);
    const median = bySeconds[Math.floor(runs.length / 2)];
    const [first] = runs;
    const last = runs.at(-1);
    if (!median || !first || !last) throw new RangeError("no runs to combine");
    return {
        from: first.from,
        to: last.to,
        seconds: median.seconds,
        changes: runs.flatMap(({ changes }) => changes),
        stdout: last.stdout,
    };
}

/** Waits until new connections have moved; a phase whose traffic never moves keeps no figure. */
async function settle(phase: PhaseRecord, { prober }: Instruments, release: string): Promise<void> {
    const change = phase.routeChange;
    if (!change) return;
    const deadline = now() + MOVED_DEADLINE_MS;
    const moved = await prober.until(`traffic on ${release}`, MOVED_DEADLINE_MS * 2, (samples) => {
        const after = movedAfter(dueBetween(samples, phase.from, Infinity), release, change.at);
        return after ?? (now() > deadline ? null : undefined);
    });
    if (moved !== null) phase.trafficMovedSeconds = moved / 1_000;
}

/** Not a claim of the demo, but worth seeing: old connections stay on old pods until they close. */
async function keptAliveMoved(
    { prober }: Instruments,
    release: string,
    signal: AbortSignal,
): Promise<void> {
    const deadline = now() + KEPT_ALIVE_DEADLINE_MS;
    while (now() < deadline) {
        await sleep(1_000, undefined, { signal });
        const latest = ofKind(prober.samples, ConnectionKind.keptAlive);
        const seen = releasesSince(latest, ConnectionKind.keptAlive, now() - 2_000);
        if (seen.size === 1 && seen.has(release)) return;
    }
}

/** One slow prober until the first answer: the load proper starts at a Service that works. */
async function waitForAnswer(stage: Stage, url: string): Promise<void> {
    await stage.progress.step(`first answer from ${url}`, async () => {
        const scout = await startProber({
            url,
            rate: 10,
            maxSeconds: FIRST_ANSWER_MS / 1_000,
            allowAnyHost: stage.allowAnyHost,
        });
        try {
            await abortable(
                stage.signal,
                scout.until(`an answer from ${url}`, FIRST_ANSWER_MS, (samples) =>
                    samples.find((sample) => sample.ok),
                ),
            );
        } finally {
            await scout.stop();
        }
    });
}
