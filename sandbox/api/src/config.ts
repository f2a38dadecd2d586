import { parseDatabaseUrl } from "./database-url";
import { FAULTS, type Fault } from "./faults";

export interface ApiConfig {
    port: number;
    /** Shown in every answer and metric: which release, which color (or track), which pod. */
    release: string;
    color: string;
    pod: string;
    namespace: string;
    greeting: string;
    database: DatabaseConfig;
    fault: FaultConfig;
    connections: ConnectionConfig;
}

/** Where the database is: in parts, or as a URL that has all of them. */
export interface DatabaseConfig {
    host: string;
    port: number;
    name: string;
    user: string;
    /** Read at every new connection, so a changed password needs no restart. */
    passwordFile: string;
    /** A file with a URL, which counts instead of the parts; read at every new connection. */
    urlFile: string | undefined;
    /** The URL itself, which counts where there is no such file. */
    url: string | undefined;
}

export interface FaultConfig {
    kind: Fault | undefined;
    /** How many of 100 requests fail, with `errors`. */
    errorPercent: number;
    /** How much longer every request takes, with `slow`. */
    delayMs: number;
    /** How long a pod that will crash works before; 0 crashes before it listens. */
    crashAfterSeconds: number;
}

export interface ConnectionConfig {
    /** An answer on an older connection closes it; 0 sets no bound. */
    maxAgeSeconds: number;
    /** How long a drain waits for idle connections to be used once more, so that they can be told. */
    drainIdleSeconds: number;
    /** When a drain ends whatever is still open; below what is left of the pod's grace period. */
    drainTimeoutSeconds: number;
}

/** Names every setting that is wrong, never a value that could be a secret. */
export class ConfigError extends Error {
    constructor(readonly problems: readonly string[]) {
        super(problems.join("; "));
        this.name = "ConfigError";
    }
}

/**
 * Kubernetes describes every Service to the pods of its namespace in variables of this form; beside a
 * Service named `db` there is a `DB_PORT` that nobody set.
 */
function isServiceLink(value: string): boolean {
    return /^(tcp|udp|sctp):\/\//.test(value);
}

/**
 * Reads the settings from environment variables.
 *
 * @throws ConfigError with all problems at once
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
    const problems: string[] = [];

    function text(name: string, otherwise: string): string {
        const value = env[name];
        return value === undefined || value === "" || isServiceLink(value) ? otherwise : value;
    }

    function number(name: string, otherwise: number, min: number, max: number): number {
        const value = text(name, String(otherwise));
        const parsed = Number(value);
        if (/^\d+(\.\d+)?$/.test(value) && parsed >= min && parsed <= max) return parsed;
        problems.push(`${name}: got ${JSON.stringify(value)}, expected a number ${min} to ${max}`);
        return otherwise;
    }

    function port(name: string, otherwise: number, min: number): number {
        const parsed = number(name, otherwise, min, 65535);
        if (!Number.isInteger(parsed)) problems.push(`${name}: got ${parsed}, expected an integer`);
        return parsed;
    }

    /** Looked at here, so that a wrong one is said at once; its value may hold a password. */
    function databaseUrl(): string | undefined {
        const url = text("DATABASE_URL", "");
        if (url === "") return undefined;
        try {
            parseDatabaseUrl(url);
        } catch (error) {
            problems.push(`DATABASE_URL: ${(error as Error).message}`);
        }
        return url;
    }

    const kind = FAULTS.find((fault) => fault === env.FAULT);
    if (kind === undefined && text("FAULT", "") !== "") {
        problems.push(`FAULT: got ${JSON.stringify(env.FAULT)}, expected ${FAULTS.join(", ")}`);
    }
    const config: ApiConfig = {
        // 0 lets the system choose, for tests.
        port: port("PORT", 9999, 0),
        release: text("RELEASE", "unknown"),
        color: text("COLOR", text("TRACK", "none")),
        pod: text("POD_NAME", "unknown"),
        namespace: text("NAMESPACE", "unknown"),
        greeting: text("GREETING", "Endpoint statistics"),
        database: {
            host: text("DB_HOST", "db"),
            port: port("DB_PORT", 5432, 1),
            name: text("DB_NAME", "endpoint_stats"),
            user: text("DB_USER", "endpoint_stats_api"),
            passwordFile: text("DB_PASSWORD_FILE", "/etc/cutover/database/password"),
            urlFile: text("DATABASE_URL_FILE", "") || undefined,
            url: databaseUrl(),
        },
        fault: {
            kind,
            errorPercent: number("FAULT_ERROR_PERCENT", 20, 0, 100),
            delayMs: number("FAULT_DELAY_MS", 2000, 0, 60_000),
            crashAfterSeconds: number("FAULT_CRASH_AFTER_SECONDS", 0, 0, 3600),
        },
        connections: {
            maxAgeSeconds: number("MAX_CONNECTION_AGE_SECONDS", 30, 0, 86_400),
            drainIdleSeconds: number("DRAIN_IDLE_SECONDS", 5, 0, 3600),
            drainTimeoutSeconds: number("DRAIN_TIMEOUT_SECONDS", 15, 0, 3600),
        },
    };
    if (problems.length > 0) throw new ConfigError(problems);
    return config;
}
