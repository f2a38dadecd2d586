import { UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { StackSession } from "../cli/session";
import { Inputs } from "../providers/types";
import { JsonObject, makeSecret } from "../values/values";
import { applyProjectConfig, ConfigValue, decodeConfig, hasSecret } from "../workspace/config";

/** The config of one operation: the stack's, the project's defaults and the command's `--config`. */
export class OperationConfig {
    private constructor(
        /** As the stack file has it, secrets sealed: for the history. */
        readonly raw: JsonObject,
        private readonly values: ReadonlyMap<string, ConfigValue>,
    ) {}

    static async load(session: StackSession, flags: ParsedFlags): Promise<OperationConfig> {
        const { project, ref, settings, secrets } = session;
        const given = { ...settings.config };
        for (const pair of flags.list("config")) {
            const at = pair.indexOf("=");
            if (at < 0) {
                throw new UserError(`config value must be in the form key=value, got '${pair}'`);
            }
            const key = pair.slice(0, at);
            given[key.includes(":") ? key : `${project.name}:${key}`] = pair.slice(at + 1);
        }
        const raw = applyProjectConfig(given, project.config, project.name, ref.stack);
        const entries = Object.entries(raw);
        const sealed = entries.some(([, value]) => hasSecret(value));
        const crypter = sealed ? await secrets.crypter() : undefined;
        const values = entries.map(([key, value]) => [key, decodeConfig(value, crypter)] as const);
        return new OperationConfig(raw, new Map(values));
    }

    /** For the program: values in clear, and which of them are secret. */
    get forProgram(): { config: Record<string, string>; secretKeys: string[] } {
        const entries = [...this.values];
        return {
            config: Object.fromEntries(entries.map(([key, { text }]) => [key, text])),
            secretKeys: entries.filter(([, { secret }]) => secret).map(([key]) => key),
        };
    }

    /** For events: secrets hidden. */
    get shown(): Record<string, string> {
        const entries = [...this.values];
        return Object.fromEntries(
            entries.map(([key, { text, secret }]) => [key, secret ? "[secret]" : text]),
        );
    }

    /** For a package's default provider: the keys in its namespace. */
    ofPackage(pkg: string): Inputs {
        const inputs: Inputs = {};
        for (const [key, { text, secret }] of this.values) {
            const [namespace, name = ""] = key.split(":");
            if (namespace === pkg) inputs[name] = secret ? makeSecret(text) : text;
        }
        return inputs;
    }
}
