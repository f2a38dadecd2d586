import { existsSync, realpathSync, statSync } from "node:fs";
import * as path from "node:path";
import * as auto from "@pulumi/pulumi/automation";

/** The stand-in's folder; a `pulumi` in it is not the real CLI, wherever the PATH found it. */
const STAND_IN_BIN = path.join(__dirname, "..", "sandbox", "engine", "bin");

export interface Engine {
    kind: "cli" | "stand-in";
    /** Semantic version, such as `3.248.0` (`3.248.0+stand-in`). */
    version: string;
    /** For `LocalWorkspaceOptions.pulumiCommand`. */
    command: auto.PulumiCommand;
    /** The folder of the command, to put first on the PATH of a child process. */
    binDir: string;
}

/**
 * The one place that decides which `pulumi` is used: the real CLI if there is one on the PATH, else
 * the stand-in of this package.
 *
 * @throws when the real CLI is older than the SDK asks for; that is the user's to mend, not a reason
 * to use another engine behind their back.
 */
export async function resolveEngine(): Promise<Engine> {
    const cli = realCliFolder();
    const binDir = cli ?? STAND_IN_BIN;
    // The Automation API looks for <root>/bin/pulumi, and runs `pulumi` from the PATH without a root.
    const command =
        cli === undefined
            ? await auto.PulumiCommand.get({ root: path.dirname(STAND_IN_BIN) })
            : await auto.PulumiCommand.get();
    const version = command.version?.raw.replace(/^v/, "") ?? "unknown";
    return { kind: cli === undefined ? "stand-in" : "cli", version, command, binDir };
}

/** The first folder of the PATH with a `pulumi` that is not the stand-in. */
function realCliFolder(): string | undefined {
    for (const folder of (process.env["PATH"] ?? "").split(path.delimiter)) {
        const file = path.join(folder, "pulumi");
        if (folder === "" || !existsSync(file) || !statSync(file).isFile()) continue;
        if (path.dirname(realpathSync(file)) === realpathSync(STAND_IN_BIN)) continue;
        return folder;
    }
    return undefined;
}
