import assert from "node:assert/strict";
import { HitCounter } from "../../sandbox/api/src/hits";
import { MemoryStore, capturingLogger } from "./api-support";

function counter(intervalMs?: number) {
    const store = new MemoryStore();
    const { log, lines } = capturingLogger();
    return { store, lines, hits: new HitCounter(store, log, intervalMs) };
}

describe("the sample API's hit counter", () => {
    it("adds what was counted in one write, once", async () => {
        const { store, hits } = counter();
        hits.count("GET /");
        hits.count("GET /");
        hits.count("GET /stats");
        assert.equal(await hits.flush(), true);
        assert.equal(await hits.flush(), true);
        assert.deepEqual([...store.kept], [["GET /", 2], ["GET /stats", 1]]); // prettier-ignore
        assert.equal(store.writes, 1);
    });

    it("keeps hits while the store is away and writes them when it is back", async () => {
        const { store, hits, lines } = counter();
        store.broken = true;
        hits.count("GET /");
        assert.equal(await hits.flush(), false);
        hits.count("GET /");
        assert.equal(await hits.flush(), false);
        store.broken = false;
        hits.count("GET /");
        assert.equal(await hits.flush(), true);
        assert.equal(store.kept.get("GET /"), 3);
        // One line when it goes and one when it comes back, however often it was tried.
        assert.deepEqual(
            lines.map((line) => line.message),
            ["hits are kept until they can be written", "hits are written again"],
        );
    });

    it("counts on while a write is under way, and neither loses nor doubles a hit", async () => {
        const { store, hits } = counter();
        let open: () => void = () => undefined;
        store.gate = new Promise((resolve) => (open = resolve));
        hits.count("GET /");
        const first = hits.flush();
        hits.count("GET /");
        const joined = hits.flush();
        open();
        assert.deepEqual(await Promise.all([first, joined]), [true, true]);
        assert.equal(store.kept.get("GET /"), 1);
        assert.equal(await hits.stop(), true);
        assert.equal(store.kept.get("GET /"), 2);
    });

    it("writes by itself once started", async () => {
        const { store, hits } = counter(5);
        hits.start();
        hits.count("GET /");
        const deadline = Date.now() + 2000;
        while (store.kept.size === 0 && Date.now() < deadline) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await hits.stop();
        assert.equal(store.kept.get("GET /"), 1);
    });

    it("says that the last hits are lost when the store stays away", async () => {
        const { store, hits } = counter();
        store.broken = true;
        hits.count("GET /");
        assert.equal(await hits.stop(), false);
    });

    it("holds a bounded number of endpoints", async () => {
        const { store, hits } = counter();
        for (let index = 0; index < 1500; index += 1) hits.count(`GET /${index}`);
        hits.count("GET /0");
        await hits.flush();
        assert.equal(store.kept.size, 1000);
        assert.equal(store.kept.get("GET /0"), 2);
    });

    it("shows the store's numbers with its own, and the last known ones when it is away", async () => {
        const { store, hits } = counter();
        store.kept.set("GET /", 40);
        hits.count("GET /");
        assert.deepEqual(await hits.totals(), {
            endpoints: new Map([["GET /", 41]]),
            stale: false,
        });
        store.broken = true;
        hits.count("GET /");
        assert.deepEqual(await hits.totals(), { endpoints: new Map([["GET /", 42]]), stale: true });
    });
});
