import { ParsedFlags } from "../cli/flags";
import { exists, noSuchStack, openPlace, stackReference } from "../cli/session";

/** Removes the stack's locks, whoever holds them. */
export async function cancel(flags: ParsedFlags): Promise<void> {
    const place = await openPlace();
    const ref = await stackReference(place, flags, flags.arguments[0]);
    if (!(await exists(place.backend, ref))) {
        throw noSuchStack(ref);
    }
    await place.backend.cancel(ref);
    console.log(`The currently running update for '${ref.stack}' has been canceled!`);
}
