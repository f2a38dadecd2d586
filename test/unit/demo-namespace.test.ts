import assert from "node:assert/strict";
import { identify } from "../../sandbox/machine/process";
import { MADE_BY_DEMO, notToRemove } from "../../scripts/demo/namespace";

describe("a namespace that the demo finds", () => {
    const own = identify(process.pid);
    assert.ok(own);
    const made = (by: object | string) => ({
        metadata: {
            annotations: { [MADE_BY_DEMO]: typeof by === "string" ? by : JSON.stringify(by) },
        },
    });

    it("is never removed when no demo made it", () => {
        assert.match(notToRemove({ metadata: {} }, 0) ?? "", /end what runs there/);
        assert.match(notToRemove({}, 0) ?? "", /end what runs there/);
    });

    it("is another demo's while that runs, with or without pods", () => {
        assert.equal(notToRemove(made(own), 0), "another demo is running");
        assert.equal(notToRemove(made(own), 4), "another demo is running");
    });

    it("is a kept demo's while pods are there", () => {
        assert.match(notToRemove(made({ ...own, started: "1" }), 1) ?? "", /was kept/);
    });

    it("is a left-over once demo and pods are gone, whatever the mark says", () => {
        for (const by of [{ ...own, started: "1" }, { ...own, boot: "other" }, {}, "", "torn{"]) {
            assert.equal(notToRemove(made(by), 0), undefined);
        }
    });
});
