import * as fs from "node:fs";
import * as path from "node:path";
import { run } from "./run";

/** One image of an archive: its full name and the digest that containerd will know it by. */
export interface ArchivedImage {
    ref: string;
    digest: string;
}

interface Descriptor {
    digest: string;
    annotations?: Record<string, string>;
}

const REF_NAME = "org.opencontainers.image.ref.name";
/** containerd reads a full image name from here, and takes the standard's name for a tag only. */
const CONTAINERD_NAME = "io.containerd.image.name";

/** Names the layout's images for containerd and packs the layout; returns what is in it. */
export async function packLayout(
    layout: string,
    archive: string,
    signal?: AbortSignal,
): Promise<ArchivedImage[]> {
    const file = path.join(layout, "index.json");
    const index = JSON.parse(fs.readFileSync(file, "utf8")) as { manifests: Descriptor[] };
    const images = index.manifests.map((descriptor) => {
        const ref = descriptor.annotations?.[REF_NAME];
        if (ref === undefined) throw new Error(`${file}: ${descriptor.digest} has no name`);
        descriptor.annotations = { ...descriptor.annotations, [CONTAINERD_NAME]: ref };
        return { ref, digest: descriptor.digest };
    });
    fs.writeFileSync(file, JSON.stringify(index));
    const order = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    await run("tar", [...order, "-cf", archive, "-C", layout, "."], { signal });
    return images;
}
