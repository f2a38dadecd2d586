import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "../errors";
import { resolveSettings } from "./settings";
import type { ProbeSettings, Sample, WorkerMessage } from "./types";

/** Loading node and tsx on two busy cores takes a second or two. */
const START_DEADLINE_MS = 30_000;
/** Beyond the timeout of the requests that are still open. */
const STOP_MARGIN_MS = 5_000;

/** A running load. Samples arrive in batches, about 100 ms after the answer. */
export interface Prober {
    /** All samples so far, in order of arrival. */
    readonly samples: readonly Sample[];
    /** The due time of the first request, milliseconds since the epoch. */
    readonly startedAt: number;
    /** Calls `listener` with each batch; returns the function that ends it. */
    onSamples(listener: (batch: readonly Sample[]) => void): () => void;
    /**
     * Resolves with the first value other than `undefined` that `query` finds in the samples.
     *
     * @throws CliError naming `what` when `deadlineMs` passes or the load ends before.
     */
    until<T>(
        what: string,
        deadlineMs: number,
        query: (samples: readonly Sample[]) => T | undefined,
    ): Promise<T>;
    /** Ends the load, waits for open requests, and returns all samples sorted by due time. */
    stop(): Promise<Sample[]>;
}

/**
 * Starts a constant open-loop load in a process of its own. It ends by `stop`, by its bounds, or
 * with this process, whichever is first.
 */
export async function startProber(settings: ProbeSettings): Promise<Prober> {
    const resolved = resolveSettings(settings);
    const child = fork(path.join(__dirname, "worker.ts"), [JSON.stringify(resolved)], {
        execArgv: ["--require", require.resolve("tsx/cjs")],
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        // A group of its own: the terminal's Ctrl-C must not end the measurement before its subject.
        detached: true,
    });
    const load = new Load(child, resolved.timeoutMs);
    await load.started();
    return load;
}

class Load implements Prober {
    readonly samples: Sample[] = [];
    startedAt = 0;
    private readonly listeners = new Set<(batch: readonly Sample[]) => void>();
    private readonly ended: Promise<void>;
    private hasEnded = false;
    private stopped = false;
    private stderr = "";

    constructor(
        private readonly child: ChildProcess,
        private readonly timeoutMs: number,
    ) {
        child.stderr?.on("data", (chunk: Buffer) => {
            this.stderr = (this.stderr + chunk.toString()).slice(-4_000);
        });
        child.on("message", (message) => this.receive(message as WorkerMessage));
        this.ended = new Promise((resolve) => {
            child.once("error", () => resolve());
            child.once("close", () => resolve());
        });
        void this.ended.then(() => (this.hasEnded = true));
    }

    async started(): Promise<void> {
        const deadline = Date.now() + START_DEADLINE_MS;
        while (this.startedAt === 0) {
            if (this.hasEnded) throw new CliError(`the prober did not start: ${this.evidence()}`);
            if (Date.now() > deadline) {
                this.child.kill("SIGKILL");
                throw new CliError(
                    `the prober did not start within ${START_DEADLINE_MS / 1_000} s`,
                );
            }
            await sleep(10);
        }
    }

    onSamples(listener: (batch: readonly Sample[]) => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    async until<T>(
        what: string,
        deadlineMs: number,
        query: (samples: readonly Sample[]) => T | undefined,
    ): Promise<T> {
        const deadline = Date.now() + deadlineMs;
        let seen = -1;
        for (;;) {
            // The query walks all samples: it is asked again only when there are more.
            const found = seen === this.samples.length ? undefined : query(this.samples);
            if (found !== undefined) return found;
            seen = this.samples.length;
            if (this.hasEnded) {
                throw new CliError(`the load ended before ${what}: ${this.evidence()}`);
            }
            if (Date.now() > deadline) {
                throw new CliError(
                    `${what} was not seen within ${(deadlineMs / 1_000).toFixed(0)} s ` +
                        `(${this.samples.length} requests so far)`,
                );
            }
            await sleep(25);
        }
    }

    async stop(): Promise<Sample[]> {
        if (!this.hasEnded && this.child.connected) this.child.send("stop");
        const killer = setTimeout(
            () => this.child.kill("SIGKILL"),
            this.timeoutMs + STOP_MARGIN_MS,
        );
        await this.ended;
        clearTimeout(killer);
        if (!this.stopped) {
            throw new CliError(`the prober ended without its last samples: ${this.evidence()}`);
        }
        return this.samples.toSorted((a, b) => a.n - b.n);
    }

    private receive(message: WorkerMessage): void {
        switch (message.type) {
            case "started":
                this.startedAt = message.at;
                return;
            case "samples":
                for (const sample of message.samples) this.samples.push(sample);
                for (const listener of this.listeners) listener(message.samples);
                return;
            case "stopped":
                this.stopped = true;
        }
    }

    private evidence(): string {
        const { exitCode, signalCode } = this.child;
        return this.stderr.trim() || `exit code ${exitCode ?? signalCode}`;
    }
}
