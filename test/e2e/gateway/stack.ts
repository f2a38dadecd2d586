import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { GatewayBackend, GatewaySettings } from "../../../components/gateway";
import { resolveEngine } from "../../../scripts/engine";
import type { Cluster } from "../../support/cluster";

const PROGRAM = path.join(__dirname, "..", "programs", "gateway");
const NODE_MODULES = path.join(__dirname, "..", "..", "..", "node_modules");
const PROJECT = "cutover-e2e-gateway";

/** How one engine command ended. */
export interface Outcome {
    ok: boolean;
    output: string;
    seconds: number;
}

/** The test's program as a stack, in a folder of its own with its own backend. */
export class GatewayStack {
    private constructor(
        private readonly stack: Stack,
        private readonly folder: string,
    ) {}

    static async open(cluster: Cluster, namespace: string): Promise<GatewayStack> {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-e2e-gateway-"));
        const state = path.join(folder, "state");
        fs.mkdirSync(state);
        fs.copyFileSync(path.join(PROGRAM, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
        fs.symlinkSync(path.join(PROGRAM, "index.ts"), path.join(folder, "index.ts"));
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
            [`${PROJECT}:namespace`]: { value: namespace },
        });
        return new GatewayStack(stack, folder);
    }

    async configure(values: {
        settings?: GatewaySettings;
        backends?: GatewayBackend[];
    }): Promise<void> {
        for (const [key, value] of Object.entries(values)) {
            await this.stack.setConfig(`${PROJECT}:${key}`, { value: JSON.stringify(value) });
        }
    }

    preview(): Promise<Outcome> {
        return timed(async () => {
            const { stdout, stderr } = await this.stack.preview();
            return stdout + stderr;
        });
    }

    up(): Promise<Outcome> {
        return timed(async () => {
            const { stdout, stderr } = await this.stack.up({ showSecrets: false });
            return stdout + stderr;
        });
    }

    async refresh(): Promise<void> {
        await this.stack.refresh({ showSecrets: false });
    }

    /** Fails when anything would change. */
    async expectNoChanges(): Promise<void> {
        await this.stack.preview({ expectNoChanges: true });
    }

    /** The output `state`. */
    async state(): Promise<unknown> {
        return (await this.stack.outputs()).state?.value;
    }

    async remove(): Promise<void> {
        await this.stack.destroy({ showSecrets: false });
        fs.rmSync(this.folder, { recursive: true, force: true });
    }
}

/** The Automation API throws what a failed command printed. */
async function timed(command: () => Promise<string>): Promise<Outcome> {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    try {
        return { output: await command(), ok: true, seconds: seconds() };
    } catch (error) {
        const output = error instanceof Error ? error.message : String(error);
        return { output, ok: false, seconds: seconds() };
    }
}
