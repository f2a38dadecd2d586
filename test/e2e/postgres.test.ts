// lane: shared, about 90 s
import * as assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { loadImages } from "../../sandbox/images";
import { silentProgress } from "../../scripts/progress";
import { type Cluster, requireCluster } from "../support/cluster";
import { API, Client, type Passwords } from "./postgres/client";
import { eventually, TestNamespace } from "./postgres/namespace";
import { firstProcessOf } from "./postgres/process";
import { openStack, type PostgresStack } from "./postgres/stack";

const POD = "postgres-0";
const CLAIM = "postgres-data-postgres-0";

/** The steps build on each other: one volume lives through all of them. */
describe("Postgres on a cluster", function () {
    this.timeout(180_000);
    this.bail(true);
    let cluster: Cluster;
    let namespace: TestNamespace;
    let client: Client;
    let postgres: PostgresStack;
    /** The passwords that are valid now. */
    let current: Passwords;
    /** How many rows were committed so far. */
    let rows = 0;

    before(async function () {
        cluster = await requireCluster.call(this);
        if (cluster.sandbox !== undefined) {
            await loadImages(cluster.sandbox, silentProgress, { only: ["postgres"] });
        }
        const name = `e2e-postgres-${randomBytes(3).toString("hex")}`;
        namespace = new TestNamespace(cluster.kubeconfig, cluster.context, name);
        client = new Client(namespace);
        postgres = await openStack(cluster, name);
    });

    after(async () => {
        await namespace?.remove();
        postgres?.remove();
    });

    const up = () => postgres.stack.up({ showSecrets: false });

    async function addRows(count: number): Promise<void> {
        await client.addRows(current, count);
        rows += count;
    }

    async function expectRows(): Promise<void> {
        // Asked again when the connection is refused: on a busy node a probe may time out, and the
        // server is out of its Service for a moment.
        await eventually(`there are ${rows} rows`, 60, async () => {
            const count = await client.countRows(current).catch(String);
            return count === rows ? undefined : String(count);
        });
    }

    it("starts on an empty volume and answers as host db", async () => {
        await up();
        await client.start(await image());
        current = await client.passwords();
        assert.match(current.admin, /^[A-Za-z0-9]{32}$/);
        assert.match(current.api, /^[A-Za-z0-9]{32}$/);
        assert.notEqual(current.admin, current.api);
        await client.untilServing(current);
        await client.query(API, current.api, "create table visits (path text)");
        await addRows(1_000);
        await expectRows();
        const admin = (sql: string) => client.query("admin", current.admin, sql);
        assert.match(await admin("show server_version"), /^1[4-9]\./);
        assert.equal(await admin("show data_checksums"), "on");
    });

    it("gives the API's role its one database and nothing else", async () => {
        assert.equal(await client.isApiSuperuser(current), false);
        const asApi = (why: RegExp, sql: string, database?: string) =>
            client.refused(API, current.api, why, sql, database);
        await asApi(/permission denied/, "create role other");
        await asApi(/permission denied/, "create database other");
        await asApi(/no pg_hba\.conf entry/, "select 1", "postgres");
        await client.refused(API, "", /no password supplied/);
        await client.refused("postgres", current.admin, /no pg_hba\.conf entry/);
    });

    it("writes no password where one could read it", async () => {
        const processes = ["bash", "-c", "cat /proc/*/environ /proc/*/cmdline"];
        const maps = await namespace.core.listNamespacedConfigMap({ namespace: namespace.name });
        const places = {
            pod: JSON.stringify(await namespace.pod(POD)),
            processes: (await namespace.exec(POD, processes)).stdout,
            configMaps: JSON.stringify(maps.items),
            state: postgres.everythingStored(),
            log: await namespace.logs(POD),
        };
        assert.match(places.processes, /POSTGRES_PASSWORD_FILE/);
        assert.match(places.state, /"ciphertext"/);
        assert.match(places.log, /reconciling the roles/);
        for (const [place, text] of Object.entries(places)) {
            for (const password of [current.admin, current.api]) {
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
        const { uid } = (await namespace.pod(POD)).metadata!;
        await namespace.core.deleteNamespacedPod({ name: POD, namespace: namespace.name });
        await namespace.untilReady(POD, uid);
        await expectRows();
        assert.doesNotMatch(await namespace.logs(POD), /not properly shut down/);
    });

    it("comes back with its committed rows after its process was killed", async function () {
        // Process 1 of a container cannot be killed from inside, and other nodes are not ours.
        if (cluster.sandbox === undefined) return this.skip();
        await addRows(10);
        const { metadata } = await namespace.pod(POD);
        process.kill(firstProcessOf(metadata!.uid!, "postgres"), "SIGKILL");
        await eventually("the container was restarted", 60, async () => {
            const { status } = await namespace.pod(POD);
            const restarts = status?.containerStatuses?.[0]?.restartCount;
            return restarts === 1 ? undefined : `${restarts} restarts`;
        });
        await expectRows();
        assert.match(await namespace.logs(POD), /not properly shut down; automatic recovery/);
    });

    it("comes back when an image that does not exist is put right", async () => {
        const right = await image();
        await setImage("cutover.local/no-such-image:1");
        await eventually("the new image cannot be pulled", 60, async () => {
            const { status } = (await namespace.podOrNone(POD)) ?? {};
            const reason = status?.containerStatuses?.[0]?.state?.waiting?.reason ?? "";
            const cannot = /ErrImagePull|ImagePullBackOff/.test(reason);
            return cannot ? undefined : JSON.stringify(status);
        });
        await setImage(right);
        await expectRows();
    });

    it("takes new passwords to the volume it has, and takes power from the API's role", async () => {
        // The loudest server there is: not even this one may write a password down.
        const admin = (sql: string) => client.query("admin", current.admin, sql);
        for (const setting of ["log_statement = 'all'", "log_min_duration_statement = 0"]) {
            await admin(`alter system set ${setting}`);
            await admin(`alter role admin set ${setting}`);
        }
        await admin(`alter role ${API} superuser createdb createrole`);
        const { uid } = (await namespace.pod(POD)).metadata!;
        const server = (await statefulSet()).metadata!.uid;
        const old = current;

        await postgres.configure("passwordVersion", "2");
        await up();
        await namespace.untilReady(POD, uid);
        assert.equal((await statefulSet()).metadata!.uid, server, "updated, not replaced");
        current = await client.passwords();
        assert.notEqual(current.admin, old.admin);
        assert.notEqual(current.api, old.api);
        await expectRows();
        assert.equal(await client.isApiSuperuser(current), false);
        await client.refused(API, current.api, /permission denied/, "create database other");
        await client.refused(API, old.api, /password authentication failed/);
        await client.refused("admin", old.admin, /password authentication failed/);

        const log = await namespace.logs(POD);
        assert.match(log, /statement: .*GRANT/, "statements are logged");
        for (const password of [current.admin, current.api]) {
            assert.ok(!log.includes(password), "a password is logged");
        }
    });

    it("leaves the volume behind when it is destroyed, and says so", async () => {
        const { uid } = (await claim()).metadata!;
        const { stdout } = await postgres.stack.destroy({ showSecrets: false });
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
        const old = current;
        await up();
        current = await client.passwords();
        assert.notEqual(current.api, old.api);
        await expectRows();
        await client.refused(API, old.api, /password authentication failed/);
    });

    async function image(): Promise<string> {
        return (await namespace.pod(POD)).spec!.containers[0]!.image!;
    }

    function setImage(value: string) {
        const path = "/spec/template/spec/containers/0/image";
        return namespace.apps.patchNamespacedStatefulSet({
            name: "postgres",
            namespace: namespace.name,
            body: [{ op: "replace", path, value }],
        });
    }

    function statefulSet() {
        const name = { name: "postgres", namespace: namespace.name };
        return namespace.apps.readNamespacedStatefulSet(name);
    }

    function claim() {
        return namespace.core.readNamespacedPersistentVolumeClaim({
            name: CLAIM,
            namespace: namespace.name,
        });
    }
});
