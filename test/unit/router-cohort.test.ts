import assert from "node:assert/strict";
import fc from "fast-check";
import { cohort } from "../../components/router";
import { murmur2 } from "../../components/router/cohort";
import { colors, sides } from "./router/cases";

const tenths = fc.integer({ min: 0, max: 1_000 }).map((weight) => weight / 10);
const keys = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);

describe("the cohort of a client", () => {
    it("is found by nginx's hash", () => {
        // MurmurHash2 as its author published it, without a seed; each has another rest of bytes.
        const known: Record<string, number> = {
            "": 0,
            a: 2456313694,
            ab: 446775395,
            abc: 324500635,
            abcd: 646393889,
            abcde: 1594468574,
            "user-4711": 1953339073,
            "203.0.113.7": 2528768656,
            "2001:db8::1": 4051387920,
            größe: 516032368,
        };
        for (const [key, hash] of Object.entries(known)) {
            assert.equal(murmur2(Buffer.from(key)), hash, key);
        }
    });

    it("is as large as its share, within a point, at 10,000 clients", () => {
        for (const weight of [1, 10, 50, 99]) {
            const inside = keys.filter((key) => cohort(key, sides(weight)) === "canary").length;
            assert.ok(Math.abs(inside / 100 - weight) <= 1, `${inside} of 10,000 at ${weight} %`);
        }
    });

    it("only grows with the share: who is in at 10 % is in at 30 %", () => {
        fc.assert(
            fc.property(fc.string(), tenths, tenths, (key, one, other) => {
                const [less, more] = [Math.min(one, other), Math.max(one, other)];
                if (cohort(key, sides(less)) === "canary") {
                    assert.equal(cohort(key, sides(more)), "canary");
                }
            }),
            { numRuns: 1_000 },
        );
    });

    it("is everybody at 100 %, and nobody at 0 %", () => {
        fc.assert(
            fc.property(fc.string(), (key) => {
                assert.equal(cohort(key, sides(0)), "stable");
                assert.equal(cohort(key, sides(100)), "canary");
            }),
        );
    });

    it("is the same for whichever color is the idle one", () => {
        fc.assert(
            fc.property(fc.string(), tenths, (key, weight) => {
                const early = cohort(key, colors("blue", weight)) === "green";
                assert.equal(cohort(key, colors("green", weight)) === "blue", early);
            }),
        );
    });

    it("does not depend on the order of the sides", () => {
        fc.assert(
            fc.property(fc.string(), tenths, (key, weight) => {
                const pair = sides(weight);
                assert.equal(cohort(key, [...pair].reverse()), cohort(key, pair));
            }),
        );
    });

    it("is dealt anew by another seed", () => {
        const first = new Set(keys.filter((key) => cohort(key, sides(10), "a.") === "canary"));
        const both = keys.filter(
            (key) => first.has(key) && cohort(key, sides(10), "b.") === "canary",
        );
        assert.ok(both.length > 50 && both.length < 150, `${both.length} of 10,000 are in both`);
    });

    it("does not exist without shares", () => {
        assert.throws(() => cohort("someone", []), /no side has a share/);
    });
});
