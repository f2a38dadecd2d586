import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import {
    disableControllers,
    enableControllers,
    findHierarchies,
    missingControllers,
} from "../../sandbox/machine/cgroups";
import { makeCoveredFolders, removeCoveredFolders } from "../../sandbox/machine/namespace";
import * as needs from "../../sandbox/machine/needs";
import { identify, isAlive, parseStat, readPidFile, stop } from "../../sandbox/machine/process";
import { KUBELET_SYSCTLS, readSysctls, restoreSysctls } from "../../sandbox/machine/sysctls";
import { until } from "../../sandbox/machine/until";

let scratch: string;

beforeEach(() => {
    scratch = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-unit-"));
});

afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

describe("processes", () => {
    const child = () => spawn("sleep", ["60"], { stdio: "ignore" });

    it("reads state and start time behind a name with blanks and brackets", () => {
        const rest = Array.from({ length: 30 }, (_, index) => String(index)).join(" ");
        assert.deepEqual(parseStat(`12 (a) b) (c) S ${rest}`), { state: "S", started: "18" });
        assert.equal(parseStat("torn"), undefined);
    });

    it("knows a process again, and not another with its number", () => {
        const sleeper = child();
        const id = identify(sleeper.pid ?? 0);
        assert.ok(id !== undefined && isAlive(id));
        assert.equal(isAlive({ ...id, started: String(Number(id.started) - 1) }), false);
        assert.equal(isAlive({ ...id, boot: "an earlier boot" }), false);
        assert.equal(isAlive(undefined), false);
        sleeper.kill("SIGKILL");
    });

    it("ends a process that ignores the polite signal, after its grace", async () => {
        const stubborn = spawn(
            "sh",
            ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
            {
                stdio: ["ignore", "pipe", "ignore"],
            },
        );
        await new Promise((resolve) => stubborn.stdout.once("data", resolve));
        const id = identify(stubborn.pid ?? 0);
        assert.ok(id !== undefined);
        const started = Date.now();
        await stop([id], 300);
        assert.ok(Date.now() - started >= 300, "it got no grace");
        assert.equal(isAlive(id), false);
    });

    it("takes a pid file that is torn, empty or of another format for none", () => {
        const file = path.join(scratch, "pid");
        for (const content of [
            "",
            "{",
            "123",
            '{"pid": 1}',
            '{"pid":"1","started":"1","boot":"x"}',
        ]) {
            fs.writeFileSync(file, content);
            assert.equal(readPidFile(file), undefined, content);
        }
        assert.equal(readPidFile(path.join(scratch, "none")), undefined);
    });
});

describe("control groups", () => {
    it("are tracked by a controller of version 1 where there is one", () => {
        const mounts = [
            "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0",
            "cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0",
            "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0",
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
            "proc /proc proc rw 0 0",
        ].join("\n");
        const { roots, tracking } = findHierarchies(mounts);
        assert.equal(tracking, "/sys/fs/cgroup/pids");
        assert.equal(roots.length, 4);
    });

    it("are tracked by the one hierarchy of version 2 otherwise", () => {
        const found = findHierarchies("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n");
        assert.deepEqual(found, { roots: ["/sys/fs/cgroup"], tracking: "/sys/fs/cgroup" });
    });

    it("of version 2 get the controllers they lack", () => {
        const hierarchies = { roots: [scratch], tracking: scratch };
        assert.deepEqual(
            missingControllers(hierarchies),
            [],
            "version 1 says nothing of controllers",
        );
        const control = path.join(scratch, "cgroup.subtree_control");
        fs.writeFileSync(path.join(scratch, "cgroup.controllers"), "cpuset cpu memory pids\n");
        fs.writeFileSync(control, "cpu memory pids\n");
        assert.deepEqual(missingControllers(hierarchies), ["cpuset"]);
        enableControllers(["cpuset"], hierarchies);
        assert.equal(fs.readFileSync(control, "utf8"), "+cpuset");
        disableControllers(["cpuset"], hierarchies);
        assert.equal(fs.readFileSync(control, "utf8"), "-cpuset");
    });

    it("are needed", () => {
        assert.throws(() => findHierarchies("proc /proc proc rw 0 0"), /needs control groups/);
    });
});

describe("what the sandbox needs", () => {
    const one = (text: string, pattern: RegExp): boolean =>
        pattern.test(text) && !text.includes("\n");

    it("is Linux and root, else one sentence says so", () => {
        needs.requireLinuxRoot("linux", 0);
        assert.throws(
            () => needs.requireLinuxRoot("darwin", 501),
            (error: Error) => one(error.message, /needs Linux, got darwin; .*--context/),
        );
        assert.throws(
            () => needs.requireLinuxRoot("linux", 1000),
            (error: Error) => one(error.message, /needs root .*, got user 1000; .*--context/),
        );
    });

    it("is found on root's paths too, behind those that are named", () => {
        assert.equal(
            needs.withRootPaths("/mine:/usr/sbin"),
            "/mine:/usr/sbin:/usr/local/sbin:/sbin",
        );
        assert.equal(needs.withRootPaths(), "/usr/local/sbin:/usr/sbin:/sbin");
    });

    it("is a Go that fetches newer ones, else one sentence says where it is", async () => {
        for (const enough of ["go1.21.0", "go1.26.8", "go2.0", "devel go1.27-abcdef"]) {
            await needs.requireGo(async () => enough);
        }
        await assert.rejects(
            needs.requireGo(async () => undefined),
            /needs Go 1\.21 or newer .*got none: https:\/\/go\.dev\/dl/,
        );
        await assert.rejects(
            needs.requireGo(async () => "go1.19.8"),
            /got go1\.19\.8/,
        );
    });

    it("is free disk, measured where the folder will be", () => {
        const dir = path.join(scratch, "not", "yet");
        let measured = "";
        const statfs = (free: number) => (at: string) => {
            measured = at;
            return { bavail: free / 4096, bsize: 4096 };
        };
        needs.requireDisk(dir, 2e9, statfs(2_000_003_072));
        assert.equal(measured, scratch);
        assert.throws(
            () => needs.requireDisk(dir, 2e9, statfs(1e9)),
            (error: Error) =>
                one(
                    error.message,
                    /needs 2\.0 GB free at .*not\/yet, got 1\.0 GB; .*CUTOVER_CACHE/,
                ),
        );
    });

    it("is a state folder that sockets fit below and the node can see", () => {
        needs.requireUsableStateDir("/root/.local/state/cutover/sandbox");
        needs.requireUsableStateDir("/runner/state");
        assert.throws(
            () => needs.requireUsableStateDir(`/${"x".repeat(70)}`),
            /at most 70 bytes.*got 71/,
        );
        for (const dir of ["/run", "/run/user/0/sandbox", "/var/run/sandbox"]) {
            assert.throws(() => needs.requireUsableStateDir(dir), /must not be below \/run/, dir);
        }
    });

    it("is a free port, which a listener or a rule of iptables takes", async () => {
        const server = net.createServer().listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        const { port } = server.address() as net.AddressInfo;
        const free = await unusedPort();
        try {
            assert.equal(await needs.freePort([port, free], new Set()), free);
            await assert.rejects(
                needs.freePort([port], new Set()),
                new RegExp(`port ${port} is taken`),
            );
            await assert.rejects(
                needs.freePort([port, free], new Set([free])),
                new RegExp(`ports ${port} to ${free} is taken.*CUTOVER_SANDBOX_PORT`),
            );
        } finally {
            server.close();
        }
    });
});

describe("kernel settings", () => {
    const file = (name: string): string => path.join(scratch, name);
    const write = (name: string, value: string): void => {
        fs.mkdirSync(path.dirname(file(name)), { recursive: true });
        fs.writeFileSync(file(name), value);
    };

    it("go back to what they were, unless someone else has changed them since", () => {
        write("vm/overcommit_memory", "0\n");
        write("kernel/panic", "0\n");
        write("kernel/panic_on_oops", "1\n");
        const before = readSysctls(scratch);
        assert.deepEqual(before, {
            "vm/overcommit_memory": "0",
            "kernel/panic": "0",
            "kernel/panic_on_oops": "1",
        });
        for (const name of Object.keys(before)) write(name, `${KUBELET_SYSCTLS[name]}\n`);
        write("kernel/panic", "5\n");
        restoreSysctls(before, scratch);
        assert.deepEqual(readSysctls(scratch), { ...before, "kernel/panic": "5" });
    });
});

describe("folders that the node covers", () => {
    it("are removed when they were made here and are empty", () => {
        const [made, found, used] = ["made", "found", "used"].map((name) =>
            path.join(scratch, name),
        );
        fs.mkdirSync(found!);
        makeCoveredFolders([made!, found!, used!]);
        makeCoveredFolders([made!, found!, used!]);
        fs.writeFileSync(path.join(used!, "theirs"), "");
        removeCoveredFolders([made!, found!, used!]);
        assert.deepEqual(fs.readdirSync(scratch).sort(), ["found", "used"]);
        assert.deepEqual(fs.readdirSync(used!), ["theirs"]);
    });
});

describe("waiting", () => {
    it("ends at the deadline with what was waited for and the evidence", async () => {
        const waiting = until({
            what: "it answers",
            timeoutMs: 10,
            check: () => false,
            evidence: () => "last line",
        });
        await assert.rejects(waiting, /^CliError: not within 0\.01 s: it answers\nlast line$/);
    });

    it("ends at once when it is hopeless, or interrupted", async () => {
        const endless = { what: "it answers", timeoutMs: 60_000, check: () => false };
        await assert.rejects(until({ ...endless, hopeless: () => "it has ended" }), /it has ended/);
        const signal = AbortSignal.timeout(20);
        await assert.rejects(until({ ...endless, signal }), { name: /Abort|Timeout/ });
    });
});

async function unusedPort(): Promise<number> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}
