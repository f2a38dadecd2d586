import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { silentProgress, type Progress } from "../scripts/progress";
import * as controlPlane from "./components/control-plane";
import { run } from "./images/run";
import { KubeClient } from "./kube-client";
import { running, start, stop, type Command } from "./machine/process";
import { until } from "./machine/until";
import { buildCluster } from "./programs";

export interface ControlPlaneOptions {
    /** Folder for the cluster's data, kubeconfig, logs; made when missing, never removed. */
    stateDir: string;
    /** Without it nobody makes pods of Deployments, or service accounts. Default: true. */
    controllerManager?: boolean;
    progress?: Progress;
    signal?: AbortSignal;
}

export interface RunningControlPlane {
    kubeconfig: string;
    /** Ends its processes; its files stay. */
    stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
/** Short, since an API server that is asked politely waits for its clients' watches to end. */
const STOP_GRACE_MS = 500;

/**
 * Starts etcd, API server and controller manager on free ports of 127.0.0.1: a real API without a
 * node, for tests. Needs no root. Pods stay Pending.
 *
 * @throws when the API server is not ready within 60 s
 */
export async function startControlPlane(
    options: ControlPlaneOptions,
): Promise<RunningControlPlane> {
    const { stateDir, signal } = options;
    const programs = await buildCluster(options.progress ?? silentProgress, signal);
    const [etcd, etcdPeer, api, controllers] = await freePorts(4);
    const plane: controlPlane.ControlPlane = {
        program: programs.cluster,
        dir: stateDir,
        pki: path.join(stateDir, "pki"),
        // The advertised address may not be a loopback one; nothing connects to it here.
        advertise: "198.18.0.1",
        bind: "127.0.0.1",
        ports: { etcd, etcdPeer, api, controllers },
        serviceCidr: "10.96.0.0/16",
        nodePorts: controlPlane.NODE_PORT_RANGE,
    };
    const kubeconfig = path.join(stateDir, "kubeconfig");
    for (const dir of ["etcd", "logs", "run"]) {
        fs.mkdirSync(path.join(stateDir, dir), { recursive: true, mode: 0o700 });
    }
    const certificates = controlPlane.certificates(plane, {
        kubeconfig,
        hostServer: `https://127.0.0.1:${api}`,
        node: "none",
        serviceIp: "10.96.0.1",
    });
    await runCommand(certificates, signal);
    const commands = [controlPlane.etcd(plane), controlPlane.apiServer(plane)];
    if (options.controllerManager ?? true) commands.push(controlPlane.controllerManager(plane));
    const processes = commands.map((command) => start(command, filesOf(stateDir, command.name)));
    const end = (): Promise<void> => stop(processes.toReversed(), STOP_GRACE_MS);
    const client = KubeClient.fromKubeconfig(kubeconfig);
    try {
        await until({
            what: "the API server answers",
            timeoutMs: READY_TIMEOUT_MS,
            signal,
            check: () => client.ready(),
            hopeless: () => firstDead(stateDir, commands),
        });
        // Without it no pod can be created, so nobody wants a control plane before it is there.
        const account = "/api/v1/namespaces/default/serviceaccounts/default";
        await until({
            what: "the controller manager has made the default service account",
            timeoutMs: READY_TIMEOUT_MS,
            signal,
            check: async () =>
                !commands.some(({ name }) => name === "kube-controller-manager") ||
                (await client.tryGet(account)) !== undefined,
            hopeless: () => firstDead(stateDir, commands),
        });
    } catch (error) {
        await end();
        throw error;
    } finally {
        client.close();
    }
    return { kubeconfig, stop: end };
}

/** Pid file and log of a component. */
export function filesOf(stateDir: string, name: string): { pidFile: string; logFile: string } {
    return {
        pidFile: path.join(stateDir, "run", `${name}.pid`),
        logFile: path.join(stateDir, "logs", `${name}.log`),
    };
}

/** Runs a command that ends by itself. */
export async function runCommand(command: Command, signal?: AbortSignal): Promise<void> {
    const [program, ...args] = command.argv;
    await run(program ?? "", args, { signal });
}

/** The first component that has ended, with the end of its log. */
export function firstDead(stateDir: string, commands: readonly Command[]): string | undefined {
    for (const { name } of commands) {
        const { pidFile, logFile } = filesOf(stateDir, name);
        if (running(pidFile) === undefined) return `${name} has ended:\n${lastLines(logFile)}`;
    }
    return undefined;
}

const EVIDENCE_LINES = 12;
const LONGEST_LINE = 400;

/** The end of a log file, as evidence in an error. */
export function lastLines(file: string): string {
    const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-EVIDENCE_LINES);
    return lines.map((line) => `  ${line.slice(0, LONGEST_LINE)}`).join("\n");
}

/** Ports of 127.0.0.1 that were free a moment ago. */
async function freePorts(count: 4): Promise<[number, number, number, number]> {
    const servers = Array.from({ length: count }, () => net.createServer());
    const ports = await Promise.all(
        servers.map(
            (server) =>
                new Promise<number>((resolve, reject) => {
                    server.once("error", reject);
                    server.listen(0, "127.0.0.1", () =>
                        resolve((server.address() as net.AddressInfo).port),
                    );
                }),
        ),
    );
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    return ports as [number, number, number, number];
}
