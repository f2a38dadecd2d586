import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Scratch } from "./scratch";

export interface Kept {
    scratch: Scratch;
    /** The project's root. */
    root: string;
    /** Folder of the `pulumi` that ran, when it is not the one on the PATH. */
    binDir?: string;
    stack: string;
    /** Absent when the first `up` failed. */
    url: string | undefined;
    /** Whether the sandbox was started by the demo, and is to be taken down by the user. */
    sandboxStarted: boolean;
    namespace: string;
}

/**
 * Writes the environment of the kept stack to a file that only its owner can read (it has the
 * passphrase), and returns the commands that work from there.
 */
export async function explainKept(kept: Kept): Promise<string> {
    const { scratch, root, stack, url } = kept;
    const file = path.join(scratch.folder, "env.sh");
    const folders = [
        ...(kept.binDir ? [kept.binDir] : []),
        path.join(root, "node_modules", ".bin"),
    ];
    const lines = [
        ...Object.entries(scratch.env).map(([name, value]) => `export ${name}=${quote(value)}`),
        `export PATH=${quote(folders.join(":"))}:"$PATH"`,
        `cd ${quote(scratch.folder)}`,
    ];
    await writeFile(file, lines.join("\n") + "\n", { mode: 0o600 });
    const cutover = path.join(root, "bin", "cutover");
    const end = kept.sandboxStarted
        ? `${quote(cutover)} sandbox down`
        : `pulumi destroy --stack ${stack} --yes   # keeps namespace ${kept.namespace} with the database's volume, until the next demo`;
    return `It is all still running. To play on:

  . ${quote(file)}${url ? `\n  curl -s ${url}/` : ""}
  pulumi stack output --stack ${stack}
  pulumi config set cutover:activeColor green --stack ${stack}
  pulumi preview --stack ${stack} --diff
  pulumi up --stack ${stack} --yes
  pulumi config set cutover:activeColor blue --stack ${stack} && pulumi up --stack ${stack} --yes

To end it:

  ${end}
  rm -r ${quote(scratch.folder)}`;
}

/** A word for a shell, quoted only when it has to be. */
function quote(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
