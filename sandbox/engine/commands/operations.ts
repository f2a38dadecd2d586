import { Exit, ReportedError, UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { openStack, StackSession } from "../cli/session";
import { DiffDisplay } from "../display/diff";
import { LineDisplay } from "../display/lines";
import { JsonDisplay } from "../display/json";
import { openEventLog } from "../display/event-log";
import { Events, Listener, OperationKind } from "../deploy/events";
import { Runner } from "./runner";
import { remove as removeStack } from "./stack";

export async function preview(flags: ParsedFlags): Promise<void> {
    await run(flags, "preview");
}

export async function up(flags: ParsedFlags): Promise<void> {
    await confirmed(flags, "update");
}

export async function refresh(flags: ParsedFlags): Promise<void> {
    if (flags.flag("preview-only") === true) await run(flags, "refresh", true);
    else await confirmed(flags, "refresh");
}

export async function destroy(flags: ParsedFlags): Promise<void> {
    if (flags.flag("preview-only") === true) await run(flags, "destroy", true);
    else await confirmed(flags, "destroy");
    if (flags.flag("remove") === true) await removeStack(flags);
}

/** There is no prompt here: an operation that changes something is said yes to beforehand. */
async function confirmed(flags: ParsedFlags, kind: OperationKind): Promise<void> {
    if (flags.flag("yes") !== true && flags.flag("skip-preview") !== true) {
        throw new UserError(
            "--yes or --skip-preview must be passed in to proceed when running in " +
                "non-interactive mode",
            Exit.usage,
        );
    }
    if (flags.flag("skip-preview") !== true) await run(flags, kind, true);
    await run(flags, kind);
}

async function run(
    flags: ParsedFlags,
    kind: OperationKind,
    dryRun = kind === "preview",
): Promise<void> {
    const session = await openStack(flags);
    const debug = flags.flag("debug") === true;
    const events = new Events(kind, await listeners(flags, kind, dryRun, session), debug);
    const runner = new Runner(session, flags, kind, dryRun, events);
    const code = await runner.run();
    await events.end();
    if (code !== Exit.done) throw new ReportedError(code);
}

async function listeners(
    flags: ParsedFlags,
    kind: OperationKind,
    dryRun: boolean,
    session: StackSession,
): Promise<Listener[]> {
    const found: Listener[] = [];
    if (flags.flag("json") === true) found.push(new JsonDisplay());
    else {
        const Display = flags.flag("diff") === true ? DiffDisplay : LineDisplay;
        found.push(
            new Display(kind, dryRun, session.ref, {
                showSecrets: flags.flag("show-secrets") === true,
                showOutputs: flags.flag("suppress-outputs") !== true,
                showProgress: flags.flag("suppress-progress") !== true,
            }),
        );
    }
    const log = flags.value("event-log");
    if (log !== undefined) found.push(await openEventLog(log, dryRun));
    return found;
}
