import { createApp } from "./app";
import { ConfigError, readConfig, type ApiConfig } from "./config";
import { faultInjector } from "./faults";
import { HitCounter } from "./hits";
import { errorFields, jsonLogger, type Logger } from "./log";
import { createMetrics } from "./metrics";
import { PostgresStore } from "./store";

/** The last hits are worth this much of the grace period and no more. */
const LAST_FLUSH_MS = 3000;

function main(): void {
    const config = readConfigOrExit();
    const { release, color, pod, namespace } = config;
    const log = jsonLogger({ release, color, pod, namespace });
    endOnBug(log);
    if (config.fault.kind === "crash") crashOnPurpose(config, log);
    const store = new PostgresStore(config.database, release, log);
    const hits = new HitCounter(store, log);
    const { server, connections } = createApp({
        config,
        store,
        hits,
        metrics: createMetrics({ release, color }),
        faults: faultInjector(config.fault, Math.random),
        log,
    });
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
        process.once(signal, () => void shutDown(signal));
    }
    server.on("error", (error) => {
        log.error("server failed", errorFields(error));
        process.exit(1);
    });
    hits.start();
    server.listen(config.port, () => {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : config.port;
        log.info("listening", { port });
    });

    async function shutDown(signal: string): Promise<void> {
        log.info("draining", { signal });
        const complete = await connections.drain();
        if (!complete) log.warn("connections cut off after the drain's time-out");
        // A database that is away must not hold up the end: Kubernetes would kill the pod.
        const overdue = setTimeout(() => exit(false), LAST_FLUSH_MS);
        const written = await hits.stop();
        await store.close();
        clearTimeout(overdue);
        exit(written);
    }

    function exit(written: boolean): void {
        if (!written) log.warn("the last hits are lost");
        log.info("stopped");
        process.exit(0);
    }
}

function readConfigOrExit(): ApiConfig {
    try {
        return readConfig(process.env);
    } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        jsonLogger({}).error("bad configuration", { problems: error.message });
        process.exit(2);
    }
}

/** A bug ends the process with its reason in the log; Kubernetes starts a new one. */
function endOnBug(log: Logger): void {
    const end = (error: unknown) => {
        const stack = error instanceof Error ? error.stack : undefined;
        log.error("unexpected error", { ...errorFields(error), stack });
        process.exit(1);
    };
    process.on("uncaughtException", end);
    process.on("unhandledRejection", end);
}

function crashOnPurpose(config: ApiConfig, log: Logger): void {
    const crash = () => {
        log.error("crashed on purpose");
        process.exit(1);
    };
    if (config.fault.crashAfterSeconds === 0) crash();
    setTimeout(crash, config.fault.crashAfterSeconds * 1000);
}

main();
