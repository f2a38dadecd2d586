import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type Deployment, LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { createScratch } from "../demo/scratch";
import { type DemoStack, openStack } from "../demo/stack";
import type { Bench } from "./types";

export const STACK = "dev";

/** A stack in a scratch folder of its own, run with the project's program or with another one. */
export interface BenchStack extends DemoStack {
    /** The state, with its secrets in clear. */
    exported(): Promise<Deployment>;
    /** Replaces the state. */
    imported(state: Deployment): Promise<void>;
}

export interface BenchStackOptions {
    /** Its namespace, which is removed at the end. */
    namespace?: string;
    /** The program instead of the project's own: a file relative to the project's root. */
    main?: string;
    /** Writes what the program consists of into the scratch folder. */
    files?: Record<string, string>;
    /** Config by its path, on top of `Pulumi.dev.yaml`. */
    config?: Record<string, string>;
}

/** A project without the typed config of the real one, which asks for keys that no bench program has. */
const project = (main: string): string => `name: cutover
runtime:
  name: nodejs
  options:
    packagemanager: npm
    typescript: true
main: ${main}
`;

/** Opens a stack; what it makes is cleaned up at the end of the bench. */
export async function openBenchStack(
    { root, engine, cluster, cleanup, signal }: Bench,
    { main, files = {}, config = {} }: BenchStackOptions,
): Promise<BenchStack> {
    const scratch = await createScratch(root, cluster.kubeconfig);
    cleanup.add("remove a scratch folder", () => scratch.remove());
    if (main !== undefined)
        await writeFile(path.join(scratch.folder, "Pulumi.yaml"), project(main));
    for (const [name, text] of Object.entries(files)) {
        // Literal inputs have the passwords of the bench's own database in them.
        await writeFile(path.join(scratch.folder, name), text, { mode: 0o600 });
    }
    const stack = await openStack(scratch, STACK, engine.command, signal);
    await stack.configure({ "kubernetes:context": cluster.context, ...config });
    const raw = (): Promise<Stack> =>
        LocalWorkspace.selectStack(
            { stackName: STACK, workDir: scratch.folder },
            { pulumiCommand: engine.command, envVars: scratch.env },
        );
    return {
        ...stack,
        exported: async () => (await raw()).exportStack(),
        imported: async (state) => (await raw()).importStack(state),
    };
}
