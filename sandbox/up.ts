import * as fs from "node:fs";
import * as path from "node:path";
import { CliError } from "../scripts/errors";
import type { Progress } from "../scripts/progress";
import { applyAddons } from "./components/addons";
import * as controlPlane from "./components/control-plane";
import * as node from "./components/node";
import { filesOf, firstDead, lastLines, runCommand } from "./control-plane";
import { stopEverything } from "./down";
import { withLock } from "./images/lock";
import { run } from "./images/run";
import * as instances from "./instance";
import type { Instance } from "./instance";
import { KubeClient } from "./kube-client";
import { createCgroups, findHierarchies } from "./machine/cgroups";
import { holder, inNode, makeCoveredFolders } from "./machine/namespace";
import * as needs from "./machine/needs";
import { connectNode, requireFreeNetwork } from "./machine/network";
import { start, type Command, type ProcessId } from "./machine/process";
import { readSysctls } from "./machine/sysctls";
import { until } from "./machine/until";
import { cacheDir, stateDir as defaultStateDir } from "./paths";
import { buildPrograms, type Image, type Programs } from "./programs";
import { infoOf, status, type SandboxInfo, type SandboxOptions } from "./status";

const SECONDS = 1_000;
const HOLDER_TIMEOUT_MS = 10 * SECONDS;
const API_TIMEOUT_MS = 60 * SECONDS;
const CONTAINERD_TIMEOUT_MS = 30 * SECONDS;
/** From the kubelet's start to a ready node with DNS and metrics; 15 s on two idle cores. */
const READY_TIMEOUT_MS = 180 * SECONDS;

/**
 * Brings the sandbox up: builds what is not in the cache, starts what does not run, and returns when
 * the node, DNS and metrics are ready. One that runs is left alone; of one that runs in part, or that
 * a reboot ended, the cluster's data stays and every process is started again.
 *
 * @throws CliError naming what the machine lacks, or with the log of what did not start
 */
export async function up(progress: Progress, options: SandboxOptions = {}): Promise<SandboxInfo> {
    needs.requireLinuxRoot();
    const stateDir = path.resolve(options.stateDir ?? defaultStateDir());
    needs.requireUsableStateDir(stateDir);
    if ((await status({ stateDir })).running) return infoOf(stateDir);
    const { signal } = options;
    return withLock(instances.lockOf(stateDir), () => bringUp(progress, stateDir, signal), {
        signal,
    });
}

async function bringUp(
    progress: Progress,
    stateDir: string,
    signal: AbortSignal | undefined,
): Promise<SandboxInfo> {
    if ((await status({ stateDir })).running) return infoOf(stateDir);
    await progress.step("Check what the sandbox needs", async (say) => {
        needs.requireDisk(stateDir, needs.MINIMUM_FREE_BYTES.run);
        needs.requireDisk(cacheDir(), needs.MINIMUM_FREE_BYTES.run);
        await needs.ensureSandboxPackages(say, signal);
        await needs.ensureKernelModules();
    });
    const programs = await buildPrograms(progress, signal);
    const instance = await prepareInstance(stateDir);
    const starting = new Starting(instance, programs, signal);
    await progress.step("Start the control plane", (say) => starting.controlPlane(say));
    await progress.step("Start the node", (say) => starting.node(say));
    await progress.step("Wait for node, DNS and metrics", (say) => starting.ready(say));
    return infoOf(stateDir);
}

/** The sandbox of this folder with nothing of it running, or a new one. */
async function prepareInstance(stateDir: string): Promise<Instance> {
    const existing = instances.readInstance(stateDir);
    if (existing !== undefined) await stopEverything(existing);
    const instance =
        existing ?? instances.newInstance(stateDir, instances.chosenApiPort(), readSysctls());
    if (existing === undefined) {
        refuseForeignFolder(stateDir);
        // Remains of a sandbox whose record was deleted by hand have the same names.
        await stopEverything(instance);
    }
    await needs.requireFreePort(instance.apiPort, "the sandbox's API server");
    await requireFreeNetwork(instance);
    instances.writeInstance(instance);
    return instance;
}

/** `down` will remove the whole folder, so it must be the sandbox's own from the start. */
function refuseForeignFolder(stateDir: string): void {
    const found = fs.existsSync(stateDir) ? fs.readdirSync(stateDir) : [];
    if (found.length === 0) return;
    throw new CliError(
        `CUTOVER_SANDBOX_STATE must be a new or empty folder, got ${stateDir} with ${found[0]}`,
    );
}

/** One start of a sandbox, of which nothing runs yet. */
class Starting {
    private readonly started: Command[] = [];
    private readonly joinCgroup: string;
    private readonly plane: controlPlane.ControlPlane;
    private holder!: ProcessId;
    private client!: KubeClient;

    constructor(
        private readonly instance: Instance,
        private readonly programs: Programs,
        private readonly signal: AbortSignal | undefined,
    ) {
        const { stateDir, nodeIp, cgroup } = instance;
        const { pki } = node.nodePaths(stateDir);
        this.plane = {
            program: programs.cluster,
            dir: stateDir,
            pki,
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
        this.joinCgroup = createCgroups(cgroup, findHierarchies());
        makeFolders(stateDir);
        const files = node.configFiles(instance, programs.pauseImage.reference);
        for (const [file, content] of Object.entries(files)) fs.writeFileSync(file, content);
    }

    async controlPlane(say: (line: string) => void): Promise<void> {
        const { stateDir, apiPort } = this.instance;
        const kubeconfig = instances.kubeconfigOf(stateDir);
        await runCommand(
            controlPlane.certificates(this.plane, {
                kubeconfig,
                hostServer: `https://127.0.0.1:${apiPort}`,
                node: instances.CONTEXT,
                serviceIp: instances.NODE_NETWORK.apiService,
            }),
            this.signal,
        );
        await this.startHolder();
        this.startInNode(controlPlane.etcd(this.plane));
        this.startInNode(controlPlane.apiServer(this.plane));
        this.startInNode(node.containerd(this.instance));
        this.client = KubeClient.fromKubeconfig(kubeconfig);
        await this.importOwnImages(say);
        say("waiting for the API server");
        await this.wait("the API server answers", API_TIMEOUT_MS, () => this.client.ready());
    }

    async node(say: (line: string) => void): Promise<void> {
        this.startInNode(controlPlane.controllerManager(this.plane));
        this.startInNode(node.scheduler(this.instance, this.programs));
        this.startInNode(node.proxy(this.instance, this.programs));
        this.startInNode(node.kubelet(this.instance, this.programs));
        say("applying DNS, metrics and storage");
        await applyAddons(this.client, this.instance, this.programs.addonsImage.reference);
        this.start(node.agent(this.instance, this.programs));
    }

    async ready(say: (line: string) => void): Promise<void> {
        const { stateDir } = this.instance;
        let waiting = "";
        await this.wait("node, DNS and metrics are ready", READY_TIMEOUT_MS, async () => {
            const { running, components } = await status({ stateDir });
            waiting = components
                .filter(({ healthy }) => !healthy)
                .map(({ name }) => name)
                .join(", ");
            if (!running) say(`waiting for ${waiting}`);
            return running;
        });
        this.client.close();
    }

    private async startHolder(): Promise<void> {
        const { stateDir } = this.instance;
        const ready = path.join(stateDir, "run", "node.ready");
        fs.rmSync(ready, { force: true });
        makeCoveredFolders();
        const { kubelet } = node.nodePaths(stateDir);
        this.holder = this.start(holder(this.programs.pause, kubelet, ready));
        await this.wait("the node's namespaces are there", HOLDER_TIMEOUT_MS, () =>
            fs.existsSync(ready),
        );
        await connectNode(this.instance, this.holder.pid);
    }

    /** The pause image must be there before the first pod, and the addons' pods never pull. */
    private async importOwnImages(say: (line: string) => void): Promise<void> {
        const socket = instances.containerdSocketOf(this.instance.stateDir);
        await this.wait(
            "containerd answers",
            CONTAINERD_TIMEOUT_MS,
            async () => (await importedImages(socket)) !== undefined,
        );
        const present = (await importedImages(socket)) ?? [];
        const { pauseImage, addonsImage } = this.programs;
        for (const { reference, archive } of [pauseImage, addonsImage] satisfies Image[]) {
            if (present.includes(reference)) continue;
            say(`importing ${reference}`);
            await importArchive(socket, archive);
        }
    }

    private startInNode(command: Command): void {
        this.start(inNode(command, this.holder));
    }

    private start(command: Command): ProcessId {
        const files = filesOf(this.instance.stateDir, command.name);
        // The log of this start alone, with the one before kept: it may tell why there was another.
        if (fs.existsSync(files.logFile)) fs.renameSync(files.logFile, `${files.logFile}.1`);
        const id = start(command, { ...files, joinCgroup: this.joinCgroup });
        this.started.push(command);
        return id;
    }

    private wait(
        what: string,
        timeoutMs: number,
        check: () => Promise<boolean> | boolean,
    ): Promise<void> {
        const { stateDir } = this.instance;
        return until({
            what,
            timeoutMs,
            check,
            signal: this.signal,
            hopeless: () => firstDead(stateDir, this.started),
            evidence: () =>
                this.started
                    .slice(-3)
                    .map(({ name }) => `${name}:\n${lastLines(filesOf(stateDir, name).logFile)}`)
                    .join("\n"),
        });
    }
}

function makeFolders(stateDir: string): void {
    const { pki, config, cni, containerd, kubelet, podLogs, volumes } = node.nodePaths(stateDir);
    const own = ["etcd", "run", "logs"].map((name) => path.join(stateDir, name));
    for (const dir of [...own, pki, config, cni, containerd, kubelet, podLogs]) {
        fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
    }
    fs.mkdirSync(volumes, { recursive: true, mode: 0o755 });
}

/** References of containerd's images, or undefined while it does not answer. */
async function importedImages(socket: string): Promise<string[] | undefined> {
    if (!fs.existsSync(socket)) return undefined;
    try {
        const args = ["--address", socket, "--namespace", "k8s.io", "images", "list", "--quiet"];
        return (await run("ctr", args)).trim().split("\n");
    } catch {
        return undefined;
    }
}

async function importArchive(socket: string, archive: string): Promise<void> {
    await run("ctr", ["--address", socket, "--namespace", "k8s.io", "images", "import", archive]);
}

/**
 * Imports an image archive (docker-archive or oci-archive) into the sandbox, so that pods can use it
 * under the names in the archive. There is no registry: pods need `imagePullPolicy` `Never` or
 * `IfNotPresent`.
 */
export async function importImage(info: SandboxInfo, archivePath: string): Promise<void> {
    await importArchive(info.containerdSocket, archivePath);
}
