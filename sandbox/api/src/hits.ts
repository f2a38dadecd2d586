import { errorFields, type Logger } from "./log";

/** Where hits are kept: Postgres, or a stand-in in tests. */
export interface HitStore {
    /** Adds to the kept numbers, all or none. */
    add(hits: ReadonlyMap<string, number>): Promise<void>;
    read(): Promise<Map<string, number>>;
    /** Succeeds when the store can be used. */
    ping(): Promise<void>;
    close(): Promise<void>;
}

/** How often counted hits are written: the most that a killed pod loses. */
const FLUSH_INTERVAL_MS = 1000;

/** There are as many endpoints as routes; the bound holds whatever routes someone adds. */
const MAX_ENDPOINTS = 1000;

/**
 * Counts hits in memory and adds them to the store in the background, so that a request neither
 * waits for the store nor fails with it. While the store is away the numbers grow here; a hit is
 * counted twice only when the store's confirmation is lost, and lost only when the pod is killed.
 */
export class HitCounter {
    private pending = new Map<string, number>();
    private lastRead = new Map<string, number>();
    private flushing: Promise<boolean> | undefined;
    private timer: NodeJS.Timeout | undefined;
    private healthy = true;

    constructor(
        private readonly store: HitStore,
        private readonly log: Logger,
        private readonly intervalMs: number = FLUSH_INTERVAL_MS,
    ) {}

    start(): void {
        this.timer = setInterval(() => void this.flush(), this.intervalMs);
    }

    count(endpoint: string): void {
        const known = this.pending.get(endpoint);
        if (known === undefined && this.pending.size >= MAX_ENDPOINTS) return;
        this.pending.set(endpoint, (known ?? 0) + 1);
    }

    /** Writes what was counted; false when the store refused, and then nothing is lost. */
    flush(): Promise<boolean> {
        this.flushing ??= this.write().finally(() => (this.flushing = undefined));
        return this.flushing;
    }

    /**
     * All hits of all pods, as far as this one knows: the store's numbers and what it has not written.
     * `stale` says that the store's numbers are those of the last time it could be read.
     */
    async totals(): Promise<{ endpoints: Map<string, number>; stale: boolean }> {
        let stale = false;
        try {
            await this.flush();
            this.lastRead = await this.store.read();
        } catch (error) {
            stale = true;
            this.log.warn("statistics are not readable", errorFields(error));
        }
        const endpoints = new Map(this.lastRead);
        for (const [endpoint, hits] of this.pending) {
            endpoints.set(endpoint, (endpoints.get(endpoint) ?? 0) + hits);
        }
        return { endpoints, stale };
    }

    /** Writes what is left; true when nothing is lost. */
    async stop(): Promise<boolean> {
        clearInterval(this.timer);
        // The write under way, if any, began before the last hits were counted.
        await this.flushing;
        return this.flush();
    }

    private async write(): Promise<boolean> {
        if (this.pending.size === 0) return true;
        const batch = this.pending;
        this.pending = new Map();
        try {
            await this.store.add(batch);
            if (!this.healthy) this.log.info("hits are written again");
            this.healthy = true;
            return true;
        } catch (error) {
            for (const [endpoint, hits] of batch) {
                this.pending.set(endpoint, (this.pending.get(endpoint) ?? 0) + hits);
            }
            // Once for each time it goes away: a line a second would bury everything else.
            if (this.healthy)
                this.log.warn("hits are kept until they can be written", errorFields(error));
            this.healthy = false;
            return false;
        }
    }
}
