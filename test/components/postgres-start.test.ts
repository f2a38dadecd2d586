import * as assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START = path.join(__dirname, "..", "..", "components", "postgres", "files", "start.sh");
const DEADLINE_MS = 10_000;

/**
 * The programs of the image, reduced to what the script relies on; each writes a line to the log. The
 * server is written in JavaScript because bash cannot trap a signal that it was started with ignored.
 */
const PROGRAMS: Record<string, string> = {
    postgres: `#!${process.execPath}
        const fs = require("node:fs");
        const { PGDATA, LOG, SERVER } = process.env;
        const log = (line) => fs.appendFileSync(LOG, line + "\\n");
        const listens = process.argv.includes("listen_addresses=*");
        log((listens ? "listen in " : "start on the socket in ") + PGDATA.split("/").pop());
        log("environment: " + JSON.stringify(process.env) + JSON.stringify(process.argv));
        if (SERVER === "dies") process.exit(3);
        process.on("SIGINT", () => {
            fs.rmSync(PGDATA + "/postmaster.pid", { force: true });
            log("stopped");
            process.exit(0);
        });
        if (SERVER !== "hangs") fs.writeFileSync(PGDATA + "/postmaster.pid", process.pid + "\\n");
        setTimeout(() => process.exit(9), ${DEADLINE_MS});`,
    "docker-entrypoint.sh": `#!/usr/bin/env bash
        echo "initialise \${PGDATA##*/}" >>"$LOG"
        mkdir "$PGDATA" && echo 14 >"$PGDATA/PG_VERSION"
        echo 1 >"$PGDATA/postmaster.pid" # the entrypoint's own server
        exec "$@"`,
    pg_isready: "#!/usr/bin/env bash\nexit 0",
    psql: `#!/usr/bin/env bash
        echo "reconcile" >>"$LOG"
        echo "arguments: $*" >>"$LOG"
        exit "$PSQL_EXIT"`,
};

interface Run {
    child: ChildProcess;
    output: () => string;
    log: () => string[];
    has: (line: string) => Promise<void>;
    ended: () => Promise<number | null>;
}

describe("start.sh of Postgres", () => {
    let folder: string;
    let children: ChildProcess[];

    beforeEach(() => {
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-postgres-"));
        children = [];
        for (const [name, text] of Object.entries(PROGRAMS)) {
            fs.writeFileSync(path.join(folder, name), text, { mode: 0o755 });
        }
        fs.writeFileSync(path.join(folder, "password"), "the-admin-password");
        fs.writeFileSync(path.join(folder, "api-password"), "the-api-password");
        fs.mkdirSync(path.join(folder, "volume"));
    });

    afterEach(() => {
        for (const child of children) child.kill("SIGKILL");
        fs.rmSync(folder, { recursive: true, force: true });
    });

    function run(env: Record<string, string> = {}): Run {
        const file = path.join(folder, "log");
        fs.writeFileSync(file, "");
        const child = spawn("bash", [START], {
            env: {
                PATH: `${folder}:${process.env.PATH}`,
                LOG: file,
                PSQL_EXIT: "0",
                PGDATA: path.join(folder, "volume", "pgdata"),
                POSTGRES_DB: "endpoint_stats",
                POSTGRES_USER: "admin",
                POSTGRES_PASSWORD_FILE: path.join(folder, "password"),
                API_USER: "endpoint_stats_api",
                API_PASSWORD_FILE: path.join(folder, "api-password"),
                ...env,
            },
        });
        children.push(child);
        const exit = once(child, "exit") as Promise<[number | null]>;
        let output = "";
        child.stdout.on("data", (data: Buffer) => (output += data.toString()));
        child.stderr.on("data", (data: Buffer) => (output += data.toString()));
        const lines = () => fs.readFileSync(file, "utf8").trimEnd().split("\n");
        return {
            child,
            output: () => output,
            log: () => lines().filter((line) => !/^(environment|arguments): /.test(line)),
            async has(line) {
                const end = Date.now() + DEADLINE_MS;
                while (!lines().includes(line)) {
                    if (Date.now() > end)
                        assert.fail(`no "${line}" in ${lines().join("; ")}; ${output}`);
                    await sleep(20);
                }
            },
            ended: async () => (await exit)[0],
        };
    }

    function keepVolume(): void {
        fs.mkdirSync(path.join(folder, "volume", "pgdata"));
        fs.writeFileSync(path.join(folder, "volume", "pgdata", "PG_VERSION"), "14\n");
    }

    it("initialises an empty volume beside its place, reconciles, and only then listens", async () => {
        const first = run();
        await first.has("listen in pgdata");
        assert.deepEqual(first.log(), [
            "initialise pgdata.partial",
            "start on the socket in pgdata.partial",
            "reconcile",
            "stopped",
            "listen in pgdata",
        ]);
        assert.deepEqual(fs.readdirSync(path.join(folder, "volume")), ["pgdata"]);
    });

    it("reconciles a kept volume without initialising it", async () => {
        keepVolume();
        const again = run();
        await again.has("listen in pgdata");
        assert.deepEqual(again.log(), [
            "start on the socket in pgdata",
            "reconcile",
            "stopped",
            "listen in pgdata",
        ]);
    });

    it("is replaced by the server, which gets the container's signals", async () => {
        keepVolume();
        const running = run();
        await running.has("listen in pgdata");
        await waitForFile(path.join(folder, "volume", "pgdata", "postmaster.pid"));
        running.child.kill("SIGINT");
        assert.equal(await running.ended(), 0);
        assert.deepEqual(running.log().slice(-2), ["listen in pgdata", "stopped"]);
    });

    it("throws away what a first start left half-made", async () => {
        const partial = path.join(folder, "volume", "pgdata.partial");
        fs.mkdirSync(partial);
        fs.writeFileSync(path.join(partial, "half"), "");
        await run().has("listen in pgdata");
        assert.deepEqual(fs.readdirSync(path.join(folder, "volume")), ["pgdata"]);
        assert.ok(!fs.existsSync(path.join(folder, "volume", "pgdata", "half")));
    });

    it("closes a data folder that the volume's group could open", async () => {
        keepVolume();
        const data = path.join(folder, "volume", "pgdata");
        fs.chmodSync(data, 0o770);
        await run().has("listen in pgdata");
        assert.equal(fs.statSync(data).mode & 0o777, 0o700);
    });

    it("never listens when the roles could not be reconciled, and stops its server", async () => {
        keepVolume();
        const failed = run({ PSQL_EXIT: "2" });
        assert.equal(await failed.ended(), 1);
        assert.deepEqual(failed.log(), ["start on the socket in pgdata", "reconcile", "stopped"]);
        assert.match(failed.output(), /roles could not be reconciled.*role "admin" does not exist/);
    });

    it("keeps no half-made volume when the first reconciliation fails", async () => {
        assert.equal(await run({ PSQL_EXIT: "2" }).ended(), 1);
        assert.ok(!fs.existsSync(path.join(folder, "volume", "pgdata")));
    });

    it("refuses to start with an empty or missing password", async () => {
        keepVolume();
        fs.writeFileSync(path.join(folder, "api-password"), "");
        const empty = run();
        assert.equal(await empty.ended(), 1);
        assert.deepEqual(empty.log(), [""]);
        assert.match(empty.output(), /api-password is missing or empty/);

        fs.rmSync(path.join(folder, "password"));
        const missing = run();
        assert.equal(await missing.ended(), 1);
        assert.match(missing.output(), /\/password is missing or empty/);
    });

    it("fails when the server ends before it is ready", async () => {
        keepVolume();
        const died = run({ SERVER: "dies" });
        assert.equal(await died.ended(), 1);
        assert.match(died.output(), /server ended before it was ready/);
    });

    it("stops within the grace period while it still waits for the server", async () => {
        keepVolume();
        const waiting = run({ SERVER: "hangs" });
        await waiting.has("start on the socket in pgdata");
        waiting.child.kill("SIGTERM");
        assert.equal(await waiting.ended(), 143);
        assert.ok(!waiting.log().includes("reconcile"));
    });

    it("shows no password to a command line, an environment or the log", async () => {
        const first = run();
        await first.has("listen in pgdata");
        const everything = fs.readFileSync(path.join(folder, "log"), "utf8") + first.output();
        assert.match(everything, /environment: .*POSTGRES_PASSWORD_FILE/);
        assert.match(everything, /arguments: .*reconcile\.sql/);
        assert.doesNotMatch(everything, /the-admin-password|the-api-password/);
    });
});

async function waitForFile(file: string): Promise<void> {
    const end = Date.now() + DEADLINE_MS;
    while (!fs.existsSync(file)) {
        if (Date.now() > end) assert.fail(`no ${file}`);
        await sleep(20);
    }
}
