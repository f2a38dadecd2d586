import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildImages } from "../../sandbox/images";
import { run } from "../../sandbox/images/run";
import { silentProgress } from "../../scripts/progress";

interface Manifest {
    layers?: { digest: string }[];
    manifests?: { digest: string }[];
}

/** The user that the router runs as; it may write to /tmp of the image and to nothing else. */
const USER = "10001:10001";

/**
 * The root file system of the project's own nginx image, unpacked for the tests of one suite: real
 * nginx at the speed of a process, where a pod would take seconds for each config.
 */
export class NginxImage {
    private constructor(private readonly root: string) {}

    /** Builds the image if need be and unpacks it. Needs root on Linux, like the sandbox. */
    static async open(): Promise<NginxImage> {
        const [image] = await buildImages(silentProgress, { only: ["nginx"] });
        assert.ok(image, "the table of images has an nginx");
        const folder = mkdtempSync(path.join(os.tmpdir(), "cutover-nginx-"));
        const root = path.join(folder, "root");
        await run("mkdir", ["-p", root]);
        await run("tar", ["-xf", image.archive, "-C", folder]);
        const blob = (digest: string) => path.join(folder, "blobs", digest.replace(":", "/"));
        const manifest = JSON.parse(readFileSync(blob(image.digest), "utf8")) as Manifest;
        for (const { digest } of manifest.layers ?? []) {
            await run("tar", ["-xf", blob(digest), "-C", root, "--exclude=dev/*"]);
        }
        await run("install", ["-m", "0666", "/dev/null", path.join(root, "dev", "stdout")]);
        return new NginxImage(root);
    }

    remove(): void {
        rmSync(path.dirname(this.root), { recursive: true, force: true });
    }

    /** What `nginx -t` says about a config; host names of sides need not exist for it. */
    async check(config: string): Promise<void> {
        const { output, code } = await this.finished([
            "-t",
            "-c",
            this.write("check.conf", config),
        ]);
        assert.equal(code, 0, `${output}\n${config}`);
        assert.match(output, /test is successful/);
        assert.doesNotMatch(output, /\[(warn|error|alert|emerg)\]/, output);
    }

    /** Runs a config until it is stopped, its port 8080 as another one on this machine's loopback. */
    async start(config: string): Promise<LocalNginx> {
        const port = await freePort();
        const own = path.join("/tmp", String(port));
        await run("install", ["-d", "-m", "0777", path.join(this.root, own)]);
        const local = config
            .replace("listen 8080;", `listen 127.0.0.1:${port};`)
            .replaceAll("/tmp/", `${own}/`)
            .replace("/dev/stdout", `${own}/access.log`);
        const file = this.write(`${port}.conf`, local);
        const nginx = new LocalNginx(this.spawn(["-c", file]), port, path.join(this.root, own));
        await nginx.answers();
        return nginx;
    }

    private write(name: string, config: string): string {
        // nginx looks the sides' Services up when it starts.
        const hosts = [...config.matchAll(/^ *server (\S+):\d+ /gm)].map(([, host]) => host);
        const known = [...new Set(hosts)].map((host) => `127.0.0.1 ${host}\n`);
        writeFileSync(path.join(this.root, "etc", "hosts"), known.join(""));
        writeFileSync(path.join(this.root, "etc", name), config);
        return `/etc/${name}`;
    }

    private spawn(args: readonly string[]): ChildProcess {
        const command = [`--userspec=${USER}`, this.root, "/usr/sbin/nginx", "-e", "stderr"];
        return spawn("chroot", [...command, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    }

    private async finished(args: readonly string[]) {
        const child = this.spawn(args);
        let output = "";
        child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
        const [code] = (await once(child, "close")) as [number | null];
        return { output, code };
    }
}

/** One line of the access log. */
export type LogLine = Record<string, string>;

/** A running nginx. */
export class LocalNginx {
    readonly url: string;
    /** What it has said on its error log. */
    errors = "";
    private readonly closed: Promise<unknown>;

    constructor(
        private readonly child: ChildProcess,
        readonly port: number,
        private readonly folder: string,
    ) {
        this.url = `http://127.0.0.1:${port}`;
        this.closed = once(child, "close");
        child.stderr?.on("data", (chunk: Buffer) => (this.errors += chunk.toString()));
    }

    async answers(): Promise<void> {
        for (let tries = 0; tries < 100; tries++) {
            const answer = await fetch(`${this.url}/healthz`).catch(() => undefined);
            if (answer?.ok) return;
            assert.equal(this.child.exitCode, null, this.errors);
            await sleep(50);
        }
        assert.fail(`nginx did not answer: ${this.errors}`);
    }

    /** What the pod's preStop does before it sleeps. */
    drain(): void {
        writeFileSync(path.join(this.folder, "draining"), "");
    }

    /** The lines of its access log so far. */
    log(): LogLine[] {
        const lines = readFileSync(path.join(this.folder, "access.log"), "utf8").split("\n");
        return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as LogLine);
    }

    /** Ends it as Kubernetes ends its pod, and waits until it is gone. */
    async quit(): Promise<void> {
        this.child.kill("SIGQUIT");
        await this.closed;
    }
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    server.close();
    await once(server, "close");
    return address.port;
}
