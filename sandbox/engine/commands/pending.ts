import { Deployment } from "../backend/state";
import { UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { Events } from "../deploy/events";
import { PendingCreates } from "../deploy/refresh";

/** What the flags of a refresh say about creates that were interrupted. */
export function pendingCreates(flags: ParsedFlags): PendingCreates {
    const pairs = flags.list("import-pending-creates").flatMap((item) => item.split(","));
    if (pairs.length % 2 !== 0) {
        throw new UserError("--import-pending-creates takes pairs: <urn> <id>");
    }
    const imports = new Map<string, string>();
    for (let i = 0; i < pairs.length; i += 2) imports.set(pairs[i] ?? "", pairs[i + 1] ?? "");
    return { clear: flags.flag("clear-pending-creates") === true, imports };
}

/** Tells the user what an interrupted operation left, and how to settle it. */
export function warnOfPending(deployment: Deployment, events: Events): void {
    const pending = deployment.pending_operations ?? [];
    if (pending.length === 0) return;
    const list = pending.map(
        ({ resource, type }) => `\n  * ${resource.urn}, interrupted while ${type}`,
    );
    events.diagnostic({
        severity: "warning",
        message:
            `Attempting to deploy or update resources with ${pending.length} pending operations ` +
            `from previous deployment.${list.join("")}\nThese resources are in an unknown state ` +
            "because the engine was interrupted while waiting for changes to these resources to " +
            "complete. Confirm whether the operations completed, then run `pulumi refresh`: " +
            "`--import-pending-creates <urn> --import-pending-creates <id>` takes a created " +
            "object into the state, `--clear-pending-creates` forgets it.",
    });
}
