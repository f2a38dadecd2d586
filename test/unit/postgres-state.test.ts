import assert from "node:assert/strict";
import {
    databaseState,
    forbiddenDatabaseChanges,
    frozenTemplateChanges,
    parseDatabaseState,
    type WantedVolume,
} from "../../components/postgres/state";
import { describe as line } from "../../components/validation/violation";

const wanted: WantedVolume = { storage: "10Gi", database: "endpoint_stats", user: "admin" };
const volume = { namespace: "stats", claim: "postgres-data-postgres-0", ...wanted };
const previous = databaseState({ volume });

const MOVE =
    "to move the data, bring up a second stack with the new value in another namespace, copy the " +
    "data (pg_dump, psql), move the clients to it and destroy this one";

const changes = (change: Partial<WantedVolume>, from = previous) =>
    forbiddenDatabaseChanges(from, { ...wanted, ...change }).map(line);

describe("what a stack remembers of its database", () => {
    it("survives being written as JSON", () => {
        for (const state of [
            previous,
            databaseState({ volume: { ...volume, storageClassName: "fast" } }),
            databaseState({ host: "pg.example.com" }),
            databaseState({ host: "pg.example.com", volume }),
        ]) {
            assert.deepEqual(parseDatabaseState(JSON.parse(JSON.stringify(state))), state);
        }
    });

    it("is nothing where the outputs hold nothing that can be read", () => {
        for (const value of [undefined, null, "text", [], {}, { version: 2, volume }]) {
            assert.equal(parseDatabaseState(value), undefined);
        }
        const { claim: _claim, ...half } = volume;
        assert.deepEqual(parseDatabaseState({ version: 1, volume: half }), { version: 1 });
    });
});

describe("changes of a database with a volume", () => {
    it("are none before the first up, and none when nothing changes", () => {
        assert.deepEqual(forbiddenDatabaseChanges(undefined, { ...wanted, user: "other" }), []);
        assert.deepEqual(changes({}), []);
        assert.deepEqual(changes({ storage: "10240Mi" }), [], "the same size, written otherwise");
    });

    it("cannot make it smaller", () => {
        assert.deepEqual(changes({ storage: "5Gi" }), [
            `storage: got "5Gi", expected at least "10Gi", the size of this stack's volume, which Kubernetes cannot shrink; ${MOVE}`,
        ]);
    });

    it("can make it larger in two steps, which the error says", () => {
        assert.deepEqual(changes({ storage: "20Gi" }), [
            'storage: got "20Gi", expected "10Gi" until the volume has grown, as a StatefulSet\'s claim template ' +
                "cannot change; if its class allows expansion (kubectl get storageclass), grow it with " +
                "kubectl patch pvc postgres-data-postgres-0 --namespace stats --type merge --patch " +
                `'{"spec":{"resources":{"requests":{"storage":"20Gi"}}}}' and run up again; if not, ${MOVE}`,
        ]);
        const grown = databaseState({ volume: { ...volume, storage: "20Gi" } });
        assert.deepEqual(changes({ storage: "20Gi" }, grown), []);
    });

    it("cannot be of its class or its names", () => {
        assert.deepEqual(changes({ storageClassName: "fast", database: "users", user: "root" }), [
            `database: got "users", expected "endpoint_stats", the database that this stack's volume has, as the API would find an empty one; ${MOVE}`,
            `user: got "root", expected "admin", the superuser that this stack's volume was initialised with; ${MOVE}`,
            `storageClassName: got "fast", expected none (the cluster's default), the class that this stack's volume has, which Kubernetes cannot change; ${MOVE}`,
        ]);
        const fast = databaseState({ volume: { ...volume, storageClassName: "fast" } });
        assert.match(changes({}, fast)[0] ?? "", /storageClassName: got none, expected "fast"/);
    });

    it("count for a volume that an external server has taken over from", () => {
        const external = databaseState({ host: "pg.example.com", volume });
        assert.equal(changes({ user: "root" }, external).length, 1);
        assert.deepEqual(changes({ user: "root" }, databaseState({ host: "pg.example.com" })), []);
    });
});

describe("changes after a first up that failed", () => {
    const claim = { claim: volume.claim, namespace: volume.namespace };

    it("are none when the template is what is wanted", () => {
        assert.deepEqual(frozenTemplateChanges({ storage: "10Gi" }, wanted, claim), []);
        assert.deepEqual(frozenTemplateChanges({ storage: "10240Mi" }, wanted, claim), []);
    });

    it("are refused with the way to start over", () => {
        const steps =
            "with which an up that failed made the StatefulSet; to start over, without the data: " +
            "kubectl delete statefulset postgres --namespace stats, " +
            "kubectl delete pvc postgres-data-postgres-0 --namespace stats, then pulumi up --refresh";
        const made = { storage: "5Gi", storageClassName: "fast" };
        assert.deepEqual(frozenTemplateChanges(made, wanted, claim).map(line), [
            `storage: got "10Gi", expected "5Gi", ${steps}`,
            `storageClassName: got none, expected "fast", ${steps}`,
        ]);
    });
});
