import { createHash } from "node:crypto";
import type {
    Inputs,
    ProviderContext,
    ResourceProvider,
    Severity,
} from "../../../sandbox/engine/providers/types";

export interface LoggedContext extends ProviderContext {
    messages: { severity: Severity; message: string; ephemeral: boolean }[];
}

/** A call's context that keeps what is logged. */
export function contextOf(
    type: string,
    name = "thing",
    signal: AbortSignal = new AbortController().signal,
): LoggedContext {
    const messages: LoggedContext["messages"] = [];
    return {
        urn: `urn:pulumi:dev::tests::${type}::${name}`,
        type,
        signal,
        messages,
        log: (severity, message, ephemeral = false) => {
            messages.push({ severity, message, ephemeral });
        },
    };
}

export const seed = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The inputs as `check` leaves them; fails the test if it refuses them. */
export async function checked(
    provider: ResourceProvider,
    context: ProviderContext,
    newInputs: Inputs,
    oldInputs?: Inputs,
): Promise<Inputs> {
    const result = await provider.check(context, {
        newInputs,
        oldInputs,
        randomSeed: seed(context.urn),
    });
    if (result.failures.length > 0) throw new Error(JSON.stringify(result.failures));
    return result.inputs;
}
