import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as auto from "@pulumi/pulumi/automation";
import { resolveEngine } from "../../scripts/engine";
import { PULUMI, until, writeProgram } from "./support/process";
import { environment, TestStack } from "./support/stack";

describe("engine: Automation API", function () {
    this.timeout(120_000);
    let folder: TestStack;
    let options: auto.LocalWorkspaceOptions;
    beforeEach(async () => {
        folder = await TestStack.create();
        const command = await auto.PulumiCommand.get({
            root: PULUMI.replace(/\/bin\/pulumi$/, ""),
        });
        options = { pulumiCommand: command, envVars: environment(folder.folder) };
    });
    afterEach(() => folder.dispose());

    it("runs the life of a local program's stack", async () => {
        writeProgram(
            folder,
            `const c = new pulumi.Config();
             const thing = new Thing("a", { value: c.require("value") });
             export const value = thing.value;
             export const hidden = c.requireSecret("hidden");`,
        );
        const args = { stackName: "auto", workDir: folder.folder };
        const stack = await auto.LocalWorkspace.createOrSelectStack(args, options);
        await stack.setAllConfig({
            value: { value: "1" },
            hidden: { value: "hunter2", secret: true },
        });
        deepStrictEqual(await stack.getConfig("value"), { value: "1", secret: false });

        const preview = await stack.preview();
        deepStrictEqual(preview.changeSummary, { create: 2 });

        let printed = "";
        const events: auto.EngineEvent[] = [];
        const up = await stack.up({
            showSecrets: false,
            onOutput: (text) => (printed += text),
            onEvent: (event) => events.push(event),
        });
        strictEqual(up.summary.result, "succeeded");
        strictEqual(up.summary.kind, "update");
        deepStrictEqual(up.summary.resourceChanges, { create: 2 });
        deepStrictEqual(up.outputs, {
            value: { value: "1", secret: false },
            hidden: { value: "hunter2", secret: true },
        });
        const ops = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata.op ?? []);
        deepStrictEqual(ops, ["create", "create"]);
        ok(events.some(({ summaryEvent }) => summaryEvent?.resourceChanges["create"] === 2));
        deepStrictEqual(
            events.map(({ sequence }) => sequence),
            events.map((_, index) => index),
        );
        // What a caller with showSecrets: false sees of the operation must not hold the secret.
        const { outputs: _outputs, ...rest } = up;
        ok(!JSON.stringify([rest, printed, events]).includes("hunter2"), "the secret came out");

        const state = await stack.exportStack();
        await stack.importStack(state);
        strictEqual((await stack.refresh({ showSecrets: false })).summary.kind, "refresh");
        strictEqual((await stack.history(1)).length, 1);
        strictEqual((await stack.info(false))?.kind, "refresh");
        const listed = await stack.workspace.listStacks();
        ok(listed.some(({ name }) => name === "auto"));

        const destroyed = await stack.destroy({ showSecrets: false });
        deepStrictEqual(destroyed.summary.resourceChanges, { delete: 2 });
        await stack.workspace.removeStack("auto");
        await rejects(auto.LocalWorkspace.selectStack(args, options), auto.StackNotFoundError);
    });

    it("throws the SDK's own errors, and cancel and abort end what runs", async () => {
        writeProgram(
            folder,
            'new Thing("slow", { writeFirst: true, name: "slow", hangFile: "/nowhere" });',
        );
        const args = { stackName: "dev", workDir: folder.folder };
        await rejects(auto.LocalWorkspace.createStack(args, options), auto.StackAlreadyExistsError);
        const stack = await auto.LocalWorkspace.selectStack(args, options);
        const abort = new AbortController();
        const running = stack.up({ showSecrets: false, signal: abort.signal });
        running.catch(() => undefined);
        await until("the up runs", () => folder.log().includes("create slow"));
        await rejects(stack.up({ showSecrets: false }), auto.ConcurrentUpdateError);
        abort.abort();
        await rejects(running, auto.CommandError);
        await stack.cancel();
    });

    it("runs an inline program", async () => {
        const program = async (): Promise<{ answer: number }> => ({ answer: 42 });
        const args = { stackName: "inline", projectName: "sample", program };
        const stack = await auto.LocalWorkspace.createOrSelectStack(args, {
            ...options,
            workDir: folder.folder,
        });
        const { outputs } = await stack.up({ showSecrets: false });
        strictEqual(outputs["answer"]?.value, 42);
    });

    it("is chosen when there is no other pulumi on the PATH, and only then", async () => {
        const before = process.env["PATH"] ?? "";
        const without = before.split(":").filter((entry) => !entry.includes("pulumi"));
        try {
            process.env["PATH"] = [PULUMI.replace(/\/pulumi$/, ""), ...without].join(":");
            const standIn = await resolveEngine();
            strictEqual(standIn.kind, "stand-in");
            ok(standIn.version.endsWith("+stand-in"));
            const real = "#!/bin/sh\necho v3.250.0\n";
            writeFileSync(folder.file("pulumi"), real, { mode: 0o755 });
            process.env["PATH"] = [folder.folder, ...without].join(":");
            const cli = await resolveEngine();
            deepStrictEqual([cli.kind, cli.version, cli.binDir], ["cli", "3.250.0", folder.folder]);
        } finally {
            process.env["PATH"] = before;
        }
    });
});
