import * as fs from "node:fs";
import * as path from "node:path";
import { CliError } from "../scripts/errors";
import { filesOf, lastLines } from "./control-plane";
import { CONTEXT, containerdSocketOf, kubeconfigOf, readInstance } from "./instance";
import { KubeClient } from "./kube-client";
import { running } from "./machine/process";
import { stateDir as defaultStateDir } from "./paths";
import { KUBERNETES_VERSION } from "./programs";

/** A sandbox that runs, and how to reach it. */
export interface SandboxInfo {
    stateDir: string;
    kubeconfig: string;
    context: typeof CONTEXT;
    kubernetesVersion: string;
    /** Socket of its containerd; images are imported into the namespace `k8s.io`. */
    containerdSocket: string;
}

export interface ComponentStatus {
    name: string;
    pid: number | undefined;
    /** Its process runs. */
    alive: boolean;
    /** It does its work, as far as the API server can tell. */
    healthy: boolean;
}

export interface SandboxStatus {
    /** Every component is healthy. */
    running: boolean;
    components: ComponentStatus[];
    /** Where the sandbox is; absent when none was made in the state folder. */
    info?: SandboxInfo;
}

export interface SandboxOptions {
    /** Default: `$CUTOVER_SANDBOX_STATE`, else `~/.local/state/cutover/sandbox`. */
    stateDir?: string;
    signal?: AbortSignal;
}

/** Every process of a sandbox, in the order in which they are started. */
export const PROCESSES = [
    "node",
    "etcd",
    "kube-apiserver",
    "containerd",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "agent",
] as const;

/** Pods of the sandbox's own, by the Deployments in `kube-system` that make them. */
export const ADDONS = ["coredns", "metrics-server"] as const;

export function infoOf(stateDir: string): SandboxInfo {
    return {
        stateDir,
        kubeconfig: kubeconfigOf(stateDir),
        context: CONTEXT,
        kubernetesVersion: KUBERNETES_VERSION,
        containerdSocket: containerdSocketOf(stateDir),
    };
}

/** What runs of a sandbox and whether it works. Needs no more rights than its kubeconfig. */
export async function status(options: SandboxOptions = {}): Promise<SandboxStatus> {
    const stateDir = options.stateDir ?? defaultStateDir();
    if (readInstance(stateDir) === undefined) return { running: false, components: [] };
    const health = await healthOf(stateDir);
    const components: ComponentStatus[] = PROCESSES.map((name) => {
        const pid = running(filesOf(stateDir, name).pidFile)?.pid;
        const alive = pid !== undefined;
        return { name, pid, alive, healthy: alive && health[name] !== false };
    });
    for (const name of ADDONS) {
        const healthy = health[name] === true;
        components.push({ name, pid: undefined, alive: healthy, healthy });
    }
    return {
        running: components.every(({ healthy }) => healthy),
        components,
        info: infoOf(stateDir),
    };
}

interface Conditioned {
    status?: { conditions?: { type: string; status: string }[] };
}

/** What can be asked for its health; nothing about the others, which work when they run. */
async function healthOf(stateDir: string): Promise<Partial<Record<string, boolean>>> {
    const kubeconfig = kubeconfigOf(stateDir);
    if (!fs.existsSync(kubeconfig)) return { "kube-apiserver": false };
    const client = KubeClient.fromKubeconfig(kubeconfig);
    const is = async (path: string, condition: string): Promise<boolean> => {
        const object = await client.tryGet<Conditioned>(path);
        return (object?.status?.conditions ?? []).some(
            ({ type, status }) => type === condition && status === "True",
        );
    };
    // Deprecated and yet the only place that probes the components which have no object of their own.
    const component = (name: string): Promise<boolean> =>
        client
            .tryGet<{ conditions?: { status: string }[] }>(`/api/v1/componentstatuses/${name}`)
            .then((found) => found?.conditions?.[0]?.status === "True");
    const deployment = (name: string): Promise<boolean> =>
        is(`/apis/apps/v1/namespaces/kube-system/deployments/${name}`, "Available");
    try {
        const [api, etcd, scheduler, controllers, node, dns, metrics, metricsApi] =
            await Promise.all([
                client.ready(),
                component("etcd-0"),
                component("scheduler"),
                component("controller-manager"),
                is(`/api/v1/nodes/${CONTEXT}`, "Ready"),
                deployment("coredns"),
                deployment("metrics-server"),
                is(
                    "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
                    "Available",
                ),
            ]);
        return {
            "kube-apiserver": api,
            etcd,
            "kube-scheduler": scheduler,
            "kube-controller-manager": controllers,
            kubelet: node,
            containerd: node,
            coredns: dns,
            "metrics-server": metrics && metricsApi,
        };
    } finally {
        client.close();
    }
}

/**
 * The log of one component, or the end of every component's.
 *
 * @throws CliError when there is no such component or it has not run
 */
export async function logs(component?: string, options: SandboxOptions = {}): Promise<string> {
    const stateDir = options.stateDir ?? defaultStateDir();
    if (component === undefined) {
        const started = PROCESSES.filter((name) => fs.existsSync(filesOf(stateDir, name).logFile));
        return started
            .map((name) => `== ${name}\n${lastLines(filesOf(stateDir, name).logFile)}\n`)
            .join("");
    }
    return fs.promises.readFile(logFileOf(component, stateDir), "utf8");
}

/** Path of a component's log. @throws CliError as {@link logs} */
export function logFileOf(component: string, stateDir = defaultStateDir()): string {
    if (!PROCESSES.some((name) => name === component)) {
        throw new CliError(`no component "${component}"; expected one of ${PROCESSES.join(", ")}`);
    }
    const { logFile } = filesOf(stateDir, component);
    if (!fs.existsSync(logFile)) {
        throw new CliError(`no log of ${component} below ${path.dirname(logFile)}: it has not run`);
    }
    return logFile;
}
