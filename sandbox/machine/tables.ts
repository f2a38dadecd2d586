import { findProgram } from "../images/packages";
import { run } from "../images/run";

/** Tables that iptables makes by itself, and never removes, when it is asked for a rule in them. */
const MADE_BY_IPTABLES = ["nat", "filter"];

/** Those of them that the machine has; none where the kernel knows the old iptables only. */
export async function tablesOfIptables(): Promise<string[]> {
    if (findProgram("nft") === undefined) return [];
    const listed = await run("nft", ["list", "tables", "ip"]).catch(() => "");
    return MADE_BY_IPTABLES.filter((name) => listed.split("\n").includes(`table ip ${name}`));
}

/**
 * Removes tables that were not there before the sandbox and hold nothing any more. What somebody else
 * has put a rule or a chain into stays.
 */
export async function removeEmptyTables(before: readonly string[]): Promise<void> {
    for (const name of await tablesOfIptables()) {
        if (before.includes(name)) continue;
        if (!holdsNothing(await run("nft", ["list", "table", "ip", name]))) continue;
        await run("nft", ["delete", "table", "ip", name]);
    }
}

/** Whether a listed table has only chains of the kernel's hooks, with no rule, that accept everything. */
export function holdsNothing(listed: string): boolean {
    const empty = [
        /^table ip \w+ \{$/,
        /^chain (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) \{$/,
        /^type \w+ hook \w+ priority [\w+ -]+; policy accept;$/,
        /^\}$/,
    ];
    const lines = listed.split("\n").map((line) => line.trim());
    return lines.every((line) => line === "" || empty.some((pattern) => pattern.test(line)));
}
