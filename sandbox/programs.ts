import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Progress, Say } from "../scripts/progress";
import { folderHash } from "./images/content";
import { withLock } from "./images/lock";
import { run } from "./images/run";
import { MINIMUM_FREE_BYTES, requireDisk, requireGo } from "./machine/needs";
import { cacheDir } from "./paths";

/** The Kubernetes that sandbox/cluster/go.mod pins. */
export const KUBERNETES_VERSION = "v1.34.4";

/** What is built once and kept by the content of its sources. */
export interface Programs {
    /** All programs of Kubernetes, etcd and our own, by subcommand. */
    cluster: string;
    /** Holds a pod's namespaces. */
    pause: string;
    /** Holds the node's namespaces, and starts its programs. */
    node: string;
    pauseImage: Image;
    addonsImage: Image;
}

export interface Image {
    reference: string;
    archive: string;
}

const SOURCES = __dirname;
/** A terminal needs no more than this, and a log file would drown. */
const SAY_EVERY_MS = 2_000;
const VERSION_PACKAGE = "k8s.io/component-base/version";
const LINKER_FLAGS = [
    "-s -w",
    `-X ${VERSION_PACKAGE}.gitVersion=${KUBERNETES_VERSION}`,
    `-X ${VERSION_PACKAGE}.gitMajor=1`,
    `-X ${VERSION_PACKAGE}.gitMinor=34`,
].join(" ");

/** Builds what is not in the cache yet; only Kubernetes with `only: "cluster"`. */
export async function buildCluster(
    progress: Progress,
    signal?: AbortSignal,
): Promise<Omit<Programs, "addonsImage">> {
    const dir = outputDir("cluster");
    const [cluster, pause, node] = ["cluster", "pause", "node"].map((name) =>
        path.join(dir, name),
    ) as [string, string, string];
    const pauseImage = image("pause", dir);
    await once(
        progress,
        `Build Kubernetes ${KUBERNETES_VERSION}`,
        pauseImage.archive,
        async (say) => {
            await goBuild("cluster", ".", cluster, say, signal);
            await goBuild("cluster", "./cmd/pause", pause, say, signal);
            await goBuild("cluster", "./cmd/node", node, say, signal);
            await writeImage(cluster, pauseImage, `${pause}=/pause`, "/pause");
        },
    );
    return { cluster, pause, node, pauseImage };
}

/** As {@link buildCluster}, and the addons' image. */
export async function buildPrograms(progress: Progress, signal?: AbortSignal): Promise<Programs> {
    const dir = outputDir("addons");
    const addonsImage = image("addons", dir);
    if (!fs.existsSync(addonsImage.archive)) fetchMeanwhile("addons", signal);
    const built = await buildCluster(progress, signal);
    const title = "Build CoreDNS and metrics-server";
    await once(progress, title, addonsImage.archive, async (say) => {
        const addons = path.join(dir, "addons");
        await goBuild("addons", ".", addons, say, signal);
        await writeImage(built.cluster, addonsImage, `${addons}=/addons`, "/addons");
        fs.rmSync(addons);
    });
    return { ...built, addonsImage };
}

function outputDir(module: "cluster" | "addons"): string {
    const sources = folderHash(path.join(SOURCES, module));
    const flags = createHash("sha256").update(LINKER_FLAGS).digest("hex").slice(0, 4);
    return path.join(cacheDir(), "programs", `${module}-${sources}${flags}`);
}

/** The tag is the content's hash, so a running cluster never takes an old image for a new one. */
function image(name: string, dir: string): Image {
    const tag = path.basename(dir).split("-").at(-1);
    return { reference: `cutover.local/${name}:${tag}`, archive: path.join(dir, `${name}.tar`) };
}

/** Runs a build unless `last`, the file it writes last, is there; one process at a time. */
async function once(
    progress: Progress,
    title: string,
    last: string,
    build: (say: Say) => Promise<void>,
): Promise<void> {
    if (fs.existsSync(last)) return;
    await requireGo();
    requireDisk(cacheDir(), MINIMUM_FREE_BYTES.build);
    await progress.step(title, (say) =>
        withLock(
            `${path.dirname(last)}.lock`,
            async () => {
                if (fs.existsSync(last)) return;
                fs.mkdirSync(path.dirname(last), { recursive: true });
                await build(say);
            },
            { say },
        ),
    );
}

function goEnvironment(): NodeJS.ProcessEnv {
    return { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
}

/** Compiles one package of a module, telling how many packages are done. */
async function goBuild(
    module: string,
    target: string,
    output: string,
    say: Say,
    signal?: AbortSignal,
): Promise<void> {
    const cwd = path.join(SOURCES, module);
    const env = goEnvironment();
    say("fetching Go modules");
    const packages = await run("go", ["list", "-deps", target], {
        cwd,
        env,
        signal,
        say: (line) => line.startsWith("go: downloading") && say(line),
    });
    const total = packages.trim().split("\n").length;
    const temporary = `${output}.new`;
    const flags = ["-trimpath", "-buildvcs=false", "-mod=readonly", `-ldflags=${LINKER_FLAGS}`];
    let compiled = 0;
    let said = 0;
    await run("go", ["build", "-v", ...flags, "-o", temporary, target], {
        cwd,
        env,
        signal,
        say: () => {
            compiled++;
            if (Date.now() - said < SAY_EVERY_MS) return;
            said = Date.now();
            say(`compiled ${compiled} of at most ${total} packages`);
        },
    });
    fs.renameSync(temporary, output);
}

/**
 * Fetches a module's dependencies while the processors are busy with another's. That it cannot be
 * done, or not now, is for the build itself to find out and to say.
 */
function fetchMeanwhile(module: string, signal?: AbortSignal): void {
    const cwd = path.join(SOURCES, module);
    void run("go", ["list", "-deps", "."], { cwd, env: goEnvironment(), signal }).catch(() => {});
}

async function writeImage(
    cluster: string,
    { reference, archive }: Image,
    file: string,
    entrypoint: string,
): Promise<void> {
    const args = ["--reference", reference, "--output", archive];
    await run(cluster, ["image", ...args, "--file", file, "--entrypoint", entrypoint]);
}
