// lane: shared, about 90 s
import * as assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Cluster, requireCluster } from "../support/cluster";
import { Program } from "../support/program";
import { request, unready } from "./postgres/apis";
import { eventually, TestNamespace } from "./postgres/namespace";
import { openStack, type PostgresStack } from "./postgres/stack";

const NAME = "e2e-moved";
const SERVER = `${NAME}-server`;
const NODE_PORT = 30_620;
const HOST = `postgres.${SERVER}.svc.cluster.local`;

describe("the program with an external database", function () {
    this.timeout(240_000);
    this.bail(true);
    let cluster: Cluster;
    let program: Program;
    let own: TestNamespace;
    let other: TestNamespace;
    let server: PostgresStack;
    let password: string;

    before(async function () {
        cluster = await requireCluster.call(this);
        const space = (name: string) =>
            new TestNamespace(cluster.kubeconfig, cluster.context, name);
        [own, other] = [space(NAME), space(SERVER)];
        await other.remove();
        const config = { "cutover:replicas": "2" };
        program = await Program.open(cluster, { name: NAME, nodePort: NODE_PORT, config });
        server = await openStack(cluster, SERVER);
        await server.stack.up({ showSecrets: false });
        password = await other.secret("postgres-secret", "api-password");
    });

    after(async function () {
        this.timeout(180_000);
        await program?.close();
        await other?.remove();
        server?.remove();
    });

    const set = async (...args: string[]) => {
        const { code, output } = await program.run(["config", "set", "--path", ...args]);
        assert.equal(code, 0, output);
    };

    async function stats(): Promise<{ endpoints: Record<string, number>; stale: boolean }> {
        const { text } = await request(NODE_PORT, "/stats");
        return JSON.parse(text) as { endpoints: Record<string, number>; stale: boolean };
    }

    it("refuses a password in plain text before anything is made", async () => {
        // The engine writes the config of every run into its history: this one is spent.
        const plain = "once-written-down";
        await program.with({ "cutover:database": { host: HOST, password: plain } }, async () => {
            for (const outcome of [await program.preview(), await program.up()]) {
                assert.notEqual(outcome.code, 0);
                assert.match(
                    outcome.output,
                    /cutover:database\.password: got a value in plain text/,
                );
                assert.ok(!outcome.output.includes(plain));
            }
        });
        const { items } = await own.core.listNamespacedService({ namespace: NAME });
        assert.deepEqual(items, []);
    });

    it("runs on its own server first", async () => {
        await program.mustUp();
        await program.startLoad();
        await eventually("hits are in the database", 30, async () => {
            const { endpoints, stale } = await stats();
            return Object.keys(endpoints).length > 0 && !stale ? undefined : "none";
        });
    });

    it("refuses a smaller volume, and leaves the server alone", async () => {
        const { uid } = (await own.pod("postgres-0")).metadata!;
        await program.with({ "cutover:database/storage": "1Gi" }, async () => {
            for (const outcome of [await program.preview(), await program.up()]) {
                assert.notEqual(outcome.code, 0);
                assert.match(outcome.output, /storage: got "1Gi", expected at least "10Gi"/);
            }
        });
        assert.equal((await own.pod("postgres-0")).metadata?.uid, uid);
        await program.mustBeUpToDate();
    });

    it("moves to the external one without losing a request", async () => {
        program.configure({ "cutover:database": { host: HOST } });
        await set("--secret", "cutover:database.password", password);
        await program.serving(["1.0.0"], () => program.mustUp());
        const sets = await own.apps.listNamespacedStatefulSet({ namespace: NAME });
        assert.deepEqual(sets.items, []);
        await eventually("/ready is 200", 30, () => unready(NODE_PORT));
        await eventually("/stats has what the external server has", 30, async () => {
            const { stale, endpoints } = await stats();
            const sql = "select coalesce(sum(hits), 0) > 0 from endpoint_hits";
            const psql = ["psql", "-U", "admin", "-d", "endpoint_stats", "-tAc", sql];
            const { stdout, stderr } = await other.exec("postgres-0", psql);
            const counted = !stale && Object.keys(endpoints).length > 0;
            return counted && stdout.trim() === "t" ? undefined : stderr || stdout;
        });
        await program.mustBeUpToDate();
    });

    it("keeps the volume, and says so", async () => {
        const { output } = await program.run(["stack", "output", "keptOnDestroy"]);
        assert.match(output, /claim postgres-data-postgres-0 in namespace e2e-moved/);
        const claims = await own.core.listNamespacedPersistentVolumeClaim({ namespace: NAME });
        assert.deepEqual(
            claims.items.map(({ metadata, status }) => [metadata?.name, status?.phase]),
            [["postgres-data-postgres-0", "Bound"]],
        );
    });

    it("writes the password down nowhere, neither in the config nor in the state", async () => {
        const { folder, env } = program.target.scratch;
        const config = readFileSync(path.join(folder, "Pulumi.dev.yaml"), "utf8");
        assert.match(config, /secure:/);
        const state = (env.PULUMI_BACKEND_URL ?? "").replace(/^file:\/\//, "");
        const files = readdirSync(state, { recursive: true, withFileTypes: true });
        const stored = files
            .filter((entry) => entry.isFile())
            .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
            .join("\n");
        assert.match(stored, /database-secret/);
        const preview = await program.run(["preview", "--non-interactive", "--diff"]);
        for (const form of [password, Buffer.from(password).toString("base64")]) {
            assert.ok(!config.includes(form), "in the stack's config");
            assert.ok(!stored.includes(form), "in the backend");
            assert.ok(!preview.output.includes(form), "in the preview");
        }
    });
});
