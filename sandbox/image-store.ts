import * as fs from "node:fs";
import { run } from "./images/run";
import type { SandboxInfo } from "./status";

/** The namespace of containerd that the kubelet takes images from. */
const NAMESPACE = "k8s.io";

/** References of containerd's images, or undefined while it does not answer. */
export async function importedImages(socket: string): Promise<string[] | undefined> {
    if (!fs.existsSync(socket)) return undefined;
    try {
        const args = ["--address", socket, "--namespace", NAMESPACE, "images", "list", "--quiet"];
        return (await run("ctr", args)).trim().split("\n");
    } catch {
        return undefined;
    }
}

export async function importArchive(socket: string, archive: string): Promise<void> {
    await run("ctr", ["--address", socket, "--namespace", NAMESPACE, "images", "import", archive]);
}

/**
 * Imports an image archive (docker-archive or oci-archive) into the sandbox, so that pods can use it
 * under the names in the archive. There is no registry: pods need `imagePullPolicy` `Never` or
 * `IfNotPresent`.
 */
export async function importImage(info: SandboxInfo, archivePath: string): Promise<void> {
    await importArchive(info.containerdSocket, archivePath);
}
