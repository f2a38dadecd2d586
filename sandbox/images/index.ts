import * as path from "node:path";
import type { Progress } from "../../scripts/progress";
import { importImage, type SandboxInfo } from "../index";
import { buildImages, type ImageOptions } from "./build";
import { run } from "./run";

export { buildImages, type BuiltImage, type ImageOptions } from "./build";
export { API_IMAGES, NGINX_IMAGE, POSTGRES_IMAGE, type ApiImage } from "./table";

/** Builds what is missing and imports into the sandbox what it does not have yet. */
export async function loadImages(
    info: SandboxInfo,
    progress: Progress,
    options: ImageOptions = {},
): Promise<void> {
    const built = await buildImages(progress, options);
    const present = await importedImages(info, options.signal);
    const missing = built.filter(({ ref, digest }) => present.get(ref) !== digest);
    if (missing.length === 0) return;
    await progress.step("import images into the sandbox", async (say) => {
        for (const archive of new Set(missing.map((image) => image.archive))) {
            say(path.basename(archive));
            await importImage(info, archive);
        }
    });
}

/** The digests of the images that the sandbox's containerd has, by full name. */
async function importedImages(
    info: SandboxInfo,
    signal?: AbortSignal,
): Promise<Map<string, string>> {
    const list = ["--address", info.containerdSocket, "--namespace", "k8s.io", "images", "list"];
    return parseImageList(await run("ctr", list, { signal }));
}

/** Reads `ctr images list`: REF, TYPE, DIGEST and more, in columns, after a line of headings. */
export function parseImageList(listed: string): Map<string, string> {
    const rows = listed.split("\n").slice(1);
    const images = new Map<string, string>();
    for (const row of rows) {
        const [ref, , digest] = row.split(/\s+/);
        if (ref && digest) images.set(ref, digest);
    }
    return images;
}
