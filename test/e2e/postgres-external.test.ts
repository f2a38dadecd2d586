// lane: shared, about 150 s
import * as assert from "node:assert/strict";
import { StorageV1Api } from "@kubernetes/client-node";
import { loadImages } from "../../sandbox/images";
import { connect } from "../../scripts/demo/cluster";
import { silentProgress } from "../../scripts/progress";
import { type Cluster, requireCluster } from "../support/cluster";
import { apiImage } from "../support/e2e";
import { apiPod, expectConnection, expectOneDatabase, hits } from "./postgres/apis";
import { TestNamespace } from "./postgres/namespace";
import { openStack, type PostgresStack } from "./postgres/stack";

const NAME = "e2e-external";
const COLOR = `${NAME}-blue`;
const SERVER = `${NAME}-server`;
const CLASS = `${NAME}-expandable`;
const NODE_PORT = 30_610;
const CLAIM = "postgres-data-postgres-0";
const PASSWORD_FILE = "/etc/cutover/database/password";

/** The steps build on each other: one stack, whose database changes hands. */
describe("the database of a stack, its own and another's", function () {
    this.timeout(240_000);
    this.bail(true);
    let cluster: Cluster;
    let own: TestNamespace;
    let color: TestNamespace;
    let other: TestNamespace;
    let stack: PostgresStack;
    let server: PostgresStack;
    let classes: StorageV1Api;
    /** Of the API's role on the other server. */
    let password: string;

    before(async function () {
        cluster = await requireCluster.call(this);
        if (cluster.sandbox !== undefined) {
            await loadImages(cluster.sandbox, silentProgress, { only: ["postgres", "api"] });
        }
        const space = (name: string) =>
            new TestNamespace(cluster.kubeconfig, cluster.context, name);
        [own, color, other] = [space(NAME), space(COLOR), space(SERVER)];
        await Promise.all([own, color, other].map((namespace) => namespace.remove()));
        const { client } = await connect(cluster.context, cluster.kubeconfig);
        classes = client.makeApiClient(StorageV1Api);
        await makeClass();
        server = await openStack(cluster, SERVER);
        stack = await openStack(cluster, NAME, "external-database");
        await stack.configure("apiImage", apiImage("1.0.0"));
        await stack.configure("nodePort", String(NODE_PORT));
        await stack.configure("database.storage", "256Mi");
        await stack.configure("database.storageClassName", CLASS);
    });

    after(async () => {
        const namespaces = [own, color, other].filter((namespace) => namespace !== undefined);
        await Promise.all(namespaces.map((namespace) => namespace.remove()));
        await classes?.deleteStorageClass({ name: CLASS }).catch(() => undefined);
        stack?.remove();
        server?.remove();
    });

    /** Like the cluster's own class, but its volumes may be asked to grow. */
    async function makeClass(): Promise<void> {
        const { items } = await classes.listStorageClass();
        if (items.some(({ metadata }) => metadata?.name === CLASS)) return;
        const isDefault = "storageclass.kubernetes.io/is-default-class";
        const standard = items.find(
            ({ metadata }) => metadata?.annotations?.[isDefault] === "true",
        );
        assert.ok(standard, "the cluster has a default StorageClass");
        const { provisioner, volumeBindingMode, reclaimPolicy, parameters } = standard;
        const body = { provisioner, volumeBindingMode, reclaimPolicy, parameters };
        await classes.createStorageClass({
            body: { ...body, metadata: { name: CLASS }, allowVolumeExpansion: true },
        });
    }

    const up = () => stack.stack.up({ showSecrets: false });

    /** Another `up` would do nothing but read, or forget what the last one has read. */
    async function expectNoChange(): Promise<void> {
        const { changeSummary, stdout } = await stack.stack.preview();
        const steps = Object.keys(changeSummary).filter(
            (step) => step !== "read" && step !== "discard",
        );
        assert.deepEqual(steps, ["same"], stdout);
    }

    const failureOf = async (command: () => Promise<unknown>): Promise<string> => {
        try {
            await command();
        } catch (error) {
            return String(error);
        }
        throw new assert.AssertionError({ message: "the command succeeded" });
    };

    const expectOne = () => expectOneDatabase(NODE_PORT, NODE_PORT + 1);

    function claim() {
        return own.core.readNamespacedPersistentVolumeClaim({ name: CLAIM, namespace: NAME });
    }

    /** All that a change of the database could touch, with the version of each object. */
    async function everything(): Promise<string[]> {
        const namespace = { namespace: NAME };
        const lists = await Promise.all([
            own.apps.listNamespacedStatefulSet(namespace),
            own.apps.listNamespacedDeployment(namespace),
            own.core.listNamespacedService(namespace),
            own.core.listNamespacedSecret(namespace),
            own.core.listNamespacedConfigMap(namespace),
            own.core.listNamespacedPersistentVolumeClaim(namespace),
        ]);
        const pods = await own.core.listNamespacedPod(namespace);
        return [
            ...lists.flatMap(({ items }) =>
                items.map(({ metadata: m }) => `${m?.name} ${m?.uid} ${m?.resourceVersion}`),
            ),
            ...pods.items.map(({ metadata }) => metadata?.uid ?? ""),
        ];
    }

    function expectNoPassword(where: string, text: string): void {
        for (const form of [
            password,
            encodeURIComponent(password),
            Buffer.from(password).toString("base64"),
        ]) {
            assert.ok(!text.includes(form), `the password is in ${where}`);
        }
    }

    it("has an external server to move to", async () => {
        await server.stack.up({ showSecrets: false });
        password = await other.secret("postgres-secret", "api-password");
        assert.match(password, /^[A-Za-z0-9]{32}$/);
    });

    it("is not fooled by a first up that failed", async () => {
        await stack.configure("fail", "true");
        assert.match(await failureOf(up), /failed on purpose, with the database in place/);
        assert.deepEqual(await stack.stack.outputs(), {});
        const { uid } = (await own.pod("postgres-0")).metadata!;

        await stack.configure("database.storage", "128Mi");
        const refused = /storage: got "128Mi", expected "256Mi", with which an up that failed made/;
        assert.match(await failureOf(() => stack.stack.preview()), refused);
        assert.match(await failureOf(up), refused);
        assert.equal((await claim()).spec?.resources?.requests?.storage, "256Mi");
        assert.equal((await own.pod("postgres-0")).metadata?.uid, uid);

        await stack.unset("fail");
        await stack.configure("database.storage", "256Mi");
        await up();
        await expectOne();
    });

    it("reaches its own server from both namespaces as host db", async () => {
        await expectConnection(own);
        await expectConnection(color);
        const secret = await color.secret("db-secret-blue", "url");
        const api = await own.secret("postgres-secret", "api-password");
        assert.equal(secret, `postgresql://endpoint_stats_api:${api}@db:5432/endpoint_stats`);
        await expectNoChange();
    });

    for (const [key, value, message] of [
        ["storage", "128Mi", /storage: got "128Mi", expected at least "256Mi"/],
        ["storage", "1Gi", /storage: got "1Gi", expected "256Mi" until the volume has grown/],
        ["storageClassName", "standard", /storageClassName: got "standard", expected "e2e-ext/],
        ["database", "users", /database: got "users", expected "endpoint_stats"/],
        ["user", "root", /user: got "root", expected "admin"/],
    ] as const) {
        it(`refuses ${key} ${value}, and leaves everything as it was`, async () => {
            const before = await everything();
            const initial = { storage: "256Mi", storageClassName: CLASS }[key as string];
            await stack.configure(`database.${key}`, value);
            assert.match(await failureOf(() => stack.stack.preview()), message);
            assert.match(await failureOf(up), message);
            assert.deepEqual(await everything(), before);
            if (initial === undefined) await stack.unset(`database.${key}`);
            else await stack.configure(`database.${key}`, initial);
            await expectNoChange();
        });
    }

    it("takes a larger volume once it has been grown as the error says", async () => {
        const { uid } = (await own.pod("postgres-0")).metadata!;
        await stack.configure("database.storage", "512Mi");
        const error = await failureOf(() => stack.stack.preview());
        const [, name, namespace, patch] =
            /kubectl patch pvc (\S+) --namespace (\S+) --type merge --patch '([^']+)'/.exec(
                error,
            ) ?? [];
        await own.core.patchNamespacedPersistentVolumeClaim({
            name: name!,
            namespace: namespace!,
            body: asJsonPatch(patch!),
        });
        const { outputs } = await up();
        assert.equal(outputs.databaseState?.value.volume.storage, "512Mi");
        assert.equal((await own.pod("postgres-0")).metadata?.uid, uid, "nothing was restarted");
        await expectNoChange();
        await stack.configure("database.storage", "256Mi");
        assert.match(await failureOf(() => stack.stack.preview()), /expected at least "512Mi"/);
        await stack.configure("database.storage", "512Mi");
    });

    it("moves to an external server by its name, and keeps its volume", async () => {
        for (const key of ["storage", "storageClassName"]) await stack.unset(`database.${key}`);
        await stack.configure("database.host", `postgres.${SERVER}.svc.cluster.local`);
        await stack.configure("database.password", password, { secret: true });
        const before = (await claim()).metadata?.uid;
        const { outputs, stdout } = await up();
        await expectOne();
        await expectConnection(own);
        await expectConnection(color);
        assert.equal(outputs.databaseState?.value.host, `postgres.${SERVER}.svc.cluster.local`);
        assert.match(outputs.keptOnDestroy?.value, new RegExp(`claim ${CLAIM}`));
        const sets = await own.apps.listNamespacedStatefulSet({ namespace: NAME });
        assert.deepEqual(sets.items, [], "its own server is gone");
        assert.equal((await claim()).metadata?.uid, before);
        await expectNoChange();
        expectNoPassword("the output", stdout);
    });

    it("mounts the URL as a file, readable to the API alone, and has no variable", async () => {
        const pod = await apiPod(color);
        const { stdout } = await color.exec(pod, ["cat", "/etc/cutover/database/url"]);
        const expected = `postgresql://endpoint_stats_api:${password}@db:5432/endpoint_stats`;
        assert.equal(stdout, expected);
        const env = await color.exec(pod, ["cat", "/proc/1/environ"]);
        assert.match(env.stdout, /DATABASE_URL_FILE=/);
        expectNoPassword("the environment", env.stdout);
        expectNoPassword("the pod's manifest", JSON.stringify(await color.pod(pod)));
    });

    it("writes the password down nowhere: not in state, history, outputs or diffs", async () => {
        const { stdout, stderr } = await stack.stack.preview({ diff: true });
        expectNoPassword("the preview", stdout + stderr);
        const stored = stack.everythingStored();
        assert.match(stored, /db-secret-blue/);
        expectNoPassword("the backend", stored);
        expectNoPassword("the outputs", JSON.stringify(await stack.stack.outputs()));
    });

    it("reaches it by address, with the password in the user's own Secret", async () => {
        const ip = (await other.pod("postgres-0")).status?.podIP ?? "";
        await own.core.createNamespacedSecret({
            namespace: NAME,
            body: { metadata: { name: "theirs" }, stringData: { api: password } },
        });
        await stack.unset("database.password");
        await stack.configure("database.host", ip);
        await stack.configure("database.passwordSecret.name", "theirs");
        await stack.configure("database.passwordSecret.key", "api");
        await stack.configure("database.urlAsEnv", "true");
        await up();
        await expectOne();
        await expectConnection(own);
        await expectConnection(color);
        const secrets = await own.core.listNamespacedSecret({ namespace: NAME });
        const names = secrets.items.map(({ metadata }) => metadata?.name);
        assert.ok(!names.includes("database-secret"), "nothing is copied beside it");
        const inColor = await color.exec(await apiPod(color), ["cat", "/proc/1/environ"]);
        assert.match(inColor.stdout, /DATABASE_URL=postgresql:/, "as it was asked for");
        expectNoPassword("the backend", stack.everythingStored());
    });

    it("finds the rows of its own server when that comes back", async () => {
        await stack.configure(
            "database",
            JSON.stringify({ user: "root", storageClassName: CLASS }),
        );
        assert.match(await failureOf(up), /user: got "root", expected "admin"/);
        const kept = { storage: "512Mi", storageClassName: CLASS };
        await stack.configure("database", JSON.stringify(kept));
        await up();
        assert.ok((await hits(NODE_PORT)) >= 2, "what was counted before the move");
        await expectOne();
        const file = await own.exec(await apiPod(own), ["cat", PASSWORD_FILE]);
        assert.equal(file.stdout, await own.secret("postgres-secret", "api-password"));
    });

    it("leaves the volume, and nothing else, when it is destroyed", async () => {
        await stack.stack.destroy({ showSecrets: false });
        assert.equal((await claim()).status?.phase, "Bound");
        for (const namespace of [own, color]) {
            const services = await namespace.core.listNamespacedService({
                namespace: namespace.name,
            });
            assert.deepEqual(services.items, []);
        }
        await server.stack.destroy({ showSecrets: false });
    });
});

/** The one change in a merge patch for a claim's size, as the client sends patches. */
function asJsonPatch(merge: string): object[] {
    const { spec } = JSON.parse(merge) as {
        spec: { resources: { requests: { storage: string } } };
    };
    const { storage } = spec.resources.requests;
    return [{ op: "replace", path: "/spec/resources/requests/storage", value: storage }];
}
