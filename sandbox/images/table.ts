import * as path from "node:path";
import type { BaseName } from "./bases";
import { bundleApi } from "./bundle";

/** The releases of the sample API; from 2.0.1 on each is broken in the way its name says. */
export const API_RELEASES = {
    "1.0.0": { GREETING: "Endpoint statistics" },
    "2.0.0": { GREETING: "Endpoint statistics, second edition" },
    "2.0.1-never-ready": { FAULT: "never-ready" },
    "2.0.2-crashes": { FAULT: "crash" },
    "2.0.3-errors": { FAULT: "errors" },
    "2.0.4-slow": { FAULT: "slow" },
} as const satisfies Record<string, Record<string, string>>;
export type ApiImage = keyof typeof API_RELEASES;

/** Image references of the sample API, by release. */
export const API_IMAGES = Object.fromEntries(
    Object.keys(API_RELEASES).map((release) => [
        release,
        `cutover.local/endpoint-stats:${release}`,
    ]),
) as Record<ApiImage, string>;

export const POSTGRES_IMAGE = "cutover.local/postgres:14";

/** The router's nginx: the version that Debian bookworm keeps patched. */
export const NGINX_IMAGE = "cutover.local/nginx:1.22";

/** Images that are built, kept and imported together, sharing their layers in one archive. */
export type ImageSetName = "api" | "postgres" | "nginx";

export interface ImageSetDefinition {
    /** The folder with the Dockerfile; what an image is made of must be in it, its hash decides. */
    context: string;
    base: BaseName;
    /** The build argument that names the base image, as on a public base. */
    baseArg: string;
    /**
     * Whether RUN steps fetch packages. They then see the machine's apt set-up, and its certificate
     * authorities as the build secret `ca`; none of it stays in the image.
     */
    installsPackages: boolean;
    /** Build stages that need a network elsewhere and are made from this checkout here. */
    stages?: Record<string, (folder: string, signal?: AbortSignal) => Promise<void>>;
    /** The build arguments of each image, by its reference. */
    images: Record<string, Record<string, string>>;
}

export const IMAGE_SETS: Record<ImageSetName, ImageSetDefinition> = {
    api: {
        context: path.join(__dirname, "..", "api"),
        base: "node",
        baseArg: "NODE_IMAGE",
        installsPackages: false,
        stages: { bundle: bundleApi },
        images: Object.fromEntries(
            Object.entries(API_RELEASES).map(([release, args]) => [
                API_IMAGES[release as ApiImage],
                { GREETING: API_RELEASES["2.0.0"].GREETING, ...args, RELEASE: release },
            ]),
        ),
    },
    postgres: {
        context: path.join(__dirname, "postgres"),
        base: "debian",
        baseArg: "DEBIAN_IMAGE",
        installsPackages: true,
        images: { [POSTGRES_IMAGE]: {} },
    },
    nginx: {
        context: path.join(__dirname, "nginx"),
        base: "debian",
        baseArg: "DEBIAN_IMAGE",
        installsPackages: true,
        images: { [NGINX_IMAGE]: {} },
    },
};
