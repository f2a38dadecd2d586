import assert from "node:assert/strict";
import { compareSync } from "bcryptjs";
import * as fc from "fast-check";
import { random } from "../../../sandbox/engine/providers/random";
import {
    type Inputs,
    type ResourceProvider,
    UNKNOWN,
} from "../../../sandbox/engine/providers/types";
import { checked, contextOf, seed } from "./support";

const type = (name: string): string =>
    `random:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;

describe("random provider", () => {
    let provider: ResourceProvider;
    before(async () => (provider = await random.configure({})));

    async function create(name: string, inputs: Inputs): Promise<{ id: string; outputs: Inputs }> {
        const context = contextOf(type(name));
        return provider.create(context, {
            inputs: await checked(provider, context, inputs),
            preview: false,
        });
    }

    it("makes a password of the wanted kind, with its hash, and keeps both secret", async () => {
        const { id, outputs } = await create("RandomPassword", { length: 24, special: false });
        assert.equal(id, "none");
        assert.match(outputs.result as string, /^[A-Za-z0-9]{24}$/);
        assert.ok(compareSync(outputs.result as string, outputs.bcryptHash as string));
        assert.deepEqual(provider.secretOutputs?.(type("RandomPassword")), [
            "result",
            "bcryptHash",
        ]);
        const again = await create("RandomPassword", { length: 24 });
        assert.notEqual(again.outputs.result, outputs.result);
    });

    it("honours minimums and the special characters given", async () => {
        const minimum = fc.nat(4);
        await fc.assert(
            fc.asyncProperty(
                minimum,
                minimum,
                minimum,
                minimum,
                async (lower, upper, numeric, special) => {
                    const { outputs } = await create("RandomString", {
                        length: 16,
                        minLower: lower,
                        minUpper: upper,
                        minNumeric: numeric,
                        minSpecial: special,
                        overrideSpecial: "_-",
                    });
                    const result = outputs.result as string;
                    const count = (pattern: RegExp): number => (result.match(pattern) ?? []).length;
                    assert.equal(result.length, 16);
                    assert.ok(count(/[a-z]/g) >= lower && count(/[A-Z]/g) >= upper);
                    assert.ok(count(/\d/g) >= numeric && count(/[_-]/g) >= special);
                    assert.match(result, /^[\w-]+$/);
                },
            ),
            { numRuns: 30 },
        );
    });

    it("makes ids in all their spellings", async () => {
        const { id, outputs } = await create("RandomId", { byteLength: 4, prefix: "p-" });
        const bytes = Buffer.from(id, "base64url");
        assert.equal(bytes.length, 4);
        assert.equal(outputs.hex, `p-${bytes.toString("hex")}`);
        assert.equal(outputs.b64Url, `p-${id}`);
        assert.equal(outputs.b64Std, `p-${bytes.toString("base64")}`);
        assert.equal(outputs.dec, `p-${bytes.readUInt32BE()}`);
    });

    it("makes integers, uuids, bytes and orders", async () => {
        const integer = await create("RandomInteger", { min: 3, max: 5 });
        assert.ok([3, 4, 5].includes(integer.outputs.result as number));
        assert.match(
            (await create("RandomUuid", {})).id,
            /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        );
        const bytes = await create("RandomBytes", { length: 9 });
        assert.equal(
            Buffer.from(bytes.outputs.base64 as string, "base64").toString("hex"),
            bytes.outputs.hex,
        );
        const shuffle = await create("RandomShuffle", { inputs: ["a", "b", "c"], resultCount: 5 });
        const results = shuffle.outputs.results as string[];
        assert.equal(results.length, 5);
        assert.deepEqual([...results.slice(0, 3)].sort(), ["a", "b", "c"]);
    });

    it("knows nothing of the result in a preview", async () => {
        const context = contextOf(type("RandomPassword"));
        const { id, outputs } = await provider.create(context, {
            inputs: { length: 8 },
            preview: true,
        });
        assert.deepEqual(
            [id, outputs.result, outputs.bcryptHash, outputs.length],
            ["", UNKNOWN, UNKNOWN, 8],
        );
    });

    it("makes a new value when an input or a keeper changes, and only then", async () => {
        const context = contextOf(type("RandomPassword"));
        const diff = (oldInputs: Inputs, newInputs: Inputs) =>
            provider.diff(context, {
                id: "none",
                oldInputs,
                oldOutputs: {},
                newInputs,
                ignoreChanges: [],
            });
        assert.equal((await diff({ length: 8 }, { length: 8, special: true })).changes, false);
        assert.deepEqual(
            await diff({ length: 8, keepers: { r: "1" } }, { length: 8, keepers: { r: "2" } }),
            {
                changes: true,
                replaceKeys: ["keepers"],
                deleteBeforeReplace: false,
                detailed: { keepers: { kind: "update-replace" } },
            },
        );
        assert.deepEqual((await diff({ length: 8 }, { length: 9 })).replaceKeys, ["length"]);
    });

    it("refuses bad inputs and types by name", async () => {
        const failures = async (name: string, newInputs: Inputs) =>
            (
                await provider.check(contextOf(type(name)), { newInputs, randomSeed: seed("") })
            ).failures.map(({ property, reason }) => `${property}: ${reason}`);
        assert.deepEqual(await failures("RandomPassword", {}), [
            "length: a required property is missing",
        ]);
        assert.deepEqual(await failures("RandomPassword", { length: 0 }), [
            "length: got 0, expected a whole number from 1 up",
        ]);
        assert.deepEqual(await failures("RandomString", { length: 3, minLower: 4 }), [
            "length: got 3, expected at least the sum of the minimums, 4",
        ]);
        assert.deepEqual(
            await failures("RandomString", {
                length: 3,
                lower: false,
                upper: false,
                numeric: false,
                special: false,
            }),
            ["special: the character set specified is empty"],
        );
        assert.equal((await failures("RandomInteger", { min: 1, max: 2, seed: "s" })).length, 1);
        assert.equal((await failures("RandomInteger", { min: 2, max: 1 })).length, 1);
        assert.deepEqual(await failures("RandomPassword", { length: UNKNOWN }), []);
        await assert.rejects(
            checked(provider, contextOf(type("RandomPet")), {}),
            /random:index\/randomPet:RandomPet is not supported by the stand-in engine/,
        );
    });

    it("keeps its values at a refresh", async () => {
        const inputs = { length: 8 };
        const outputs = { ...inputs, result: "abcdefgh" };
        const context = contextOf(type("RandomString"));
        assert.deepEqual(await provider.read(context, { id: "abcdefgh", inputs, outputs }), {
            id: "abcdefgh",
            inputs,
            outputs,
        });
        await assert.rejects(provider.read(context, { id: "x" }), /importing .* is not supported/);
    });
});
