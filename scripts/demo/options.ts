import { CliError, ExitCode } from "../errors";
import { DEFAULT_RATE } from "../prober";

/** The demo's flags as commander hands them over. */
export interface DemoFlags {
    keep?: boolean;
    json?: boolean;
    rate?: string;
    out?: string;
    context?: string;
    imageBlue?: string;
    imageGreen?: string;
    releaseBlue?: string;
    releaseGreen?: string;
    url?: string;
}

export interface DemoOptions {
    /** Leave cluster and stack running at the end. */
    keep: boolean;
    /** The result as JSON on standard output, progress on standard error. */
    json: boolean;
    /** Requests per second. */
    rate: number;
    /** Folder for `demo.json`, `demo.html` and `demo.svg`. */
    out: string;
    /** A cluster of the user's own; absent for the sandbox. */
    own?: OwnCluster;
}

export interface OwnCluster {
    context: string;
    /** Release name (the answers' `x-release` header) and image of each color. */
    blue: { release: string; image: string };
    green: { release: string; image: string };
    /** Where this machine reaches the public Service; the load goes there. */
    url: string;
}

/** The sample API's releases, which its images name in the `x-release` header. */
export const SANDBOX_RELEASES = { blue: "1.0.0", green: "2.0.0" };

/** @throws CliError naming the flag, what it got and what it expected. */
export function parseOptions(flags: DemoFlags): DemoOptions {
    const rate = Number(flags.rate ?? DEFAULT_RATE);
    if (!(Number.isInteger(rate) && rate >= 10 && rate <= 1_000)) {
        throw usage(`--rate: expected a whole number from 10 to 1000, got ${flags.rate ?? ""}`);
    }
    return {
        keep: flags.keep ?? false,
        json: flags.json ?? false,
        rate,
        out: flags.out ?? "out",
        own: ownCluster(flags),
    };
}

function ownCluster(flags: DemoFlags): OwnCluster | undefined {
    const { context, imageBlue, imageGreen, url } = flags;
    if (context === undefined) {
        const lost = Object.entries({
            "--image-blue": imageBlue,
            "--image-green": imageGreen,
            "--release-blue": flags.releaseBlue,
            "--release-green": flags.releaseGreen,
            "--url": url,
        }).filter(([, value]) => value !== undefined);
        if (lost.length === 0) return undefined;
        throw usage(`${lost.map(([flag]) => flag).join(", ")}: only with --context`);
    }
    if (!imageBlue || !imageGreen || !url) {
        throw usage(
            "--context needs --image-blue and --image-green, two releases of the sample API that the " +
                "cluster can pull, and --url, where this machine reaches the public Service",
        );
    }
    return {
        context,
        blue: { release: flags.releaseBlue ?? SANDBOX_RELEASES.blue, image: imageBlue },
        green: { release: flags.releaseGreen ?? SANDBOX_RELEASES.green, image: imageGreen },
        url,
    };
}

function usage(message: string): CliError {
    return new CliError(message, ExitCode.usage);
}
