import assert from "node:assert/strict";
import * as fc from "fast-check";
import { canonicalQuantity } from "../../../sandbox/engine/providers/kubernetes/quantity";

describe("canonical quantities", () => {
    // As apimachinery's Quantity prints what it parses.
    const cases: [string, string][] = [
        ["100m", "100m"],
        ["1000m", "1"],
        ["0.5", "500m"],
        ["1.5", "1500m"],
        ["2", "2"],
        ["2000", "2k"],
        ["0", "0"],
        ["0m", "0"],
        ["128Mi", "128Mi"],
        ["1024Mi", "1Gi"],
        ["0.5Gi", "512Mi"],
        ["1.5Gi", "1536Mi"],
        ["1Ki", "1Ki"],
        ["0.5Ki", "512"],
        ["100000k", "100M"],
        ["1e3", "1e3"],
        ["1E3", "1e3"],
        ["12345", "12345"],
        ["-1500m", "-1500m"],
        ["0.1n", "1n"],
    ];
    for (const [given, expected] of cases) {
        it(`writes ${given} as ${expected}`, () => {
            assert.equal(canonicalQuantity(given), expected);
        });
    }

    it("leaves what is no quantity to the API server", () => {
        for (const text of ["", "abc", "1 Gi", "1Gib", "Mi"]) {
            assert.equal(canonicalQuantity(text), text);
        }
    });

    it("is stable: a canonical quantity stays as it is", () => {
        const quantity = fc
            .tuple(
                fc.nat(100_000),
                fc.option(fc.nat(999), { nil: undefined }),
                fc.constantFrom("", "m", "k", "M", "G", "Ki", "Mi", "Gi"),
            )
            .map(
                ([whole, part, suffix]) =>
                    `${whole}${part === undefined ? "" : `.${part}`}${suffix}`,
            );
        fc.assert(
            fc.property(quantity, (text) => {
                const once = canonicalQuantity(text);
                assert.equal(canonicalQuantity(once), once);
            }),
        );
    });
});
