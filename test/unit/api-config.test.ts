import assert from "node:assert/strict";
import { ConfigError, readConfig } from "../../sandbox/api/src/config";

describe("the sample API's settings", () => {
    it("have the documented defaults", () => {
        assert.deepEqual(readConfig({}), {
            port: 9999,
            release: "unknown",
            color: "none",
            pod: "unknown",
            namespace: "unknown",
            greeting: "Endpoint statistics",
            database: {
                host: "db",
                port: 5432,
                name: "endpoint_stats",
                user: "endpoint_stats_api",
                passwordFile: "/etc/cutover/database/password",
                urlFile: undefined,
                url: undefined,
            },
            fault: { kind: undefined, errorPercent: 20, delayMs: 2000, crashAfterSeconds: 0 },
            connections: { maxAgeSeconds: 30, drainIdleSeconds: 5, drainTimeoutSeconds: 15 },
        });
    });

    it("come from the environment, a zero as a zero", () => {
        const config = readConfig({
            PORT: "8080",
            RELEASE: "2.0.0",
            DB_HOST: "elsewhere",
            FAULT: "errors",
            FAULT_ERROR_PERCENT: "0",
            MAX_CONNECTION_AGE_SECONDS: "0",
        });
        assert.equal(config.port, 8080);
        assert.equal(config.release, "2.0.0");
        assert.equal(config.database.host, "elsewhere");
        assert.equal(config.fault.kind, "errors");
        assert.equal(config.fault.errorPercent, 0);
        assert.equal(config.connections.maxAgeSeconds, 0);
    });

    it("take the color, else the track", () => {
        assert.equal(readConfig({ COLOR: "green", TRACK: "canary" }).color, "green");
        assert.equal(readConfig({ TRACK: "canary" }).color, "canary");
        assert.equal(readConfig({ COLOR: "", TRACK: "stable" }).color, "stable");
    });

    it("take an empty fault for none", () => {
        assert.equal(readConfig({ FAULT: "" }).fault.kind, undefined);
    });

    it("are not what Kubernetes says of a Service named db", () => {
        assert.equal(readConfig({ DB_PORT: "tcp://10.96.59.168:5432" }).database.port, 5432);
    });

    it("fail with every problem at once", () => {
        const bad = { PORT: "70000", DB_PORT: "5432x", FAULT: "explode", FAULT_DELAY_MS: "-1" };
        assert.throws(
            () => readConfig(bad),
            (error: unknown) => {
                assert.ok(error instanceof ConfigError);
                assert.deepEqual([...error.problems].sort(), [
                    'DB_PORT: got "5432x", expected a number 1 to 65535',
                    'FAULT: got "explode", expected never-ready, crash, errors, slow',
                    'FAULT_DELAY_MS: got "-1", expected a number 0 to 60000',
                    'PORT: got "70000", expected a number 0 to 65535',
                ]);
                return true;
            },
        );
    });

    it("refuse a port that is no integer", () => {
        assert.throws(() => readConfig({ PORT: "80.5" }), /PORT: got 80.5, expected an integer/);
    });
});
