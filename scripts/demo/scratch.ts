import { randomBytes } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** A copy of the project to run stacks in; the checkout itself is never written to. */
export interface Scratch {
    /** Where `Pulumi.yaml` is. */
    folder: string;
    /** What every engine command needs in its environment. */
    env: Record<string, string>;
    remove(): Promise<void>;
}

/** Config belongs to the scratch folder; everything else is the project's own, by link. */
const COPIED = /^Pulumi\..*yaml$|^Pulumi\.yaml$/;
const LEFT_OUT = new Set([".git", "out", "test", "docs", ".github", ".ci"]);

/**
 * Makes a scratch folder with copies of the project's `Pulumi*.yaml`, links to the rest, a state
 * backend in a folder of its own and a passphrase for this run.
 *
 * @param root the project's root
 * @param kubeconfig path handed to the engine as `KUBECONFIG`
 */
export async function createScratch(root: string, kubeconfig: string): Promise<Scratch> {
    const folder = await mkdtemp(path.join(tmpdir(), "cutover-"));
    const state = path.join(folder, ".pulumi-state");
    await mkdir(state);
    for (const name of await readdir(root)) {
        if (LEFT_OUT.has(name)) continue;
        const from = path.join(root, name);
        if (COPIED.test(name)) await copyFile(from, path.join(folder, name));
        else await symlink(from, path.join(folder, name));
    }
    return {
        folder,
        env: {
            PULUMI_BACKEND_URL: `file://${state}`,
            PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
            PULUMI_SKIP_UPDATE_CHECK: "true",
            KUBECONFIG: kubeconfig,
        },
        remove: () => rm(folder, { recursive: true, force: true }),
    };
}
