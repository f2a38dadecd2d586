// lane: exclusive, about 100 s
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { DemoResult } from "../../scripts/demo/recording";
import { requireCluster } from "../support/cluster";
import { DemoPlace } from "../support/demo";

describe("demo on a sandbox that runs already", function () {
    this.timeout(360_000);
    let place: DemoPlace;

    before(async function () {
        const { sandbox } = await requireCluster.call(this);
        if (!sandbox) return this.skip();
        place = await DemoPlace.open(sandbox);
    });

    after(() => place?.close());

    it("plays every phase without losing a request, and cleans up", async () => {
        const { code, stdout, stderr } = await place.start("out").output;
        const out = place.out("out");
        assert.equal(code, 0, stderr);
        const result = JSON.parse(stdout) as DemoResult;
        assert.deepEqual(result, JSON.parse(readFileSync(path.join(out, "demo.json"), "utf8")));
        assert.equal(result.passed, true);
        assert.equal(result.failed, 0);
        assert.ok(result.requests >= 5_000, `${result.requests} requests`);
        assert.match(result.engine, /^(cli|stand-in)$/);
        assert.match(result.engineVersion, /^\d+\.\d+\.\d+/);
        assert.match(result.kubernetes, /^v1\.\d+\.\d+/);
        assert.deepEqual(
            result.phases.map(({ name }) => name),
            ["deploy", "green", "no-op", "preview", "switch", "back"],
        );
        for (const phase of result.phases.slice(-2)) {
            assert.ok(phase.trafficMovedSeconds! <= 1, `${phase.name} moved`);
        }
        const { keptAlive, new: fresh } = result.connections;
        assert.equal(keptAlive.requests + fresh.requests, result.requests);
        assert.ok(Math.abs(keptAlive.requests - fresh.requests) <= 1, "half each");
        assert.deepEqual(Object.keys(result.requestsPerRelease).sort(), ["1.0.0", "2.0.0"]);
        for (const name of ["demo.html", "demo.svg"]) {
            assert.match(readFileSync(path.join(out, name), "utf8"), /requests failed/, name);
        }
        await place.assertNothingLeft();
    });
});
