/**
 * The prober's own process, started by `prober.ts`: sends requests on schedule and hands samples to
 * its parent. It does nothing else, so that the work it measures does not delay it.
 */
import { createWriteStream, writeFileSync, type WriteStream } from "node:fs";
import { constants, setPriority } from "node:os";
import { now } from "./clock";
import { createRequester } from "./requester";
import { countDue, dueAt, kindOf, type Schedule } from "./schedule";
import type { ResolvedSettings, Sample, WorkerMessage } from "./types";

/** Often enough for a live display, rare enough to cost nothing. */
const FLUSH_MS = 100;

function main(settings: ResolvedSettings): void {
    raisePriority();
    const requester = createRequester(settings);
    const file = settings.file ? createWriteStream(settings.file, { flags: "a" }) : undefined;
    // Starts on a whole millisecond a moment ahead, so that request 0 is not late already.
    const schedule: Schedule = {
        startedAt: Math.ceil(now()) + 20,
        rate: settings.rate,
        total: Math.round(settings.rate * settings.maxSeconds),
    };
    const pending = new Set<Promise<void>>();
    let finished: Sample[] = [];
    let started = 0;
    let timer: NodeJS.Timeout | undefined;
    let stopping = false;

    const flush = () => {
        if (finished.length === 0) return;
        tell({ type: "samples", samples: finished });
        file?.write(finished.map((sample) => JSON.stringify(sample) + "\n").join(""));
        finished = [];
    };
    const flushing = setInterval(flush, FLUSH_MS);

    const tick = () => {
        // All that are due start at once, also those whose time has passed: none is dropped.
        for (const due = countDue(schedule, now()); started < due; started++) {
            const sent: Promise<void> = requester
                .send(started, kindOf(started), dueAt(schedule, started))
                .then((sample) => void finished.push(sample))
                .finally(() => pending.delete(sent));
            pending.add(sent);
        }
        if (started >= schedule.total) return void stop("bounds");
        timer = setTimeout(tick, Math.max(0, dueAt(schedule, started) - now()));
    };

    const stop = async (reason: "asked" | "bounds") => {
        if (stopping) return;
        stopping = true;
        clearTimeout(timer);
        // Each pending request ends by its own timeout at the latest, as a sample.
        await Promise.all(pending);
        clearInterval(flushing);
        flush();
        requester.close();
        await closed(file);
        await told({ type: "stopped", reason });
        if (process.connected) process.disconnect();
    };

    process.on("message", (message) => {
        if (message === "stop") void stop("asked");
    });
    // Ctrl-C in a terminal reaches the whole process group; the parent decides when to stop.
    process.on("SIGINT", () => undefined);
    process.on("disconnect", () => {
        if (!stopping) process.exit(0);
    });
    tell({ type: "started", at: schedule.startedAt });
    timer = setTimeout(tick, schedule.startedAt - now());
}

/**
 * Where it is allowed: on a busy machine an instrument that waits for its turn measures the queue.
 * Linux may share the processor among sessions first; this process leads one of its own, and without
 * the second setting the first one would count only within it.
 */
function raisePriority(): void {
    const highest = constants.priority.PRIORITY_HIGHEST;
    const attempts = [
        () => setPriority(highest),
        () => writeFileSync("/proc/self/autogroup", String(highest)),
    ];
    for (const attempt of attempts) {
        try {
            attempt();
        } catch {
            // Not root, or no such setting: the figures then include waiting of our own, never less.
        }
    }
}

function tell(message: WorkerMessage): void {
    if (process.connected) process.send?.(message);
}

/** Resolves once the parent's pipe has the message, so that the process may end. */
async function told(message: WorkerMessage): Promise<void> {
    if (process.connected) await new Promise((resolve) => process.send?.(message, resolve));
}

async function closed(file: WriteStream | undefined): Promise<void> {
    if (file) await new Promise<void>((resolve) => file.end(resolve));
}

main(JSON.parse(process.argv[2] ?? "") as ResolvedSettings);
