import { ParsedFlags } from "../cli/flags";
import { openStack } from "../cli/session";
import { Json } from "../providers/types";
import { decodeConfig } from "../workspace/config";
import { isObject } from "../values/values";

export async function history(flags: ParsedFlags): Promise<void> {
    const { backend, ref, secrets } = await openStack(flags);
    const entries = await backend.history(
        ref,
        Number(flags.value("page-size") ?? "0"),
        Number(flags.value("page") ?? "1"),
    );
    if (flags.flag("json") !== true) {
        if (entries.length === 0) console.log("Stack has never been updated");
        for (const entry of entries) {
            const when = new Date(entry.startTime * 1000).toISOString();
            const changes = Object.entries(entry.resourceChanges).map(([op, n]) => `${op} ${n}`);
            console.log(`${entry.kind} ${entry.result} ${when}: ${changes.join(", ")}`);
        }
        return;
    }
    const crypter = flags.flag("show-secrets") === true ? await secrets.crypter() : undefined;
    const config = (value: Json): object => {
        const decoded = decodeConfig(value, crypter);
        if (decoded.secret && crypter === undefined) return { secret: true };
        return {
            value: decoded.text,
            ...(decoded.object ? { objectValue: JSON.parse(decoded.text) as Json } : {}),
            secret: decoded.secret,
        };
    };
    const shown = entries.map((entry) => ({
        version: entry.version,
        kind: entry.kind,
        startTime: time(entry.startTime),
        message: entry.message,
        environment: entry.environment,
        config: isObject(entry.config)
            ? Object.fromEntries(Object.entries(entry.config).map(([k, v]) => [k, config(v)]))
            : {},
        result: entry.result,
        endTime: time(entry.endTime),
        resourceChanges: entry.resourceChanges,
    }));
    console.log(JSON.stringify(shown, undefined, 2));
}

function time(seconds: number): string {
    return new Date(seconds * 1000).toISOString();
}
