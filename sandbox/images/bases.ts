import * as fs from "node:fs";
import * as path from "node:path";
import type { Say } from "../../scripts/progress";
import { cacheDir } from "../paths";
import { DEBIAN_SUITE, type AptSetUp } from "./apt";
import type { Buildah } from "./buildah";
import { contentHash, folderHash } from "./content";
import { run } from "./run";

export const DEBIAN_BASE = `cutover.local/base/debian:${DEBIAN_SUITE}`;
export const NODE_BASE = "cutover.local/base/node:24";

/** A base image by the short name that the table of images uses. */
export type BaseName = "debian" | "node";
export const BASE_REFS: Record<BaseName, string> = { debian: DEBIAN_BASE, node: NODE_BASE };

/** What `debian:bookworm-slim` leaves out too: nobody reads manuals in a container. */
const PATH_EXCLUDES = ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*"];
const DOC_RULES = ["path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright"];

/**
 * What the machine leaves in a root file system that it makes. The emptied files stay: a build that
 * installs packages gets the machine's apt set-up mounted over them.
 */
const FORGET_THE_MACHINE = [
    ': > "$1/etc/apt/sources.list"',
    ': > "$1/etc/apt/apt.conf"',
    'rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1"/etc/apt/sources.list.d/*',
    ': > "$1/etc/resolv.conf"',
    'rm -f "$1/etc/hostname"',
    'cp "$CUTOVER_BASE/apt-clean.conf" "$1/etc/apt/apt.conf.d/docker-clean"',
];

const MMDEBSTRAP = [
    ...["--variant=minbase", "--mode=root", "--include=ca-certificates", "--format=tar"],
    ...PATH_EXCLUDES.map((excluded) => `--dpkgopt=path-exclude=${excluded}`),
    ...DOC_RULES.map((rule) => `--dpkgopt=${rule}`),
    ...FORGET_THE_MACHINE.map((hook) => `--customize-hook=${hook}`),
];

/** Makes root file systems of equal packages equal. */
const SOURCE_DATE_EPOCH = "0";

/** The node binary of the npm package `node`, which is built against older systems than Debian's. */
export function nodePackage(): string {
    return path.dirname(require.resolve("node/package.json"));
}

/** Changes when the base image has to be made anew. */
export function baseHash(base: BaseName): string {
    const debian = contentHash([MMDEBSTRAP, folderHash(path.join(__dirname, "debian"))]);
    if (base === "debian") return debian;
    const manifest = fs.readFileSync(path.join(nodePackage(), "package.json"), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    return contentHash([debian, version, folderHash(path.join(__dirname, "node"))]);
}

/** Makes a base image, and those below it, unless the store has them; returns its name. */
export async function ensureBase(
    base: BaseName,
    buildah: Buildah,
    options: { apt: () => Promise<AptSetUp>; say?: Say; signal?: AbortSignal },
): Promise<string> {
    const ref = BASE_REFS[base];
    const exact = `${ref.slice(0, ref.lastIndexOf(":"))}:content-${baseHash(base)}`;
    if (await buildah.has(exact)) {
        await buildah.tag(exact, ref);
        return ref;
    }
    const folder = fs.mkdtempSync(path.join(cacheDir(), "images", "base-"));
    try {
        if (base === "debian") {
            fs.copyFileSync(await rootFileSystem(options), path.join(folder, "rootfs.tar"));
            options.say?.(`building ${ref}`);
            copyDockerfile("debian", folder);
            await buildah.build({ context: folder, ref });
        } else {
            const debian = await ensureBase("debian", buildah, options);
            fs.copyFileSync(path.join(nodePackage(), "bin", "node"), path.join(folder, "node"));
            options.say?.(`building ${ref}`);
            copyDockerfile("node", folder);
            await buildah.build({ context: folder, ref, args: { DEBIAN_IMAGE: debian } });
        }
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
    await buildah.tag(ref, exact);
    return ref;
}

/** The Debian root file system as a tar file, made once by mmdebstrap from the machine's sources. */
async function rootFileSystem(options: {
    apt: () => Promise<AptSetUp>;
    say?: Say;
    signal?: AbortSignal;
}): Promise<string> {
    const images = path.join(cacheDir(), "images");
    const file = path.join(images, `debian-${baseHash("debian")}.tar`);
    if (fs.existsSync(file)) return file;
    options.say?.("making the Debian root file system");
    const { sources, config } = await options.apt();
    const work = fs.mkdtempSync(path.join(images, "mmdebstrap-"));
    try {
        const settings = path.join(work, "apt.conf");
        const made = path.join(work, "rootfs.tar");
        fs.writeFileSync(settings, config);
        await run("mmdebstrap", [...MMDEBSTRAP, `--aptopt=${settings}`, DEBIAN_SUITE, made, "-"], {
            ...options,
            input: sources,
            env: {
                ...process.env,
                TMPDIR: work,
                SOURCE_DATE_EPOCH,
                CUTOVER_BASE: path.join(__dirname, "debian"),
            },
        });
        fs.renameSync(made, file);
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
    return file;
}

function copyDockerfile(base: BaseName, folder: string): void {
    fs.copyFileSync(path.join(__dirname, base, "Dockerfile"), path.join(folder, "Dockerfile"));
}
