// lane: shared, about 50 s
import * as assert from "node:assert/strict";
import { CoreV1Api } from "@kubernetes/client-node";
import { requireCluster } from "../support/cluster";
import { LoadedStack, openTestStack, type TestStack } from "../support/e2e";

const MINUTE = 60_000;
const NAME = "e2e-passwords";

describe("new database passwords under load", function () {
    this.timeout(5 * MINUTE);
    this.bail(true);

    let target: TestStack;
    let load: LoadedStack;
    let core: CoreV1Api;

    before(async function () {
        const cluster = await requireCluster.call(this);
        target = await openTestStack(cluster, { name: NAME, nodePort: 30_993 });
        core = target.cluster.client.makeApiClient(CoreV1Api);
        await target.stack.up();
        load = await LoadedStack.start(target);
    });

    after(async function () {
        this.timeout(3 * MINUTE);
        await load?.stop();
        await target?.destroy();
    });

    async function password(): Promise<string> {
        const secret = { name: "postgres-secret", namespace: NAME };
        return (await core.readNamespacedSecret(secret)).data?.["api-password"] ?? "";
    }

    async function apiPods(): Promise<string[]> {
        const pods = await core.listNamespacedPod({
            namespace: NAME,
            labelSelector: "app=flask-api",
        });
        return pods.items.map(({ metadata }) => metadata!.name!);
    }

    /** Hits as the database has them; fails while the API only has its own. */
    async function hits(): Promise<number> {
        const response = await fetch(`${target.url}/stats`);
        const { endpoints, stale } = (await response.json()) as {
            endpoints: Record<string, number>;
            stale: boolean;
        };
        assert.equal(stale, false, "the API reads the database");
        return Object.values(endpoints).reduce((sum, count) => sum + count, 0);
    }

    it("measures itself against updates that change nothing", async () => {
        const { run } = await load.baseline();
        assert.deepEqual(run.changes, []);
    });

    it("loses no request, and the API logs in with the new one", async () => {
        const [oldPassword, oldPods, oldHits] = [await password(), await apiPods(), await hits()];
        assert.ok(oldHits > 0, "hits are counted in the database");
        await load.transition("database passwords changed", async () => {
            await target.stack.configure({ "cutover:database.passwordVersion": "2" });
            return target.stack.up();
        });
        assert.notEqual(await password(), oldPassword);
        const pods = await apiPods();
        assert.equal(pods.length, 3);
        assert.deepEqual(
            pods.filter((pod) => oldPods.includes(pod)),
            [],
            "every pod of the API is a new one",
        );
        assert.ok((await hits()) > oldHits, "hits go to the database again");
    });

    it("loses no request while the database restarts", async () => {
        const oldHits = await hits();
        await load.transition("database restarted", async () => {
            await core.deleteNamespacedPod({ name: "postgres-0", namespace: NAME });
            return target.stack.up();
        });
        assert.ok((await hits()) > oldHits, "hits go to the database again");
    });
});
