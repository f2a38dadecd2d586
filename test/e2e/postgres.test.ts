import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import * as assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadImages, POSTGRES_IMAGE } from "../../sandbox/images";
import { resolveEngine } from "../../scripts/engine";
import { silentProgress } from "../../scripts/progress";
import { type Cluster, requireCluster } from "../support/cluster";
import { eventually, TestNamespace } from "./postgres/namespace";

const PROGRAM = path.join(__dirname, "programs", "postgres");
const NODE_MODULES = path.join(__dirname, "..", "..", "node_modules");
const POD = "postgres-0";
const CLAIM = "postgres-data-postgres-0";
const CLIENT = "client";
const API = "endpoint_stats_api";

/** The steps build on each other: one volume lives through all of them. */
describe("Postgres on a cluster", function () {
    this.timeout(180_000);
    this.bail(true);
    let cluster: Cluster;
    let namespace: TestNamespace;
    let folder: string;
    let stack: Stack;
    /** The passwords as they were first, to be refused later. */
    let first: { admin: string; api: string };

    before(async function () {
        cluster = await requireCluster.call(this);
        if (cluster.sandbox !== undefined) {
            await loadImages(cluster.sandbox, silentProgress, { only: ["postgres"] });
        }
        namespace = new TestNamespace(
            cluster.kubeconfig,
            cluster.context,
            `e2e-postgres-${randomBytes(3).toString("hex")}`,
        );
        folder = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-e2e-postgres-"));
        stack = await openStack();
    });

    after(async () => {
        await namespace?.remove();
        if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
    });

    async function openStack(): Promise<Stack> {
        fs.mkdirSync(path.join(folder, "state"));
        fs.copyFileSync(path.join(PROGRAM, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
        fs.symlinkSync(path.join(PROGRAM, "index.ts"), path.join(folder, "index.ts"));
        fs.symlinkSync(NODE_MODULES, path.join(folder, "node_modules"));
        const { command } = await resolveEngine();
        const opened = await LocalWorkspace.createOrSelectStack(
            { stackName: "test", workDir: folder },
            {
                pulumiCommand: command,
                envVars: {
                    PULUMI_BACKEND_URL: `file://${folder}/state`,
                    PULUMI_CONFIG_PASSPHRASE: randomBytes(12).toString("hex"),
                    PULUMI_SKIP_UPDATE_CHECK: "true",
                    KUBECONFIG: cluster.kubeconfig,
                },
            },
        );
        await opened.setAllConfig({
            "kubernetes:context": { value: cluster.context },
            "cutover-e2e-postgres:namespace": { value: namespace.name },
            ...(cluster.sandbox && {
                "cutover-e2e-postgres:image": { value: POSTGRES_IMAGE },
            }),
        });
        return opened;
    }

    const up = () => stack.up({ showSecrets: false });
    const passwords = async () => ({
        admin: await namespace.secret("postgres-secret", "password"),
        api: await namespace.secret("postgres-secret", "api-password"),
    });

    /** What psql answers when it logs in over the alias Service, from another pod. */
    async function attempt(
        user: string,
        password: string,
        sql: string,
        database = "endpoint_stats",
    ) {
        const psql = `psql --no-psqlrc --tuples-only --no-align --quiet --host db --username ${user}`;
        const script = `read -r PGPASSWORD; export PGPASSWORD; ${psql} --dbname ${database} --command "$0"`;
        return namespace.exec(CLIENT, ["bash", "-c", script, sql], `${password}\n`);
    }

    async function query(user: string, password: string, sql: string): Promise<string> {
        const { code, stdout, stderr } = await attempt(user, password, sql);
        assert.equal(code, 0, stderr);
        return stdout.trim();
    }

    async function refused(
        user: string,
        password: string,
        why: RegExp,
        sql = "select 1",
        db?: string,
    ) {
        const { code, stderr } = await attempt(user, password, sql, db);
        assert.notEqual(code, 0, `${user} was let in`);
        assert.match(stderr, why);
    }

    /** The endpoints reach the node a moment after the pod got ready. */
    const untilServing = (password: string) =>
        eventually("the API can log in", 60, async () => {
            const { code, stderr } = await attempt(API, password, "select 1");
            return code === 0 ? undefined : stderr;
        });

    const countRows = (password: string) => query(API, password, "select count(*) from visits");
    const isSuperuser = `select rolsuper from pg_roles where rolname = '${API}'`;

    it("starts on an empty volume and answers as host db", async () => {
        await up();
        await namespace.startClient(CLIENT, (await namespace.pod(POD)).spec!.containers[0]!.image!);
        first = await passwords();
        assert.match(first.admin, /^[A-Za-z0-9]{32}$/);
        assert.match(first.api, /^[A-Za-z0-9]{32}$/);
        assert.notEqual(first.admin, first.api);
        await untilServing(first.api);
        await query(API, first.api, "create table visits (path text)");
        await query(API, first.api, "insert into visits select '/' from generate_series(1, 1000)");
        assert.equal(await countRows(first.api), "1000");
        assert.match(await query("admin", first.admin, "show server_version"), /^1[4-9]\./);
        assert.equal(await query("admin", first.admin, "show data_checksums"), "on");
    });

    it("gives the API's role its one database and nothing else", async () => {
        assert.equal(await query(API, first.api, isSuperuser), "f");
        await refused(API, first.api, /permission denied/, "create role other");
        await refused(API, first.api, /permission denied/, "create database other");
        await refused(API, first.api, /no pg_hba\.conf entry/, "select 1", "postgres");
        await refused(API, "", /fe_sendauth: no password supplied/);
        await refused("postgres", first.admin, /no pg_hba\.conf entry/);
    });

    it("writes no password where one could read it", async () => {
        const pod = await namespace.pod(POD);
        const environment = await namespace.exec(POD, [
            "bash",
            "-c",
            "cat /proc/*/environ /proc/*/cmdline",
        ]);
        const maps = await namespace.core.listNamespacedConfigMap({ namespace: namespace.name });
        const places = {
            pod: JSON.stringify(pod),
            environment: environment.stdout,
            configMaps: JSON.stringify(maps.items),
            state: filesBelow(path.join(folder, "state")),
            log: await namespace.logs(POD),
        };
        assert.match(places.environment, /POSTGRES_PASSWORD_FILE/);
        assert.match(places.state, /"ciphertext"/);
        assert.match(places.log, /reconciling the roles/);
        for (const [place, text] of Object.entries(places)) {
            for (const password of Object.values(first)) {
                assert.ok(!text.includes(password), `a password is in the ${place}`);
                const encoded = Buffer.from(password).toString("base64");
                assert.ok(!text.includes(encoded), `an encoded password is in the ${place}`);
            }
        }
    });

    it("changes nothing when nothing changed", async () => {
        const uid = (await namespace.pod(POD)).metadata?.uid;
        const { summary } = await up();
        assert.deepEqual(Object.keys(summary.resourceChanges ?? {}), ["same"]);
        assert.equal((await namespace.pod(POD)).metadata?.uid, uid);
    });

    it("comes back with its rows after a restart", async () => {
        await restart();
        await untilServing(first.api);
        assert.equal(await countRows(first.api), "1000");
        assert.doesNotMatch(await namespace.logs(POD), /not properly shut down/);
    });

    it("comes back with its committed rows after its process was killed", async function () {
        // Process 1 of a container cannot be killed from inside, and other nodes are not ours.
        if (cluster.sandbox === undefined) return this.skip();
        const killed = "insert into visits select '/killed' from generate_series(1, 10)";
        await query(API, first.api, killed);
        const { metadata } = await namespace.pod(POD);
        process.kill(firstProcessOf(metadata!.uid!, "postgres"), "SIGKILL");
        await eventually("the container was restarted", 60, async () => {
            const { status } = await namespace.pod(POD);
            const restarts = status?.containerStatuses?.[0]?.restartCount;
            return restarts === 1 ? undefined : `${restarts} restarts`;
        });
        await untilServing(first.api);
        assert.equal(await countRows(first.api), "1010");
        assert.match(await namespace.logs(POD), /not properly shut down; automatic recovery/);
    });

    it("takes new passwords to the volume it has, and takes power from the API's role", async () => {
        // The loudest server there is: not even this one may write a password down.
        for (const setting of ["log_statement = 'all'", "log_min_duration_statement = 0"]) {
            await query("admin", first.admin, `alter system set ${setting}`);
            await query("admin", first.admin, `alter role admin set ${setting}`);
        }
        await query("admin", first.admin, `alter role ${API} superuser createdb createrole`);
        const before = await namespace.pod(POD);

        await stack.setConfig("cutover-e2e-postgres:passwordVersion", { value: "2" });
        await up();
        const after = await namespace.untilReady(POD, before.metadata?.uid);
        const second = await passwords();
        assert.notEqual(second.admin, first.admin);
        assert.notEqual(second.api, first.api);
        await untilServing(second.api);
        assert.equal(await countRows(second.api), "1010");
        assert.equal(await query(API, second.api, isSuperuser), "f");
        await refused(API, second.api, /permission denied/, "create database other");
        await refused(API, first.api, /password authentication failed/);
        await refused("admin", first.admin, /password authentication failed/);

        const log = await namespace.logs(POD);
        assert.match(log, /statement: .*GRANT/, "statements are logged");
        assert.ok(!log.includes(second.admin) && !log.includes(second.api), "a password is logged");
        assert.equal(after.spec?.containers[0]?.image, before.spec?.containers[0]?.image);
        first = second;
    });

    it("leaves the volume behind when it is destroyed, and says so", async () => {
        const { uid } = (await claim()).metadata!;
        const { stdout } = await stack.destroy({ showSecrets: false });
        assert.match(stdout, new RegExp(`claim ${CLAIM} in namespace ${namespace.name}`));
        assert.equal((await claim()).metadata?.uid, uid);
        assert.equal((await claim()).status?.phase, "Bound");
        await eventually("the server's pod is gone", 60, async () =>
            (await namespace.podOrNone(POD)) === undefined ? undefined : "still there",
        );
        const secrets = await namespace.core.listNamespacedSecret({ namespace: namespace.name });
        assert.deepEqual(secrets.items, []);
    });

    it("takes the volume up again with the next up", async () => {
        await up();
        const third = await passwords();
        assert.notEqual(third.api, first.api);
        await untilServing(third.api);
        assert.equal(await countRows(third.api), "1010");
        await refused(API, first.api, /password authentication failed/);
    });

    function claim() {
        return namespace.core.readNamespacedPersistentVolumeClaim({
            name: CLAIM,
            namespace: namespace.name,
        });
    }

    async function restart(): Promise<void> {
        const { uid } = (await namespace.pod(POD)).metadata!;
        await namespace.core.deleteNamespacedPod({ name: POD, namespace: namespace.name });
        await namespace.untilReady(POD, uid);
    }
});

/** All that the backend wrote: state, history and backups. */
function filesBelow(root: string): string {
    return fs
        .readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
        .join("\n");
}

/** The process on this machine that is number 1 in a container of the pod. */
function firstProcessOf(podUid: string, command: string): number {
    const found = fs.readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        try {
            const [groups, status] = ["cgroup", "status"].map((file) =>
                fs.readFileSync(`/proc/${pid}/${file}`, "utf8"),
            ) as [string, string];
            const ours = groups.includes(podUid) || groups.includes(podUid.replaceAll("-", "_"));
            return (
                ours && status.startsWith(`Name:\t${command}\n`) && /^NSpid:.*\t1$/m.test(status)
            );
        } catch {
            return false; // It ended while it was looked at.
        }
    });
    assert.equal(found.length, 1, `processes of pod ${podUid}: ${found.join(", ")}`);
    return Number(found[0]);
}
