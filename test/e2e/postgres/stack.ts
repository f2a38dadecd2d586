import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { POSTGRES_IMAGE } from "../../../sandbox/images";
import { resolveEngine } from "../../../scripts/engine";
import type { Cluster } from "../../support/cluster";

const PROGRAMS = path.join(__dirname, "..", "programs");
const NODE_MODULES = path.join(__dirname, "..", "..", "..", "node_modules");

/** One of the tests' programs. */
export type ProgramName = "postgres" | "external-database";

/** A test's program as a stack, in a folder of its own with its own backend. */
export interface PostgresStack {
    stack: Stack;
    configure(key: string, value: string, options?: ConfigureOptions): Promise<void>;
    /** Removes a key, or a part of it by its path. */
    unset(key: string): Promise<void>;
    /** All that the backend wrote: state, history and backups. */
    everythingStored(): string;
    remove(): void;
}

export interface ConfigureOptions {
    /** Whether the value is encrypted. */
    secret?: boolean;
}

export async function openStack(
    cluster: Cluster,
    namespace: string,
    program: ProgramName = "postgres",
): Promise<PostgresStack> {
    const source = path.join(PROGRAMS, program);
    const project = `cutover-e2e-${program}`;
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-e2e-postgres-"));
    const state = path.join(folder, "state");
    fs.mkdirSync(state);
    fs.copyFileSync(path.join(source, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
    fs.symlinkSync(path.join(source, "index.ts"), path.join(folder, "index.ts"));
    fs.symlinkSync(NODE_MODULES, path.join(folder, "node_modules"));
    const { command } = await resolveEngine();
    const stack = await LocalWorkspace.createOrSelectStack(
        { stackName: "test", workDir: folder },
        {
            pulumiCommand: command,
            envVars: {
                PULUMI_BACKEND_URL: `file://${state}`,
                PULUMI_CONFIG_PASSPHRASE: randomBytes(12).toString("hex"),
                PULUMI_SKIP_UPDATE_CHECK: "true",
                KUBECONFIG: cluster.kubeconfig,
            },
        },
    );
    await stack.setAllConfig({
        "kubernetes:context": { value: cluster.context },
        [`${project}:namespace`]: { value: namespace },
        ...(cluster.sandbox && { [`${project}:image`]: { value: POSTGRES_IMAGE } }),
    });
    return {
        stack,
        configure: (key, value, { secret } = {}) =>
            stack.setConfig(`${project}:${key}`, { value, secret }, key.includes(".")),
        unset: (key) => stack.removeConfig(`${project}:${key}`, key.includes(".")),
        everythingStored: () => textBelow(state),
        remove: () => fs.rmSync(folder, { recursive: true, force: true }),
    };
}

function textBelow(root: string): string {
    return fs
        .readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
        .join("\n");
}
