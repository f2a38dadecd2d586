import * as fs from "node:fs";
import * as path from "node:path";
import { unmountBelow } from "../machine/mounts";
import { run } from "./run";

/** The magic number by which statfs tells an overlay file system. */
const OVERLAYFS_MAGIC = 0x794c7630;

/** Every file and image gets this time, so that equal content is an equal digest. */
const BUILD_EPOCH_SECONDS = 0;

/**
 * With mounts and processes of its own: what a build mounts and starts is gone when it is, however it
 * ends.
 */
const ALONE = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"];

export interface BuildRequest {
    /** The folder with the Dockerfile. */
    context: string;
    ref: string;
    args?: Record<string, string>;
    /** Folders that stand in for build stages of the same name. */
    contexts?: Record<string, string>;
    /** Files seen by RUN steps, by their path there; they must exist in the base image. */
    mounts?: Record<string, string>;
    /** Files that RUN steps ask for by id. */
    secrets?: Record<string, string>;
}

export interface BuildahOptions {
    /** Holds layers and images; nothing of the machine's own image store is read or written. */
    folder: string;
    signal?: AbortSignal;
}

/** Builds images in a store of their own, without a registry, a daemon or a container runtime. */
export class Buildah {
    constructor(private readonly options: BuildahOptions) {
        fs.mkdirSync(path.join(options.folder, "tmp"), { recursive: true });
        // The machine's own storage settings are for the machine's own store.
        fs.writeFileSync(this.settings, `[storage]\ndriver = "${storageDriver(options.folder)}"\n`);
    }

    private get settings(): string {
        return path.join(this.options.folder, "storage.conf");
    }

    /** Builds from scratch: our own content hash decides what needs a build, not buildah's cache,
     *  which takes two images that differ in build arguments alone for one. */
    async build(request: BuildRequest): Promise<void> {
        await this.buildah([
            ...["bud", "--isolation", "chroot", "--layers=false", "--pull=never"],
            ...["--timestamp", String(BUILD_EPOCH_SECONDS), "--tag", request.ref],
            ...flags("--build-arg", request.args, "="),
            ...flags("--build-context", request.contexts, "="),
            ...Object.entries(request.mounts ?? {}).flatMap(([to, from]) => [
                "--volume",
                `${from}:${to}:ro`,
            ]),
            ...Object.entries(request.secrets ?? {}).flatMap(([id, file]) => [
                "--secret",
                `id=${id},src=${file}`,
            ]),
            request.context,
        ]);
    }

    async has(ref: string): Promise<boolean> {
        return (await this.names()).includes(ref);
    }

    async tag(ref: string, other: string): Promise<void> {
        await this.buildah(["tag", ref, other]);
    }

    /**
     * Writes images into one OCI layout in which they share their layers.
     *
     * Layers are kept as they are: packing them costs most of a build, for nothing on one machine.
     * buildah always packs what it writes into an OCI layout but leaves alone what it finds there, so
     * the first image's layers are put there beforehand.
     */
    async exportLayout(refs: readonly string[], layout: string): Promise<void> {
        const blobs = path.join(layout, "blobs", "sha256");
        const unpacked = path.join(layout, "unpacked");
        fs.mkdirSync(blobs, { recursive: true });
        for (const ref of refs.slice(0, 1)) {
            await this.buildah([
                "push",
                "--quiet",
                "--disable-compression",
                ref,
                `dir:${unpacked}`,
            ]);
        }
        for (const file of fs.readdirSync(unpacked)) {
            if (!/^[0-9a-f]{64}$/.test(file)) continue;
            fs.renameSync(path.join(unpacked, file), path.join(blobs, file));
        }
        fs.rmSync(unpacked, { recursive: true });
        for (const ref of refs) {
            await this.buildah(["push", "--quiet", ref, `oci:${layout}:${ref}`]);
        }
    }

    /** Drops everything but the images of these names. */
    async keepOnly(refs: readonly string[]): Promise<void> {
        const others = (await this.names()).filter((name) => !refs.includes(name));
        if (others.length > 0) await this.buildah(["rmi", "--force", ...others]);
        await this.buildah(["rmi", "--prune", "--force"]);
    }

    /** Removes what a build that was cut off had under its hands: mounts, containers, files. */
    async heal(): Promise<void> {
        const { folder } = this.options;
        await unmountBelow(folder);
        fs.rmSync(path.join(folder, "tmp"), { recursive: true, force: true });
        fs.mkdirSync(path.join(folder, "tmp"));
        await this.buildah(["rm", "--all"]);
    }

    private async names(): Promise<string[]> {
        const listed = await this.buildah(["images", "--format", "{{.Name}}:{{.Tag}}"]);
        return listed.split("\n").filter((name) => name !== "" && !name.startsWith("<none>"));
    }

    private buildah(args: readonly string[]): Promise<string> {
        const { folder, signal } = this.options;
        const driver = storageDriver(folder);
        const store = [
            ...["--root", path.join(folder, "store"), "--runroot", path.join(folder, "run")],
            ...["--storage-driver", driver],
            // Without this the driver leaves its folder mounted on itself when it ends.
            ...(driver === "overlay" ? ["--storage-opt", "overlay.skip_mount_home=true"] : []),
        ];
        const env = {
            ...process.env,
            TMPDIR: path.join(folder, "tmp"),
            CONTAINERS_STORAGE_CONF: this.settings,
        };
        return run("unshare", [...ALONE, "buildah", ...store, ...args], {
            env,
            signal,
            // `unshare` itself waits for its child, whatever else it is sent.
            killSignal: "SIGKILL",
        });
    }
}

/** Overlays cannot be stacked on an overlay; full copies work everywhere and cost time and disk. */
function storageDriver(folder: string): "overlay" | "vfs" {
    const known = fs.readFileSync("/proc/filesystems", "utf8").includes("\toverlay\n");
    return known && fs.statfsSync(folder).type !== OVERLAYFS_MAGIC ? "overlay" : "vfs";
}

function flags(
    name: string,
    values: Record<string, string> | undefined,
    between: string,
): string[] {
    return Object.entries(values ?? {}).flatMap(([key, value]) => [
        name,
        `${key}${between}${value}`,
    ]);
}
