// lane: shared, about 40 s
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { CoreV1Api } from "@kubernetes/client-node";
import { deleteNamespace, hasNamespace } from "../../scripts/demo/cluster";
import { MADE_BY_DEMO } from "../../scripts/demo/namespace";
import { requireCluster } from "../support/cluster";
import { DEMO_NAMESPACE, DemoPlace } from "../support/demo";

// The demo's namespace is also that of the test of a whole demo, which runs alone and later.
describe("demo that does not come to its end", function () {
    this.timeout(360_000);
    let place: DemoPlace;

    before(async function () {
        const { sandbox } = await requireCluster.call(this);
        if (!sandbox) return this.skip();
        place = await DemoPlace.open(sandbox);
    });

    after(async () => {
        if (place) await deleteNamespace(place.cluster, DEMO_NAMESPACE);
        place?.close();
    });

    async function createNamespace(annotations: Record<string, string>): Promise<void> {
        const api = place.cluster.client.makeApiClient(CoreV1Api);
        await api.createNamespace({ body: { metadata: { name: DEMO_NAMESPACE, annotations } } });
    }

    it("refuses a namespace that is not its own, and leaves it alone", async () => {
        await createNamespace({});
        const { code, stderr } = await place.start("refused").output;
        assert.equal(code, 1, stderr);
        assert.match(
            stderr,
            /namespace endpoint-stats exists already .* end what runs there first/,
        );
        assert.equal(await hasNamespace(place.cluster, DEMO_NAMESPACE), true);
        await deleteNamespace(place.cluster, DEMO_NAMESPACE);
    });

    it("takes its own left-over for none, refuses the one in use, cleans up after Ctrl-C", async () => {
        await createNamespace({ [MADE_BY_DEMO]: "{}" });
        const demo = place.start("interrupted");
        await demo.reached("- no-op");
        const second = await place.start("second").output;
        assert.equal(second.code, 1);
        assert.match(
            second.stderr,
            /namespace endpoint-stats exists already .* another demo is running/,
        );

        demo.interrupt();
        const { code, stdout, stderr } = await demo.output;
        assert.equal(code, 130, stderr);
        assert.match(stderr, /interrupted by SIGINT/);
        assert.equal(stdout, "");
        assert.ok(!existsSync(place.out("interrupted")), "half a run has no result");
        await place.assertNothingLeft();
    });
});
