import { Pool } from "pg";
import type { DatabaseConfig } from "./config";
import { loginOf } from "./login";
import type { HitStore } from "./hits";
import { errorFields, type Logger } from "./log";

/** Few: writes are batched, and every pod of every release shares the server's connections. */
const MAX_CONNECTIONS = 3;

/** A database that does not answer in this time is away; hits wait in memory meanwhile. */
const CONNECT_TIMEOUT_MS = 1500;
const QUERY_TIMEOUT_MS = 2000;

/** Any number that all releases share: it keeps two pods from creating the table at once. */
const SCHEMA_LOCK = 4_207_849_484;

const UNDEFINED_TABLE = "42P01";

/** Hits in a Postgres table that the store creates itself, as a role without special rights. */
export class PostgresStore implements HitStore {
    private readonly pool: Pool;
    private schemaReady: Promise<void> | undefined;

    constructor(config: DatabaseConfig, release: string, log: Logger) {
        const { host, port, name, user, password } = loginOf(config);
        this.pool = new Pool({
            host,
            port,
            database: name,
            user,
            // Asked at every new connection: after a rotation the next attempt has the new password.
            password,
            application_name: `endpoint-stats ${release}`,
            max: MAX_CONNECTIONS,
            connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
            query_timeout: QUERY_TIMEOUT_MS,
            statement_timeout: QUERY_TIMEOUT_MS,
            keepAlive: true,
        });
        // An idle connection that breaks, as when the database restarts, is none of a request's
        // business; unheard, this event would end the process.
        this.pool.on("error", (error) => log.warn("database connection lost", errorFields(error)));
    }

    async add(hits: ReadonlyMap<string, number>): Promise<void> {
        // Every pod locks the rows in the same order, so that no two wait for each other.
        const rows = [...hits].sort(([a], [b]) => (a < b ? -1 : 1));
        await this.query(
            `insert into endpoint_hits as kept (endpoint, hits)
             select * from unnest($1::text[], $2::bigint[])
             on conflict (endpoint) do update
             set hits = kept.hits + excluded.hits, updated_at = now()`,
            [rows.map(([endpoint]) => endpoint), rows.map(([, count]) => count)],
        );
    }

    async read(): Promise<Map<string, number>> {
        const rows = await this.query(
            "select endpoint, hits from endpoint_hits order by endpoint",
            [],
        );
        // bigint comes as text, being larger than a number can hold exactly.
        return new Map(rows.map((row) => [String(row.endpoint), Number(row.hits)]));
    }

    async ping(): Promise<void> {
        await this.query("select 1 from endpoint_hits limit 1", []);
    }

    async close(): Promise<void> {
        await this.pool.end();
    }

    private async query(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
        await this.ensureSchema();
        try {
            return (await this.pool.query<Record<string, unknown>>(text, values)).rows;
        } catch (error) {
            // The database was made anew under us: the next query creates the table again.
            if ((error as { code?: string }).code === UNDEFINED_TABLE) this.schemaReady = undefined;
            throw error;
        }
    }

    private ensureSchema(): Promise<void> {
        this.schemaReady ??= this.createSchema().catch((error: unknown) => {
            this.schemaReady = undefined;
            throw error;
        });
        return this.schemaReady;
    }

    /** One statement text is one transaction; `if not exists` alone can fail when two pods race. */
    private async createSchema(): Promise<void> {
        await this.pool.query(
            `select pg_advisory_xact_lock(${SCHEMA_LOCK});
             create table if not exists endpoint_hits (
                 endpoint text primary key,
                 hits bigint not null default 0,
                 updated_at timestamptz not null default now()
             );`,
        );
    }
}
