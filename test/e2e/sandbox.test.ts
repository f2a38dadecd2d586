// lane: shared, about 120 s
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { down, status, up } from "../../sandbox";
import { lockOf, newInstance, readInstance, type Instance } from "../../sandbox/instance";
import { KubeClient, type KubeObject } from "../../sandbox/kube-client";
import { findHierarchies, processesIn } from "../../sandbox/machine/cgroups";
import { identify, running, type ProcessId } from "../../sandbox/machine/process";
import { until } from "../../sandbox/machine/until";
import { silentProgress } from "../../scripts/progress";
import {
    leftBehind,
    listeningAddresses,
    machineState,
    parentOf,
    processesOf,
    watchSandbox,
    type MachineState,
} from "../support/machine";
import {
    addonsImage,
    busyPod,
    CLAIM,
    claimAndPod,
    cli,
    ended,
    fetchText,
    FS_GROUP,
    nodePortService,
    phase,
    pidsOf,
    PRIVILEGED,
    SECRETS_REVIEW,
} from "../support/own-sandbox";

/** The machine may be slow and busy; what must be fast is asserted as such. */
const UP_TIMEOUT_MS = 240_000;
/** Processes that have ended stay in the list until the machine's init has taken note. */
const REAP_TIMEOUT_MS = 5_000;
/** Free of what other Services in the default sandbox use: both answer on one 127.0.0.1. */
const NODE_PORT = 32_111;

/** A sandbox of the test's own, beside whichever runs on the machine. */
describe("the sandbox", function () {
    this.timeout(UP_TIMEOUT_MS);
    let stateDir = "";
    let instance: Instance;
    let untouched: MachineState;

    before(async function () {
        if (process.platform !== "linux" || process.getuid?.() !== 0) {
            this.skip(); // no sandbox runs here, which the demo's suites say with the reason
        }
        stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-sb-"));
        instance = newInstance(stateDir, 0, {});
        watchSandbox(instance.id);
        untouched = machineState();
    });

    after(async () => {
        // Without a folder of its own this would be the user's sandbox.
        if (stateDir !== "") await down(silentProgress, { stateDir });
    });

    async function assertNothingLeft(): Promise<void> {
        const deadline = Date.now() + REAP_TIMEOUT_MS;
        while (processesOf(instance.id, stateDir).length > 0 && Date.now() < deadline) {
            await sleep(50);
        }
        assert.deepEqual(processesOf(instance.id, stateDir), []);
        assert.deepEqual(leftBehind(untouched, machineState()), {});
        assert.equal(fs.existsSync(stateDir), false);
        assert.equal(fs.existsSync(lockOf(stateDir)), false);
    }

    it("neither uses nor removes a folder that holds anything else", async () => {
        const thesis = path.join(stateDir, "thesis.txt");
        fs.writeFileSync(thesis, "");
        await assert.rejects(
            up(silentProgress, { stateDir }),
            /new or empty folder, got .*thesis\.txt/,
        );
        await assert.rejects(down(silentProgress, { stateDir }), /no sandbox: it is left alone/);
        fs.rmSync(thesis);
    });

    it("leaves nothing behind when `up` is killed half-way", async () => {
        const child = cli(stateDir, "up");
        await until({
            what: "containerd was started",
            timeoutMs: UP_TIMEOUT_MS,
            check: () => fs.existsSync(path.join(stateDir, "run", "containerd.pid")),
        });
        child.kill("SIGKILL");
        await ended(child);
        assert.notDeepEqual(
            processesOf(instance.id, stateDir),
            [],
            "it was killed too early to matter",
        );
        await down(silentProgress, { stateDir });
        await assertNothingLeft();
    });

    it("goes on where Ctrl-C ended it, within 60 s even on a busy machine", async () => {
        const child = cli(stateDir, "up");
        await until({
            what: "etcd was started",
            timeoutMs: UP_TIMEOUT_MS,
            check: () => fs.existsSync(path.join(stateDir, "run", "etcd.pid")),
        });
        child.kill("SIGINT");
        assert.equal(await ended(child), 130);
        const started = Date.now();
        const info = await up(silentProgress, { stateDir });
        assert.ok(Date.now() - started < 60_000, `took ${Date.now() - started} ms`);
        assert.equal(info.kubernetesVersion, "v1.34.4");
        const found = await status({ stateDir });
        assert.deepEqual(
            found.components.filter(({ healthy }) => !healthy),
            [],
        );
        assert.ok(found.running);
    });

    it("is a no-op when it runs, within 2 s", async () => {
        const pids = pidsOf(await status({ stateDir }));
        const took: number[] = [];
        // The quickest of a few: what else the machine does is not this test's business.
        while (took.length < 3 && !took.some((milliseconds) => milliseconds <= 2_000)) {
            const started = Date.now();
            assert.equal(await ended(cli(stateDir, "up")), 0);
            took.push(Date.now() - started);
        }
        assert.deepEqual(pidsOf(await status({ stateDir })), pids);
        assert.ok(Math.min(...took) <= 2_000, `took ${took.join(", ")} ms`);
    });

    it("listens on loopback only, as far as the machine's networks can see", async () => {
        const server = net.createServer().listen(0, "0.0.0.0");
        await new Promise((resolve) => server.once("listening", resolve));
        try {
            assert.match(listeningAddresses([process.pid]).join(), /00000000:/, "it would be seen");
        } finally {
            server.close();
        }
        const pids = everyProcess().map(({ pid }) => pid);
        assert.ok(pids.length >= Object.keys(pidsOf(await status({ stateDir }))).length);
        // 127.0.0.1 in the kernel's notation.
        const open = listeningAddresses(pids).filter((address) => !address.startsWith("0100007F:"));
        assert.deepEqual(open, []);
    });

    it("serves node ports on 127.0.0.1", async () => {
        await withClient(async (client) => {
            await client.apply(nodePortService(NODE_PORT));
            await until({
                what: `http://127.0.0.1:${NODE_PORT}/health answers`,
                timeoutMs: 10_000,
                check: async () =>
                    (await fetchText(`http://127.0.0.1:${NODE_PORT}/health`)) === "OK",
            });
            await client.request(
                "DELETE",
                "/api/v1/namespaces/kube-system/services/node-port-check",
            );
            await until({
                what: "the node port is given back",
                timeoutMs: 10_000,
                check: async () =>
                    (await fetchText(`http://127.0.0.1:${NODE_PORT}/health`)) === undefined,
            });
        });
    });

    it("resolves Services, through a Service, and says at once that other names do not exist", async () => {
        const script = `
            const { Resolver } = require("node:dns").promises;
            const resolver = new Resolver({ timeout: 2000, tries: 2 });
            resolver.setServers(["10.96.0.10"]);
            const ask = (name) => resolver.resolve4(name).catch((error) => error.code);
            Promise.all([ask("kubernetes.default.svc.cluster.local"), ask("example.com")])
                .then((answers) => console.log(JSON.stringify(answers)));`;
        const answers = JSON.parse(await runInNode([process.execPath, "-e", script])) as unknown[];
        assert.deepEqual(answers, [["10.96.0.1"], "ENOTFOUND"]);
    });

    it("lets the cluster reach neither the machine nor anything behind it", async () => {
        const server = net.createServer().listen(0, "0.0.0.0");
        await new Promise((resolve) => server.once("listening", resolve));
        const { port } = server.address() as net.AddressInfo;
        const script = `
            const { connect } = require("node:net");
            const reach = (host, port) => new Promise((resolve) => {
                const socket = connect({ host, port, timeout: 1000 }, () => resolve("reached"));
                socket.on("timeout", () => resolve("no answer"));
                socket.on("error", (error) => resolve(error.code));
            });
            Promise.all([reach("${instance.hostIp}", ${port}), reach("192.0.2.1", 80)])
                .then((answers) => { console.log(JSON.stringify(answers)); process.exit(); });`;
        try {
            const answers = JSON.parse(
                await runInNode([process.execPath, "-e", script]),
            ) as unknown;
            assert.deepEqual(answers, ["no answer", "ENETUNREACH"]);
        } finally {
            server.close();
        }
    });

    it("gives a non-root pod a volume it can write to, and removes it with its claim", async () => {
        await withClient(async (client) => {
            for (const object of claimAndPod(await addonsImage(client))) await client.apply(object);
            const pod = "/api/v1/namespaces/default/pods/volume-check";
            await until({
                what: "the pod with the volume runs",
                timeoutMs: 30_000,
                check: async () => phase(await client.tryGet(pod)) === "Running",
            });
            const claim = await client.tryGet<KubeObject & { spec: { volumeName: string } }>(CLAIM);
            const folder = path.join(stateDir, "volumes", claim?.spec.volumeName ?? "");
            const { gid, mode } = fs.statSync(folder);
            assert.equal(gid, FS_GROUP);
            assert.equal(
                mode & 0o2070,
                0o2070,
                "the group may write, and new files are the group's",
            );
            await client.request("DELETE", `${pod}?gracePeriodSeconds=0`);
            await client.request("DELETE", CLAIM);
            await until({
                what: "the claim's data is removed",
                timeoutMs: 30_000,
                check: () => !fs.existsSync(folder),
            });
        });
    });

    it("enforces Pod Security admission and RBAC", async () => {
        await withClient(async (client) => {
            await client.apply({
                apiVersion: "v1",
                kind: "Namespace",
                metadata: {
                    name: "restricted",
                    ...{ labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
                },
            });
            const pod = { ...busyPod("privileged", "restricted", "none"), spec: PRIVILEGED };
            await assert.rejects(client.apply(pod), /403 .*violates PodSecurity/s);
            const review = await client.request(
                "POST",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
                { type: "application/json", content: JSON.stringify(SECRETS_REVIEW) },
            );
            assert.equal(JSON.parse(review.body).status.allowed, false);
        });
    });

    it("holds all of the node's processes as its children, so that none is left as a zombie", () => {
        const { pid: holder } = running(path.join(stateDir, "run", "node.pid"))!;
        const { pid: agent } = running(path.join(stateDir, "run", "agent.pid"))!;
        const processes = everyProcess().map(({ pid }) => ({ pid, ...parentOf(pid) }));
        const own = new Set(processes.map(({ pid }) => pid));
        const foreign = processes.filter(({ pid, parent }) => {
            return pid !== holder && pid !== agent && !own.has(parent);
        });
        assert.deepEqual(foreign, []);
        const shims = processes.filter(({ name }) => name.startsWith("containerd-shim"));
        assert.ok(shims.length > 0);
        assert.deepEqual(new Set(shims.map(({ parent }) => parent)), new Set([holder]));
    });

    it("brings back a component that died and leaves the others alone", async () => {
        const was = await status({ stateDir });
        const kubelet = running(path.join(stateDir, "run", "kubelet.pid"));
        process.kill(kubelet?.pid ?? 0, "SIGKILL");
        await until({
            what: "the kubelet is gone",
            timeoutMs: 5_000,
            check: async () => !(await status({ stateDir })).running,
        });
        await up(silentProgress, { stateDir });
        const others = (pids: Record<string, number>): Record<string, number> => {
            const { kubelet: _, ...rest } = pids;
            return rest;
        };
        const is = await status({ stateDir });
        assert.deepEqual(others(pidsOf(is)), others(pidsOf(was)));
        assert.notEqual(pidsOf(is).kubelet, pidsOf(was).kubelet);
    });

    it("starts again with its data after everything was killed, as by a reboot", async () => {
        const note: KubeObject = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "note", namespace: "default" },
            data: { kept: "yes" },
        };
        await withClient((client) => client.apply(note));
        for (const { pid } of everyProcess()) process.kill(pid, "SIGKILL");
        await until({
            what: "every process is gone",
            timeoutMs: 10_000,
            check: () => everyProcess().length === 0,
        });
        await up(silentProgress, { stateDir });
        await withClient(async (client) => {
            const path = "/api/v1/namespaces/default/configmaps/note";
            const found = await client.tryGet<typeof note>(path);
            assert.deepEqual(found?.data, { kept: "yes" });
        });
    });

    it("does not take another process for its own when pid files are stale", async () => {
        const bystander = spawn("sleep", ["600"], { stdio: "ignore" });
        const id = identify(bystander.pid ?? 0);
        assert.ok(id !== undefined);
        const file = path.join(stateDir, "run", "kube-scheduler.pid");
        const scheduler = running(file);
        process.kill(scheduler?.pid ?? 0, "SIGKILL");
        fs.writeFileSync(file, JSON.stringify({ ...id, started: "1" }));
        try {
            const found = await status({ stateDir });
            assert.equal(
                found.components.find(({ name }) => name === "kube-scheduler")?.alive,
                false,
            );
            await down(silentProgress, { stateDir });
            assert.equal(bystander.exitCode, null, "it was killed");
            assert.equal(bystander.signalCode, null, "it was killed");
        } finally {
            bystander.kill("SIGKILL");
        }
    });

    it("left nothing behind: no process, mount, link, rule, kernel setting, group or file", async () => {
        await assertNothingLeft();
        await down(silentProgress, { stateDir });
        await assertNothingLeft();
    });

    function everyProcess(): ProcessId[] {
        return processesIn(instance.cgroup, findHierarchies());
    }

    async function withClient<T>(use: (client: KubeClient) => Promise<T>): Promise<T> {
        const client = KubeClient.fromKubeconfig(path.join(stateDir, "kubeconfig"));
        try {
            return await use(client);
        } finally {
            client.close();
        }
    }

    async function runInNode(argv: string[]): Promise<string> {
        const node = running(path.join(stateDir, "run", "node.pid"));
        assert.ok(node !== undefined && readInstance(stateDir) !== undefined);
        const enter = ["--net", "--mount", "--target", String(node.pid), "--"];
        const child = spawn("nsenter", [...enter, ...argv], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        const output: Buffer[] = [];
        child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
        assert.equal(await ended(child), 0);
        return Buffer.concat(output).toString("utf8");
    }
});
