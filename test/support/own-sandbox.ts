import { spawn, type ChildProcess } from "node:child_process";
import * as http from "node:http";
import * as path from "node:path";
import type { KubeClient, KubeObject } from "../../sandbox/kube-client";

const CLI = path.join(__dirname, "..", "..", "bin", "cutover");

export const CLAIM = "/api/v1/namespaces/default/persistentvolumeclaims/volume-check";
export const FS_GROUP = 12_345;

export const SECRETS_REVIEW = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
        user: "system:serviceaccount:default:default",
        resourceAttributes: { verb: "get", resource: "secrets", namespace: "default" },
    },
};

export const PRIVILEGED = {
    containers: [{ name: "shell", image: "none", securityContext: { privileged: true } }],
};

export function claimAndPod(image: string): KubeObject[] {
    const claim = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name: "volume-check", namespace: "default" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    return [claim, busyPod("volume-check", "default", image)];
}

/** A pod that goes on running, as no user in particular, with the claim of its name mounted. */
export function busyPod(name: string, namespace: string, image: string): KubeObject {
    return {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace },
        spec: {
            securityContext: { runAsUser: FS_GROUP, runAsNonRoot: true, fsGroup: FS_GROUP },
            containers: [
                {
                    name: "dns",
                    image,
                    imagePullPolicy: "Never",
                    args: ["coredns", "-dns.port=1053"],
                    volumeMounts: [{ name: "data", mountPath: "/data" }],
                },
            ],
            volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
        },
    };
}

export function nodePortService(nodePort: number): KubeObject {
    return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "node-port-check", namespace: "kube-system" },
        spec: {
            type: "NodePort",
            selector: { "k8s-app": "kube-dns" },
            ports: [{ port: 8080, nodePort, protocol: "TCP" }],
        },
    };
}

export async function addonsImage(client: KubeClient): Promise<string> {
    const path = "/apis/apps/v1/namespaces/kube-system/deployments/coredns";
    const found = await client.tryGet<{
        spec: { template: { spec: { containers: { image: string }[] } } };
    }>(path);
    return found?.spec.template.spec.containers[0]?.image ?? "";
}

export function phase(object: KubeObject | undefined): string | undefined {
    return (object?.status as { phase?: string } | undefined)?.phase;
}

/** The body of an answer on a connection of its own: one that is kept alive outlives its node port. */
export function fetchText(url: string): Promise<string | undefined> {
    return new Promise((resolve) => {
        const request = http.get(url, { agent: false, timeout: 1_000 }, (response) => {
            let body = "";
            response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
            response.on("end", () => resolve(body));
        });
        request.on("timeout", () => request.destroy());
        request.on("error", () => resolve(undefined));
    });
}

export function pidsOf(found: { components: { name: string; pid: number | undefined }[] }) {
    const started = found.components.filter(({ pid }) => pid !== undefined);
    return Object.fromEntries(started.map(({ name, pid }) => [name, pid ?? 0]));
}

/** The command as a user runs it, on a sandbox of the test's own. */
export function cli(stateDir: string, verb: string): ChildProcess {
    return spawn(process.execPath, [CLI, "sandbox", verb], {
        stdio: "ignore",
        env: { ...process.env, CUTOVER_SANDBOX_STATE: stateDir },
    });
}

export function ended(child: ChildProcess): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null)
        return Promise.resolve(child.exitCode);
    return new Promise((resolve) => child.once("exit", (code) => resolve(code)));
}
