import * as fs from "node:fs";
import * as path from "node:path";
import type { Progress, Say } from "../../scripts/progress";
import { cacheDir } from "../paths";
import { readAptSetUp, type AptSetUp } from "./apt";
import { packLayout, type ArchivedImage } from "./archive";
import { BASE_REFS, baseHash, ensureBase, exactRef, type BaseName } from "./bases";
import { Buildah, type BuildRequest } from "./buildah";
import { contentHash, folderHash } from "./content";
import { withLock } from "./lock";
import { ensurePackages } from "./packages";
import { IMAGE_SETS, type ImageSetName } from "./table";

export interface ImageOptions {
    signal?: AbortSignal;
    /** Which sets to build; all by default. */
    only?: readonly ImageSetName[];
}

export interface BuiltImage extends ArchivedImage {
    /** An OCI archive, which may hold other images of the same set too. */
    archive: string;
}

/** Archives kept of each set: the current one and the one before, for a checkout that goes back. */
const KEPT_ARCHIVES = 2;

const WORK_PREFIX = "work-";

/** Where a machine keeps the certificate authorities it trusts, in Debian and in our images. */
const TRUSTED_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";

/**
 * Builds the images that are not in the cache, from Dockerfiles and without a registry. What is
 * there is known by the hash of everything that goes into it, so a second call reads a few files.
 */
export async function buildImages(
    progress: Progress,
    options: ImageOptions = {},
): Promise<BuiltImage[]> {
    const built: BuiltImage[] = [];
    for (const set of options.only ?? (Object.keys(IMAGE_SETS) as ImageSetName[])) {
        const archive = archiveFile(set);
        if (!isComplete(archive)) {
            await progress.step(`build the images of ${set}`, (say) =>
                withLock(
                    path.join(cacheDir(), "images", "lock"),
                    async () => {
                        if (!isComplete(archive)) await buildSet(set, archive, say, options.signal);
                    },
                    { say, signal: options.signal },
                ),
            );
        }
        built.push(...readContents(archive).map((image) => ({ ...image, archive })));
    }
    return built;
}

/** Changes whenever anything changes that the set's images are made of. */
export function setHash(set: ImageSetName): string {
    const { context, base, installsPackages, images } = IMAGE_SETS[set];
    return contentHash([folderHash(context), baseHash(base), installsPackages, images]);
}

function archiveFile(set: ImageSetName): string {
    return path.join(cacheDir(), "images", `${set}-${setHash(set)}.tar`);
}

/** The archive is moved to its place last and whole, after its list of contents. */
function isComplete(archive: string): boolean {
    return fs.existsSync(archive) && fs.existsSync(contentsFile(archive));
}

function contentsFile(archive: string): string {
    return archive.replace(/\.tar$/, ".json");
}

function readContents(archive: string): ArchivedImage[] {
    return JSON.parse(fs.readFileSync(contentsFile(archive), "utf8")) as ArchivedImage[];
}

async function buildSet(
    set: ImageSetName,
    archive: string,
    say: Say,
    signal?: AbortSignal,
): Promise<void> {
    await ensurePackages({ buildah: "buildah", mmdebstrap: "mmdebstrap" }, { say, signal });
    const folder = path.dirname(archive);
    removeLeftovers(folder);
    const work = fs.mkdtempSync(path.join(folder, WORK_PREFIX));
    let aptSetUp: Promise<AptSetUp> | undefined;
    const apt = () => (aptSetUp ??= readAptSetUp(signal));
    try {
        const buildah = new Buildah({ folder: path.join(folder, "buildah"), signal });
        await buildah.heal();
        const definition = IMAGE_SETS[set];
        const base = await ensureBase(definition.base, buildah, {
            apt,
            workFolder: work,
            say,
            signal,
        });
        const contexts: Record<string, string> = {};
        for (const [stage, make] of Object.entries(definition.stages ?? {})) {
            contexts[stage] = path.join(work, stage);
            fs.mkdirSync(contexts[stage]);
            await make(contexts[stage], signal);
        }
        const network = definition.installsPackages ? writeNetworkSetUp(work, await apt()) : {};
        for (const [ref, args] of Object.entries(definition.images)) {
            say(`building ${ref}`);
            const all = { [definition.baseArg]: base, ...args };
            await buildah.build({
                context: definition.context,
                ref,
                args: all,
                contexts,
                ...network,
            });
        }
        say("packing");
        const layout = path.join(work, "layout");
        const packed = path.join(work, "archive.tar");
        await buildah.exportLayout(Object.keys(definition.images), layout);
        const contents = await packLayout(layout, packed, signal);
        // The archive is what is kept; the store needs no more than what the next build stands on.
        const bases = Object.keys(BASE_REFS) as BaseName[];
        await buildah.keepOnly(bases.flatMap((base) => [BASE_REFS[base], exactRef(base)]));
        fs.writeFileSync(contentsFile(archive), JSON.stringify(contents));
        fs.renameSync(packed, archive);
    } finally {
        fs.rmSync(work, { recursive: true, force: true });
    }
    dropOldArchives(folder, set);
}

/** What RUN steps need to fetch packages as this machine does; mounted over empty files of the base. */
function writeNetworkSetUp(
    folder: string,
    { sources, config }: AptSetUp,
): Pick<BuildRequest, "mounts" | "secrets"> {
    const files = { "/etc/apt/sources.list": sources, "/etc/apt/apt.conf": config };
    const mounts: Record<string, string> = {};
    for (const [target, text] of Object.entries(files)) {
        const file = path.join(folder, path.basename(target));
        fs.writeFileSync(file, text);
        mounts[target] = file;
    }
    if (!fs.existsSync(TRUSTED_AUTHORITIES)) return { mounts };
    mounts[TRUSTED_AUTHORITIES] = TRUSTED_AUTHORITIES;
    return { mounts, secrets: { ca: TRUSTED_AUTHORITIES } };
}

/** What a build that was killed left; there is no other now, this one having the lock. */
function removeLeftovers(folder: string): void {
    for (const name of fs.readdirSync(folder)) {
        if (!name.startsWith(WORK_PREFIX)) continue;
        fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    }
}

function dropOldArchives(folder: string, set: ImageSetName): void {
    const archives = fs
        .readdirSync(folder)
        .filter((name) => new RegExp(`^${set}-[0-9a-f]+\\.tar$`).test(name))
        .map((name) => path.join(folder, name))
        .sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
    for (const archive of archives.slice(KEPT_ARCHIVES)) {
        fs.rmSync(archive, { force: true });
        fs.rmSync(contentsFile(archive), { force: true });
    }
}
