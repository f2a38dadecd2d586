/* eslint-disable @typescript-eslint/no-require-imports --
   a native import() in a CommonJS file does not find .ts files under ts-node */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { CheckFailure, Inputs, Json } from "./types";

/** One resource type: its inputs with their defaults, and how its outputs are made from them. */
export interface Kind {
    defaults: Inputs;
    required: string[];
    secretOutputs: string[];
    /** What it generates. `undefined` inputs are filled with defaults before. */
    generate(inputs: Inputs): { id: string; outputs: Inputs };
    /** Outputs that only an apply knows, for previews. */
    generated: string[];
    validate?(inputs: Inputs): CheckFailure[];
}

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

const STRING_DEFAULTS: Inputs = {
    lower: true,
    upper: true,
    numeric: true,
    number: true,
    special: true,
    minLower: 0,
    minUpper: 0,
    minNumeric: 0,
    minSpecial: 0,
};

/** The types that are supported, by token. */
export const KINDS: Record<string, Kind> = {
    "random:index/randomPassword:RandomPassword": {
        defaults: STRING_DEFAULTS,
        required: ["length"],
        secretOutputs: ["result", "bcryptHash"],
        generated: ["result", "bcryptHash"],
        validate: validateString,
        generate(inputs) {
            const result = randomText(inputs);
            return { id: "none", outputs: { result, bcryptHash: bcrypt(result) } };
        },
    },
    "random:index/randomString:RandomString": {
        defaults: STRING_DEFAULTS,
        required: ["length"],
        secretOutputs: [],
        generated: ["result"],
        validate: validateString,
        generate(inputs) {
            const result = randomText(inputs);
            return { id: result, outputs: { result } };
        },
    },
    "random:index/randomId:RandomId": {
        defaults: {},
        required: ["byteLength"],
        secretOutputs: [],
        generated: ["b64Std", "b64Url", "dec", "hex"],
        generate(inputs) {
            const bytes = randomBytes(inputs.byteLength as number);
            const prefix = (inputs.prefix ?? "") as string;
            const hex = bytes.toString("hex");
            const id = bytes.toString("base64url");
            return {
                id,
                outputs: {
                    b64Std: prefix + bytes.toString("base64"),
                    b64Url: prefix + id,
                    dec: prefix + BigInt(`0x${hex === "" ? "0" : hex}`).toString(),
                    hex: prefix + hex,
                },
            };
        },
    },
    "random:index/randomBytes:RandomBytes": {
        defaults: {},
        required: ["length"],
        secretOutputs: ["base64", "hex"],
        generated: ["base64", "hex"],
        generate(inputs) {
            const bytes = randomBytes(inputs.length as number);
            const base64 = bytes.toString("base64");
            return { id: base64, outputs: { base64, hex: bytes.toString("hex") } };
        },
    },
    "random:index/randomInteger:RandomInteger": {
        defaults: {},
        required: ["min", "max"],
        secretOutputs: [],
        generated: ["result"],
        validate(inputs) {
            if (inputs.seed !== undefined) return [unsupported("seed")];
            const { min, max } = inputs as { min: number; max: number };
            if (max >= min) return [];
            const reason = `min (${min}) must not be larger than max (${max})`;
            return [{ property: "min", reason }];
        },
        generate(inputs) {
            const result = randomInt(inputs.min as number, (inputs.max as number) + 1);
            return { id: String(result), outputs: { result } };
        },
    },
    "random:index/randomShuffle:RandomShuffle": {
        defaults: {},
        required: ["inputs"],
        secretOutputs: [],
        generated: ["results"],
        validate: (inputs) => (inputs.seed === undefined ? [] : [unsupported("seed")]),
        generate(inputs) {
            const items = inputs.inputs as Json[];
            const count = (inputs.resultCount ?? items.length) as number;
            const results: Json[] = [];
            while (items.length > 0 && results.length < count) {
                results.push(...shuffled(items).slice(0, count - results.length));
            }
            return { id: "-", outputs: { results } };
        },
    },
    "random:index/randomUuid:RandomUuid": uuidKind(),
    "random:index/randomUuid4:RandomUuid4": uuidKind(),
};

function uuidKind(): Kind {
    return {
        defaults: {},
        required: [],
        secretOutputs: [],
        generated: ["result"],
        generate() {
            const result = randomUUID();
            return { id: result, outputs: { result } };
        },
    };
}

/** The provider's seeded generators are Go's own: the same seed would give other values here. */
const unsupported = (property: string): CheckFailure => ({
    property,
    reason: `\`${property}\` is not supported by the stand-in engine; install the Pulumi CLI`,
});

function validateString(inputs: Inputs): CheckFailure[] {
    const length = inputs.length as number;
    if (!Number.isInteger(length) || length < 1) {
        return [{ property: "length", reason: `got ${length}, expected a whole number from 1 up` }];
    }
    const least = ["minLower", "minUpper", "minNumeric", "minSpecial"].reduce(
        (sum, key) => sum + (inputs[key] as number),
        0,
    );
    if (least > length) {
        const reason = `got ${length}, expected at least the sum of the minimums, ${least}`;
        return [{ property: "length", reason }];
    }
    if (characterSets(inputs).some(({ use }) => use)) return [];
    return [{ property: "special", reason: "the character set specified is empty" }];
}

function characterSets(inputs: Inputs): { characters: string; use: boolean; least: number }[] {
    const set = (characters: string, use: string, least: string) => ({
        characters,
        use: inputs[use] === true,
        least: inputs[least] as number,
    });
    const special = typeof inputs.overrideSpecial === "string" ? inputs.overrideSpecial : "";
    return [
        set(LOWER.toUpperCase(), "upper", "minUpper"),
        set(LOWER, "lower", "minLower"),
        set(DIGITS, "numeric", "minNumeric"),
        set(special === "" ? SPECIAL : special, "special", "minSpecial"),
    ];
}

function randomText(inputs: Inputs): string {
    const sets = characterSets(inputs);
    const pick = (characters: string): string => characters.charAt(randomInt(characters.length));
    const all = sets.map(({ characters, use }) => (use ? characters : "")).join("");
    const text = sets.flatMap(({ characters, least }) =>
        Array.from({ length: least }, () => pick(characters)),
    );
    while (text.length < (inputs.length as number)) text.push(pick(all));
    return shuffled(text).join("");
}

/** Fisher–Yates with cryptographic randomness. */
function shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let index = result.length - 1; index > 0; index--) {
        const other = randomInt(index + 1);
        [result[index], result[other]] = [result[other] as T, result[index] as T];
    }
    return result;
}

/** bcrypt looks at 72 bytes, and the provider hashes no more. */
function bcrypt(password: string): string {
    const { hashSync } = require("bcryptjs") as typeof import("bcryptjs");
    return hashSync(Buffer.from(password, "utf8").subarray(0, 72).toString("utf8"), 10);
}
