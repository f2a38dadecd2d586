import * as assert from "node:assert/strict";
import { eventually, type Result, type TestNamespace } from "./namespace";

const POD = "client";
export const API = "endpoint_stats_api";
const DATABASE = "endpoint_stats";

export interface Passwords {
    admin: string;
    api: string;
}

/** psql in another pod of the namespace, which logs in over the alias Service as an API would. */
export class Client {
    constructor(private readonly namespace: TestNamespace) {}

    start(image: string): Promise<void> {
        return this.namespace.startClient(POD, image);
    }

    /** The passwords as the Secret has them now. */
    async passwords(): Promise<Passwords> {
        return {
            admin: await this.namespace.secret("postgres-secret", "password"),
            api: await this.namespace.secret("postgres-secret", "api-password"),
        };
    }

    private attempt(
        user: string,
        password: string,
        sql: string,
        database = DATABASE,
    ): Promise<Result> {
        // A packet to a pod that has just gone is never answered: without a limit, psql waits minutes.
        const psql = `PGCONNECT_TIMEOUT=3 psql --no-psqlrc --tuples-only --no-align --quiet --host db --username ${user}`;
        const login = `read -r PGPASSWORD; export PGPASSWORD; ${psql} --dbname ${database}`;
        const script = `${login} --command "$0"`;
        return this.namespace.exec(POD, ["bash", "-c", script, sql], `${password}\n`);
    }

    async query(user: string, password: string, sql: string): Promise<string> {
        const { code, stdout, stderr } = await this.attempt(user, password, sql);
        assert.equal(code, 0, stderr);
        return stdout.trim();
    }

    async refused(
        user: string,
        password: string,
        why: RegExp,
        sql = "select 1",
        database?: string,
    ): Promise<void> {
        const { code, stderr } = await this.attempt(user, password, sql, database);
        assert.notEqual(code, 0, `${user} was let in`);
        assert.match(stderr, why);
    }

    /** The endpoints reach the node a moment after the pod got ready. */
    untilServing({ api }: Passwords): Promise<void> {
        return eventually("the API can log in", 60, async () => {
            const { code, stderr } = await this.attempt(API, api, "select 1");
            return code === 0 ? undefined : stderr;
        });
    }

    async addRows({ api }: Passwords, count: number): Promise<void> {
        const insert = `insert into visits select '/' from generate_series(1, ${count})`;
        await this.query(API, api, insert);
    }

    async countRows({ api }: Passwords): Promise<number> {
        return Number(await this.query(API, api, "select count(*) from visits"));
    }

    async isApiSuperuser({ api }: Passwords): Promise<boolean> {
        const sql = `select rolsuper from pg_roles where rolname = '${API}'`;
        return (await this.query(API, api, sql)) !== "f";
    }
}
