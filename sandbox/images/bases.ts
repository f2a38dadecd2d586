import * as fs from "node:fs";
import * as path from "node:path";
import type { Say } from "../../scripts/progress";
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
    // From here on apt keeps no index of packages, and so it does not clean up the one it has.
    'cp "$CUTOVER_BASE/apt-clean.conf" "$1/etc/apt/apt.conf.d/docker-clean"',
    'rm -f "$1"/var/cache/apt/*.bin',
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

/** The exact content of a base image as a name, by which a store that has it is known. */
export function exactRef(base: BaseName): string {
    const ref = BASE_REFS[base];
    return `${ref.slice(0, ref.lastIndexOf(":"))}:content-${baseHash(base)}`;
}

export interface BaseOptions {
    /** How this machine gets Debian packages; asked for only when a base has to be made. */
    apt: () => Promise<AptSetUp>;
    /** For what is needed only while a base is made. */
    workFolder: string;
    say?: Say;
    signal?: AbortSignal;
}

/** Makes a base image, and those below it, unless the store has them; returns its name. */
export async function ensureBase(
    base: BaseName,
    buildah: Buildah,
    options: BaseOptions,
): Promise<string> {
    const ref = BASE_REFS[base];
    if (await buildah.has(exactRef(base))) {
        await buildah.tag(exactRef(base), ref);
        return ref;
    }
    const context = path.join(options.workFolder, `base-${base}`);
    fs.cpSync(path.join(__dirname, base), context, { recursive: true });
    const args: Record<string, string> = {};
    if (base === "debian") {
        await makeRootFileSystem(path.join(context, "rootfs.tar"), options);
    } else {
        args.DEBIAN_IMAGE = await ensureBase("debian", buildah, options);
        fs.copyFileSync(path.join(nodePackage(), "bin", "node"), path.join(context, "node"));
    }
    options.say?.(`building ${ref}`);
    await buildah.build({ context, ref, args });
    await buildah.tag(ref, exactRef(base));
    fs.rmSync(context, { recursive: true });
    return ref;
}

/** Debian's root file system as a tar file, made by mmdebstrap from the machine's own sources. */
async function makeRootFileSystem(file: string, options: BaseOptions): Promise<void> {
    options.say?.("making the Debian root file system");
    const { sources, config } = await options.apt();
    const settings = path.join(options.workFolder, "mmdebstrap.conf");
    fs.writeFileSync(settings, config);
    const mmdebstrap = [
        "mmdebstrap",
        ...MMDEBSTRAP,
        `--aptopt=${settings}`,
        DEBIAN_SUITE,
        file,
        "-",
    ];
    // In a mount namespace of its own: what it mounts is gone when it is, however it ends.
    await run("unshare", ["--mount", ...mmdebstrap], {
        ...options,
        input: sources,
        env: {
            ...process.env,
            TMPDIR: options.workFolder,
            SOURCE_DATE_EPOCH,
            CUTOVER_BASE: path.join(__dirname, "debian"),
        },
    });
}
