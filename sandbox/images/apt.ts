import { CliError } from "../../scripts/errors";
import { run } from "./run";

/** The Debian release that all our images are made of. */
export const DEBIAN_SUITE = "bookworm";

/** How this machine gets Debian packages; used for a build and never written into an image. */
export interface AptSetUp {
    /** One-line sources of the Debian release and its updates. */
    sources: string;
    /** The machine's `Acquire` settings: proxies, time-outs, validity. */
    config: string;
}

/**
 * Reads the machine's own apt set-up, whichever file format it is written in.
 *
 * @throws CliError when the machine has no sources of that Debian release
 */
export async function readAptSetUp(signal?: AbortSignal): Promise<AptSetUp> {
    let sources = await debianSources(signal);
    if (sources === "") {
        // apt knows an archive's origin only after it has fetched the archive's index once.
        await run("apt-get", ["update", "-q"], { signal });
        sources = await debianSources(signal);
    }
    if (sources === "") {
        throw new CliError(
            `this machine's apt sources hold no Debian ${DEBIAN_SUITE}; the sandbox's images are made ` +
                "of it: add it to /etc/apt/sources.list.d",
        );
    }
    return { sources, config: await run("apt-config", ["dump", "Acquire"], { signal }) };
}

async function debianSources(signal?: AbortSignal): Promise<string> {
    const format = "$(CODENAME) deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
    const filters = ["Created-By: Packages", "Origin: Debian"];
    const listed = await run("apt-get", ["indextargets", "--format", format, ...filters], {
        signal,
    });
    return onlySuite(listed, DEBIAN_SUITE);
}

/** Of `<codename> <source line>` lines, the source lines of the suite, its updates and security. */
export function onlySuite(listed: string, suite: string): string {
    const wanted = new Set([suite, `${suite}-updates`, `${suite}-security`]);
    const lines = listed
        .split("\n")
        .filter((line) => wanted.has(line.split(" ")[0] ?? ""))
        .map((line) => line.slice(line.indexOf(" ") + 1));
    return [...new Set(lines)].map((line) => `${line}\n`).join("");
}
