import * as assert from "node:assert/strict";
import { lastDatabaseState } from "../../components/postgres/claim";
import { databaseState } from "../../components/postgres/state";
import { Postgres, type PostgresArgs } from "../../components/postgres";
import { InvalidArgs } from "../../components/validation/error";
import { failureOf } from "../support/rejection";
import { record, type RecordOptions } from "../support/mocks";

const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";

const volume = {
    namespace: "stats",
    claim: "postgres-data-postgres-0",
    storage: "10Gi",
    database: "endpoint_stats",
    user: "admin",
};
const previous = databaseState({ volume });

function deploy(args: Partial<PostgresArgs> = {}, options?: RecordOptions) {
    return record(() => {
        const { state } = new Postgres("postgres", { namespace: "stats", ...args });
        return { state };
    }, options);
}

/** A server whose claim template is not what the program says, as `ignoreChanges` leaves it. */
function made(storage: string, storageClassName?: string): RecordOptions {
    const template = { spec: { storageClassName, resources: { requests: { storage } } } };
    const metadata = { name: "postgres", namespace: "stats" };
    const server = { metadata, spec: { volumeClaimTemplates: [template] } };
    return { live: { [`${STATEFUL_SET}::postgres-server`]: server } };
}

describe("the volume of Postgres", () => {
    it("is what the stack remembers, as plain values", async () => {
        assert.deepEqual((await deploy()).outputs.state, previous);
        const args = { storage: "1Gi", storageClassName: "fast", database: "users", user: "root" };
        const { outputs } = await deploy(args);
        assert.deepEqual(outputs.state, { version: 1, volume: { ...volume, ...args } });
    });

    it("leaves no trace of `previous` in the component's own inputs", async () => {
        const inputs = async (args: Partial<PostgresArgs>) =>
            (await deploy(args)).one("cutover:index:Postgres").inputs;
        assert.deepEqual(await inputs({ previous }), await inputs({}));
    });

    it("cannot be changed, and nothing is declared when it should be", async () => {
        let refused: unknown;
        const { resources } = await record(() => {
            try {
                new Postgres("postgres", {
                    namespace: "stats",
                    previous,
                    storage: "5Gi",
                    user: "root",
                });
            } catch (error) {
                refused = error;
            }
            return {};
        });
        assert.ok(refused instanceof InvalidArgs);
        assert.match(refused.message, /^Postgres "postgres" has 2 problems:\n {2}user: /);
        assert.match(refused.message, /\n {2}storage: got "5Gi", expected at least "10Gi"/);
        assert.deepEqual(resources, []);
    });

    it("is remembered as it was grown, whatever the frozen template says", async () => {
        const grown = databaseState({ volume: { ...volume, storage: "20Gi" } });
        const { outputs } = await deploy({ storage: "20Gi", previous: grown }, made("10Gi"));
        assert.deepEqual(outputs.state, grown);
    });

    it("is not what the program says when an up made it that then failed", async () => {
        const larger = await failureOf(() => deploy({ storage: "20Gi" }, made("10Gi")));
        assert.match(larger.message, /storage: got "20Gi", expected "10Gi", with which an up/);
        const classless = await failureOf(() => deploy({}, made("10Gi", "fast")));
        assert.match(classless.message, /storageClassName: got none, expected "fast"/);
        const { outputs } = await deploy({ storageClassName: "fast" }, made("10Gi", "fast"));
        assert.equal((outputs.state as typeof previous).volume?.storageClassName, "fast");
    });
});

describe("what the stack's last outputs say of its volume", () => {
    const look = async (output: unknown, wanted: { host?: string; storage?: string }) => {
        const spec = { resources: { requests: { storage: "20Gi" } } };
        const { outputs } = await record(
            async () => ({ found: await lastDatabaseState(output, wanted) }),
            { live: { [`${CLAIM}::database-volume`]: { spec } } },
        );
        return outputs.found;
    };

    it("is believed while nothing should grow", async () => {
        for (const wanted of [{}, { storage: "10Gi" }, { storage: "5Gi" }]) {
            assert.deepEqual(await look(previous, wanted), previous);
        }
        assert.equal(await look(undefined, { storage: "20Gi" }), undefined);
        const external = { host: "pg.example.com", storage: "20Gi" };
        assert.deepEqual(await look(previous, external), previous);
    });

    it("is what the claim says by now when it should grow", async () => {
        const found = await look(previous, { storage: "15Gi" });
        assert.deepEqual(found, databaseState({ volume: { ...volume, storage: "20Gi" } }));
    });
});
