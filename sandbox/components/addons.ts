import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { KubeClient, KubeObject } from "../kube-client";
import type { Instance } from "../instance";
import { nodePaths } from "./node";

const MANIFESTS = path.join(__dirname, "addons.yaml");
/** The namespaces of a new cluster are made a moment after its API server is ready. */
const APPLY_TIMEOUT_MS = 20_000;
const RETRY_MS = 200;

/** Applies DNS, metrics, the storage class, and the agent's role. */
export async function applyAddons(
    client: KubeClient,
    instance: Instance,
    imageReference: string,
): Promise<void> {
    const { pki } = nodePaths(instance.stateDir);
    const base64 = (file: string): string =>
        fs.readFileSync(path.join(pki, file)).toString("base64");
    const objects = renderAddons(fs.readFileSync(MANIFESTS, "utf8"), {
        ADDONS_IMAGE: imageReference,
        CLUSTER_CA: base64("ca.crt"),
        METRICS_CERTIFICATE: base64("metrics-server.crt"),
        METRICS_KEY: base64("metrics-server.key"),
    });
    const deadline = Date.now() + APPLY_TIMEOUT_MS;
    for (const object of objects) {
        for (;;) {
            try {
                await client.apply(object);
                break;
            } catch (error) {
                if (Date.now() > deadline) throw error;
                await sleep(RETRY_MS);
            }
        }
    }
}

/** Fills in the values and reads the objects. */
export function renderAddons(
    template: string,
    values: Readonly<Record<string, string>>,
): KubeObject[] {
    const filled = Object.entries(values).reduce(
        (text, [name, value]) => text.replaceAll(new RegExp(`(?<=: )${name}$`, "gm"), value),
        template,
    );
    return parseAllDocuments(filled).map((document) => document.toJS() as KubeObject);
}
