import { isIP } from "node:net";
import { CliError, ExitCode } from "../errors";
import {
    DEFAULT_KEPT_ALIVE_CONNECTIONS,
    DEFAULT_MAX_SECONDS,
    DEFAULT_RATE,
    DEFAULT_TIMEOUT_MS,
    type ProbeSettings,
    type ResolvedSettings,
} from "./types";

/**
 * Refuses a target that nobody handed over on purpose: a prober that can be pointed anywhere is a
 * load generator against strangers.
 *
 * @throws CliError naming the address and how to allow it.
 */
export function assertTarget(
    settings: Pick<ProbeSettings, "url" | "allowHosts" | "allowAnyHost">,
): URL {
    let url: URL;
    try {
        url = new URL(settings.url);
    } catch {
        throw new CliError(
            `url: expected an absolute http URL, got "${settings.url}"`,
            ExitCode.usage,
        );
    }
    if (url.protocol !== "http:") {
        throw new CliError(
            `url: expected protocol http, got ${url.protocol} in "${settings.url}"`,
            ExitCode.usage,
        );
    }
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (isLoopback(host) || settings.allowHosts?.includes(host) || settings.allowAnyHost)
        return url;
    throw new CliError(
        `url: ${host} is neither loopback nor an address of the sandbox; ` +
            "name a cluster of your own with --context to send load to it",
        ExitCode.usage,
    );
}

function isLoopback(host: string): boolean {
    if (host === "localhost" || host === "::1") return true;
    return isIP(host) === 4 && host.startsWith("127.");
}

/** Fills in defaults and checks the bounds, so that a run always ends by itself. */
export function resolveSettings(settings: ProbeSettings): ResolvedSettings {
    const url = assertTarget(settings);
    return {
        url: url.href,
        rate: bounded("rate", settings.rate ?? DEFAULT_RATE, 1, 1_000),
        maxSeconds: bounded("maxSeconds", settings.maxSeconds ?? DEFAULT_MAX_SECONDS, 1, 3_600),
        timeoutMs: bounded("timeoutMs", settings.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1, 60_000),
        keptAliveConnections: bounded(
            "keptAliveConnections",
            settings.keptAliveConnections ?? DEFAULT_KEPT_ALIVE_CONNECTIONS,
            1,
            100,
        ),
        file: settings.file,
    };
}

function bounded(name: string, value: number, least: number, most: number): number {
    if (Number.isFinite(value) && value >= least && value <= most) return value;
    throw new CliError(
        `${name}: expected a number from ${least} to ${most}, got ${value}`,
        ExitCode.usage,
    );
}
