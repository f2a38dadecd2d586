import * as fs from "node:fs";
import * as path from "node:path";
import type { Say } from "../scripts/progress";
import { applyAddons } from "./components/addons";
import * as controlPlane from "./components/control-plane";
import * as node from "./components/node";
import { filesOf, firstDead, lastLines, runCommand } from "./control-plane";
import { importArchive, importedImages } from "./image-store";
import * as instances from "./instance";
import type { Instance } from "./instance";
import { KubeClient } from "./kube-client";
import { createCgroups, findHierarchies, programsGroup } from "./machine/cgroups";
import { holder, makeCoveredFolders } from "./machine/namespace";
import { connectNode } from "./machine/network";
import { running, start, startInNode, type Command, type ProcessId } from "./machine/process";
import { until } from "./machine/until";
import type { Programs } from "./programs";
import { status } from "./status";

const SECONDS = 1_000;
const HOLDER_TIMEOUT_MS = 10 * SECONDS;
const API_TIMEOUT_MS = 60 * SECONDS;
const CONTAINERD_TIMEOUT_MS = 30 * SECONDS;
/** From the kubelet's start to a ready node with DNS and metrics; 15 s on two idle cores. */
const READY_TIMEOUT_MS = 180 * SECONDS;
/** How many of the components started last are quoted when waiting was in vain. */
const EVIDENCE_COMPONENTS = 3;

/**
 * Starts what does not run of one sandbox, in order, and waits until it works. Processes that run are
 * left alone, so a component that died comes back without the pods noticing.
 */
export class Starting {
    private readonly started: Command[] = [];
    private readonly plane: controlPlane.ControlPlane;

    constructor(
        private readonly instance: Instance,
        private readonly programs: Programs,
        private readonly signal: AbortSignal | undefined,
    ) {
        this.plane = planeOf(instance, programs);
    }

    /** Files and namespaces; skipped by a sandbox whose node is there. */
    async makeNode(): Promise<void> {
        const { stateDir, apiPort, cgroup } = this.instance;
        createCgroups(cgroup, findHierarchies());
        makeFolders(stateDir);
        const files = node.configFiles(this.instance, this.programs.pauseImage.reference);
        for (const [file, content] of Object.entries(files)) fs.writeFileSync(file, content);
        const certificates = controlPlane.certificates(this.plane, {
            kubeconfig: instances.kubeconfigOf(stateDir),
            hostServer: `https://127.0.0.1:${apiPort}`,
            node: instances.CONTEXT,
            serviceIp: instances.NODE_NETWORK.apiService,
        });
        await runCommand(certificates, this.signal);
        await this.startHolder();
    }

    async startControlPlane(say: Say): Promise<void> {
        await this.startInNode(controlPlane.etcd(this.plane));
        await this.startInNode(controlPlane.apiServer(this.plane));
        await this.startInNode(node.containerd(this.instance));
        await this.importOwnImages(say);
        say("waiting for the API server");
        await this.withClient((client) =>
            this.wait("the API server answers", API_TIMEOUT_MS, () => client.ready()),
        );
    }

    async startNode(say: Say): Promise<void> {
        await this.startInNode(controlPlane.controllerManager(this.plane));
        await this.startInNode(node.scheduler(this.instance, this.programs));
        await this.startInNode(node.proxy(this.instance, this.programs));
        await this.startInNode(node.kubelet(this.instance, this.programs));
        say("applying DNS, metrics and storage");
        const { reference } = this.programs.addonsImage;
        await this.withClient((client) => applyAddons(client, this.instance, reference));
        this.start(node.agent(this.instance, this.programs));
    }

    async waitUntilReady(say: Say): Promise<void> {
        const { stateDir } = this.instance;
        await this.wait("node, DNS and metrics are ready", READY_TIMEOUT_MS, async () => {
            const { running, components } = await status({ stateDir });
            const waiting = components.filter(({ healthy }) => !healthy).map(({ name }) => name);
            if (!running) say(`waiting for ${waiting.join(", ")}`);
            return running;
        });
    }

    private async startHolder(): Promise<void> {
        const { stateDir } = this.instance;
        const socket = instances.nodeSocketOf(stateDir);
        fs.rmSync(socket, { force: true });
        makeCoveredFolders();
        const { kubelet } = node.nodePaths(stateDir);
        const id = this.start(holder(this.programs.node, kubelet, socket));
        await this.wait("the node's namespaces are there", HOLDER_TIMEOUT_MS, () =>
            fs.existsSync(socket),
        );
        await connectNode(this.instance, id.pid);
        fs.writeFileSync(joinedMark(stateDir), "");
    }

    /** The pause image must be there before the first pod, and the addons' pods never pull. */
    private async importOwnImages(say: Say): Promise<void> {
        const socket = instances.containerdSocketOf(this.instance.stateDir);
        let present: string[] | undefined;
        await this.wait("containerd answers", CONTAINERD_TIMEOUT_MS, async () => {
            present = await importedImages(socket);
            return present !== undefined;
        });
        for (const { reference, archive } of [
            this.programs.pauseImage,
            this.programs.addonsImage,
        ]) {
            if (present?.includes(reference)) continue;
            say(`importing ${reference}`);
            await importArchive(socket, archive);
        }
    }

    /** Starts a component in the machine's namespaces, unless it runs. */
    private start(command: Command): ProcessId {
        const { stateDir, cgroup } = this.instance;
        const joinCgroup = programsGroup(cgroup, findHierarchies());
        return (
            this.present(command) ??
            start(command, { ...filesOf(stateDir, command.name), joinCgroup })
        );
    }

    /** Starts a component in the node's namespaces, unless it runs. */
    private async startInNode(command: Command): Promise<void> {
        const { stateDir } = this.instance;
        if (this.present(command) !== undefined) return;
        const files = filesOf(stateDir, command.name);
        await startInNode(instances.nodeSocketOf(stateDir), command, files);
    }

    private present(command: Command): ProcessId | undefined {
        const { pidFile, logFile } = filesOf(this.instance.stateDir, command.name);
        this.started.push(command);
        const id = running(pidFile);
        // The log of this start alone, with the one before kept: it may tell why there was another.
        if (id === undefined && fs.existsSync(logFile)) fs.renameSync(logFile, `${logFile}.1`);
        return id;
    }

    private async withClient<T>(use: (client: KubeClient) => Promise<T>): Promise<T> {
        const client = KubeClient.fromKubeconfig(instances.kubeconfigOf(this.instance.stateDir));
        try {
            return await use(client);
        } finally {
            client.close();
        }
    }

    private wait(
        what: string,
        timeoutMs: number,
        check: () => Promise<boolean> | boolean,
    ): Promise<void> {
        const { stateDir } = this.instance;
        const recent = (): Command[] => this.started.slice(-EVIDENCE_COMPONENTS);
        const log = (name: string): string => lastLines(filesOf(stateDir, name).logFile);
        return until({
            what,
            timeoutMs,
            check,
            signal: this.signal,
            hopeless: () => firstDead(stateDir, this.started),
            evidence: () =>
                recent()
                    .map(({ name }) => `${name}:\n${log(name)}`)
                    .join("\n"),
        });
    }
}

/** Whether the node of a sandbox is there whole, so that components can be started in it. */
export function nodeIsThere({ stateDir, link }: Instance): boolean {
    return (
        running(filesOf(stateDir, "node").pidFile) !== undefined &&
        fs.existsSync(joinedMark(stateDir)) &&
        fs.existsSync(instances.nodeSocketOf(stateDir)) &&
        fs.existsSync(`/sys/class/net/${link}`)
    );
}

/** Written when the node's network is joined to the machine's, the last step of making a node. */
function joinedMark(stateDir: string): string {
    return path.join(stateDir, "run", "node.joined");
}

function planeOf({ stateDir, nodeIp }: Instance, { cluster }: Programs): controlPlane.ControlPlane {
    return {
        program: cluster,
        dir: stateDir,
        pki: node.nodePaths(stateDir).pki,
        advertise: nodeIp,
        // The node's network is its own: the machine's networks do not reach it.
        bind: "0.0.0.0",
        ports: {
            etcd: 2379,
            etcdPeer: 2380,
            api: instances.NODE_NETWORK.apiPort,
            controllers: 10257,
        },
        serviceCidr: instances.NODE_NETWORK.serviceCidr,
        nodePorts: controlPlane.NODE_PORT_RANGE,
    };
}

function makeFolders(stateDir: string): void {
    const { pki, config, cni, containerd, kubelet, podLogs, volumes } = node.nodePaths(stateDir);
    const own = ["etcd", "run", "logs"].map((name) => path.join(stateDir, name));
    for (const dir of [...own, pki, config, cni, containerd, kubelet, podLogs]) {
        fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    }
    fs.mkdirSync(volumes, { recursive: true, mode: 0o755 });
}
