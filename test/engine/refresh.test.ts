import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { Thing } from "./support/resources";
import { TestStack } from "./support/stack";

describe("engine: refresh and pending operations", () => {
    let stack: TestStack;
    beforeEach(async () => {
        stack = await TestStack.create();
    });
    afterEach(() => stack.dispose());

    const objectFile = async (name: string): Promise<string> =>
        path.join(stack.world, `${(await stack.resource(name)).id}.json`);

    it("finds drift, and the next up repairs it", async () => {
        const program = (): void => void new Thing("a", { value: 1 });
        await stack.up(program);
        const file = await objectFile("a");
        writeFileSync(file, readFileSync(file, "utf8").replace('"value":1', '"value":5'));
        const refreshed = await stack.refresh();
        deepStrictEqual(refreshed.steps, ["update a"]);
        deepStrictEqual(refreshed.changes, { same: 1, update: 1 });
        strictEqual((await stack.resource("a")).inputs["value"], 5);
        const repaired = await stack.up(program);
        deepStrictEqual(repaired.steps, ["update a"]);
        match(readFileSync(file, "utf8"), /"value":1/);
    });

    it("forgets what is gone, and the next up makes it again", async () => {
        const program = (): void => {
            const a = new Thing("a");
            new Thing("b", {}, { dependsOn: a });
        };
        await stack.up(program);
        rmSync(await objectFile("a"));
        const refreshed = await stack.refresh();
        deepStrictEqual(refreshed.steps, ["delete a"]);
        deepStrictEqual((await stack.resource("b")).dependencies, undefined);
        deepStrictEqual((await stack.up(program)).steps, ["create a"]);
    });

    it("--refresh does both in one up", async () => {
        const program = (): void => void new Thing("a", { value: 1 });
        await stack.up(program);
        rmSync(await objectFile("a"));
        const result = await stack.up(program, "--refresh");
        deepStrictEqual(result.steps, ["delete a", "create a"]);
        deepStrictEqual(result.changes, { same: 1, create: 1 });
    });

    it("--preview-only says what it would find and changes nothing", async () => {
        await stack.up(() => void new Thing("a"));
        rmSync(await objectFile("a"));
        const before = stack.checkpoint();
        const result = await stack.run("refresh", true, undefined, []);
        deepStrictEqual(result.steps, ["delete a"]);
        deepStrictEqual(stack.checkpoint(), before);
    });

    /** A state as a kill in the middle of a create leaves it; the object is there or not. */
    async function interrupted(): Promise<string> {
        await stack.up(() => void new Thing("first"));
        const state = stack.checkpoint();
        const latest = state.checkpoint.latest;
        const model = latest?.resources?.find(({ urn }) => urn.endsWith("::first"));
        if (latest === undefined || model === undefined) throw new Error("no state to work on");
        const { id: _id, outputs: _outputs, ...resource } = model;
        const urn = model.urn.replace("::first", "::second");
        latest.pending_operations = [
            {
                type: "creating",
                resource: {
                    ...resource,
                    urn,
                    outputs: {},
                    inputs: { color: "red", name: "second", unique: true },
                },
            },
        ];
        const file = stack.file("backend/.pulumi/stacks/sample/dev.json");
        writeFileSync(file, JSON.stringify(state));
        const object = { color: "red", name: "second", unique: true, token: "t", length: 4 };
        writeFileSync(path.join(stack.world, "second.json"), JSON.stringify(object));
        return urn;
    }

    const both = (): void => {
        new Thing("first");
        new Thing("second", { name: "second", unique: true });
    };

    it("a create that was interrupted is warned of, and fails on the object that is there", async () => {
        const urn = await interrupted();
        const result = await stack.up(both);
        ok(!result.ok);
        match(
            result.warnings.join(),
            new RegExp(`1 pending operations[^]*${urn}[^]*while creating`),
        );
        deepStrictEqual(result.errors, ["AlreadyExists: second"]);
        strictEqual(stack.checkpoint().checkpoint.latest?.pending_operations?.length, 1);
    });

    it("--import-pending-creates takes it over; after that there is nothing to do", async () => {
        const urn = await interrupted();
        const pair = ["--import-pending-creates", urn, "--import-pending-creates", "second"];
        const refreshed = await stack.refresh(...pair);
        ok(refreshed.ok, refreshed.errors.join());
        ok(refreshed.steps.includes("import second"));
        strictEqual(stack.checkpoint().checkpoint.latest?.pending_operations, undefined);
        const result = await stack.up(both);
        deepStrictEqual(result.steps, []);
    });

    it("--clear-pending-creates forgets it", async () => {
        await interrupted();
        await stack.refresh("--clear-pending-creates");
        strictEqual(stack.checkpoint().checkpoint.latest?.pending_operations, undefined);
        rmSync(path.join(stack.world, "second.json"));
        deepStrictEqual((await stack.up(both)).steps, ["create second"]);
    });

    it("a refresh without a word about it leaves it pending", async () => {
        await interrupted();
        await stack.refresh();
        strictEqual(stack.checkpoint().checkpoint.latest?.pending_operations?.length, 1);
    });
});
