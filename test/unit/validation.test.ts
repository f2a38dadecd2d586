import assert from "node:assert/strict";
import fc from "fast-check";
import { nearest } from "../../components/validation/nearest";
import {
    describeAll,
    oneOf,
    pathOf,
    show,
    type Violation,
} from "../../components/validation/violation";

describe("the nearest known word", () => {
    const known = ["activeColor", "replicas", "releases", "idle", "blue"];
    const cases: [string, string | undefined][] = [
        ["activeColour", "activeColor"],
        ["ActiveColor", "activeColor"],
        ["activecolor", "activeColor"],
        ["replcias", "replicas"],
        ["releses", "releases"],
        ["idl", "idle"],
        ["strategy", undefined],
        ["", undefined],
    ];
    for (const [word, expected] of cases) {
        it(`of ${JSON.stringify(word)} is ${String(expected)}`, () => {
            assert.equal(nearest(word, known), expected);
        });
    }

    it("is none where two are as near", () => {
        assert.equal(nearest("3.0.0", ["1.0.0", "2.0.0"]), undefined);
        assert.equal(nearest("2.0.1", ["1.0.0", "2.0.0"]), "2.0.0");
    });

    it("of a known word is the word itself, whatever else there is", () => {
        fc.assert(
            fc.property(
                fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }),
                (words) => {
                    for (const word of words) assert.equal(nearest(word, words), word);
                },
            ),
        );
    });
});

describe("a violation in words", () => {
    it("has a path that can be typed into pulumi config set --path", () => {
        const paths: [PropertyKey[], string][] = [
            [["replicas"], "replicas"],
            [["releases", "1.0.0", "image"], 'releases["1.0.0"].image'],
            [["releases", "main", "env", "LOG_LEVEL"], "releases.main.env.LOG_LEVEL"],
            [["behavior", "policies", 0, "type"], "behavior.policies[0].type"],
            [["cutover:releases", 'a"b'], 'cutover:releases["a\\"b"]'],
        ];
        for (const [keys, expected] of paths) assert.equal(pathOf(keys), expected);
    });

    it("shows a value as JSON, cut when it is long", () => {
        assert.equal(show("red"), '"red"');
        assert.equal(show({ a: 1 }), '{"a":1}');
        assert.equal(show(undefined), "undefined");
        assert.equal(show("x".repeat(200)), `"${"x".repeat(78)}…`);
    });

    it("names the alternatives", () => {
        assert.equal(oneOf(["a"]), '"a"');
        assert.equal(oneOf(["a", "b"]), '"a" or "b"');
        assert.equal(oneOf(["a", "b", "c"]), '"a", "b" or "c"');
    });

    it("comes with all others, one line each", () => {
        const violations: Violation[] = [
            { path: "a", got: "1", expected: "2" },
            { path: "b", got: undefined, expected: "a text" },
        ];
        assert.equal(
            describeAll("the config", violations),
            "the config has 2 problems:\n  a: got 1, expected 2\n  b: missing, expected a text",
        );
        assert.equal(
            describeAll("the config", violations.slice(0, 1)),
            "the config has a problem:\n  a: got 1, expected 2",
        );
    });
});
