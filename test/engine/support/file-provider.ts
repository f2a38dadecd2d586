import { randomUUID } from "node:crypto";
import {
    appendFileSync,
    existsSync,
    mkdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import * as path from "node:path";
import {
    Diff,
    InitError,
    Inputs,
    PluginTable,
    ProviderContext,
    ResourceProvider,
    UNKNOWN,
} from "../../../sandbox/engine/providers/types";
import { detailedDiff } from "../../../sandbox/engine/values/diff";

/**
 * A provider for tests whose world is a folder: one file per object, and a log of what was done. The
 * inputs of a `test:index:Thing` say how it behaves:
 *
 * - `value`: anything; `name`: a change of it replaces the object
 * - `deleteFirst`: such a replacement deletes the old object first
 * - `failCreate`, `failUpdate`, `failDelete`: the call fails with that text, nothing is written
 * - `unready`: the object is written, and never becomes ready
 * - `delayMs`: how long a write takes; `hangFile`: waits until the file exists
 * - `unique`: creation fails if an object of that name exists
 */
const world = (): string => process.env["CUTOVER_ENGINE_TEST_WORLD"] ?? "";

function fileOf(id: string): string {
    return path.join(world(), `${encodeURIComponent(id)}.json`);
}

function log(line: string): void {
    appendFileSync(path.join(world(), "log.txt"), `${line}\n`);
}

function nameIn(urn: string): string {
    return urn.slice(urn.lastIndexOf("::") + 2);
}

async function pause(context: ProviderContext, inputs: Inputs): Promise<void> {
    const until = Date.now() + Number(inputs["delayMs"] ?? 0);
    const hangFile = inputs["hangFile"];
    const waiting = (): boolean =>
        Date.now() < until || (typeof hangFile === "string" && !existsSync(hangFile));
    while (waiting()) {
        if (context.signal.aborted) throw new Error("the operation was canceled");
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

function failOn(inputs: Inputs, key: string): void {
    const text = inputs[key];
    if (typeof text === "string") throw new Error(text);
}

function outputsOf(inputs: Inputs): Inputs {
    return { ...inputs, length: JSON.stringify(inputs["value"] ?? null).length };
}

const provider: ResourceProvider = {
    async check(_context, { newInputs }) {
        const bad = newInputs["invalid"];
        const failures = typeof bad === "string" ? [{ property: "invalid", reason: bad }] : [];
        return { inputs: { color: "red", ...newInputs }, failures };
    },
    async diff(_context, { oldInputs, newInputs }): Promise<Diff> {
        const detailed = detailedDiff(oldInputs, newInputs);
        const replace = Object.keys(detailed).includes("name");
        if (replace) detailed["name"] = { kind: "update-replace" };
        return {
            changes: Object.keys(detailed).length > 0,
            replaceKeys: replace ? ["name"] : [],
            deleteBeforeReplace: newInputs["deleteFirst"] === true,
            detailed,
        };
    },
    async create(context, { inputs, preview, timeoutSeconds }) {
        if (preview) {
            return { id: "", outputs: { ...outputsOf(inputs), token: UNKNOWN } };
        }
        failOn(inputs, "failCreate");
        const name = inputs["name"];
        const id =
            inputs["unique"] === true && typeof name === "string" ? name : randomUUID().slice(0, 8);
        if (existsSync(fileOf(id))) throw new Error(`AlreadyExists: ${id}`);
        const outputs: Inputs = { ...outputsOf(inputs), token: `token-${id}` };
        if (timeoutSeconds !== undefined) outputs["timeoutSeconds"] = timeoutSeconds;
        log(`create ${nameIn(context.urn)}`);
        if (inputs["writeFirst"] === true) writeFileSync(fileOf(id), JSON.stringify(outputs));
        context.log("info", `creating ${nameIn(context.urn)}`, true);
        await pause(context, inputs);
        writeFileSync(fileOf(id), JSON.stringify(outputs));
        log(`created ${nameIn(context.urn)}`);
        if (typeof inputs["unready"] === "string") {
            throw new InitError(id, outputs, [inputs["unready"]]);
        }
        return { id, outputs };
    },
    async update(context, { id, inputs, preview }) {
        if (preview) return { outputs: outputsOf(inputs) };
        failOn(inputs, "failUpdate");
        log(`update ${nameIn(context.urn)}`);
        await pause(context, inputs);
        const outputs: Inputs = { ...outputsOf(inputs), token: `token-${id}` };
        writeFileSync(fileOf(id), JSON.stringify(outputs));
        log(`updated ${nameIn(context.urn)}`);
        if (typeof inputs["unready"] === "string") {
            throw new InitError(id, outputs, [inputs["unready"]]);
        }
        return { outputs };
    },
    async delete(context, { id, inputs }) {
        failOn(inputs, "failDelete");
        await pause(context, inputs);
        rmSync(fileOf(id), { force: true });
        log(`delete ${nameIn(context.urn)}`);
    },
    async read(_context, { id, inputs }) {
        if (!existsSync(fileOf(id))) return undefined;
        const outputs = JSON.parse(readFileSync(fileOf(id), "utf8")) as Inputs;
        const { length: _length, token: _token, timeoutSeconds: _timeout, ...found } = outputs;
        return { id, inputs: { ...inputs, ...found }, outputs };
    },
    async invoke(_context, token, args) {
        if (token !== "test:index:double") throw new Error(`unknown function ${token}`);
        return { result: Number(args["value"]) * 2 };
    },
    secretOutputs: (type) => (type === "test:index:Secret" ? ["value"] : []),
};

export const plugins: PluginTable = {
    test: async () => ({
        name: "test",
        version: "1.0.0",
        configure: async () => {
            mkdirSync(world(), { recursive: true });
            return provider;
        },
        replaces: (old, next) => old["place"] !== next["place"],
    }),
};
