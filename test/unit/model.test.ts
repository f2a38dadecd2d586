import assert from "node:assert/strict";
import fc from "fast-check";
import { MUTATIONS, OUTAGES, type Mutation } from "../model/mutations";
import { RULES, type Rules } from "../model/rules";
import { play, sequences } from "../model/sequences";
import { Violation } from "../model/world";

/** Sequences of config changes, with kills, failures and broken releases in them. */
const SEQUENCES = Number(process.env.CUTOVER_MODEL_SEQUENCES ?? 10_000);
/** The same ones in every run, unless others are asked for: a test must not fail by chance. */
const SEED = Number(process.env.CUTOVER_MODEL_SEED ?? 20);
/** In which a rule that is taken away must be missed; most are within a few hundred. */
const SEQUENCES_FOR_A_MUTATION = 60_000;

const played = (rules: Rules) =>
    fc.property(sequences, (changes) => {
        play(changes, rules);
    });

describe("model check", function () {
    this.timeout(180_000);

    it(`holds over ${SEQUENCES} sequences of config changes`, () => {
        fc.assert(played(RULES), { numRuns: SEQUENCES, seed: SEED });
    });

    const finds = ({ name, rules, claims }: Mutation) =>
        it(name, () => {
            const { failed, errorInstance } = fc.check(played({ ...RULES, ...rules }), {
                numRuns: SEQUENCES_FOR_A_MUTATION,
                endOnFailure: true,
                seed: SEED,
            });
            assert.ok(failed, "not found");
            assert.ok(errorInstance instanceof Violation, String(errorInstance));
            assert.ok(claims.includes(errorInstance.claim), errorInstance.message);
        });

    describe("finds the outages of a naive program", () => OUTAGES.forEach(finds));
    describe("finds every rule that is taken away", () => MUTATIONS.forEach(finds));
});
