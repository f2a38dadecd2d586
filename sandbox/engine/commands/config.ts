import { UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { openStack, StackSession } from "../cli/session";
import { Json } from "../providers/types";
import { Crypter } from "../secrets/passphrase";
import { formatPath, getAt, parsePath, PathPart } from "../values/paths";
import { JsonObject } from "../values/values";
import { decodeConfig, hasSecret } from "../workspace/config";
import { fullKey } from "../workspace/stack-settings";

export async function show(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const reveal = flags.flag("show-secrets") === true;
    const entries = Object.entries(session.settings.config);
    const sealed = entries.some(([, value]) => hasSecret(value));
    const crypter = reveal && sealed ? await session.secrets.crypter() : undefined;
    if (flags.flag("json") === true) {
        const shown = entries.map(([key, value]) => [key, describe(value, crypter)]);
        console.log(JSON.stringify(Object.fromEntries(shown), undefined, 2));
        return;
    }
    for (const [key, value] of [["KEY", "VALUE"] as [string, Json], ...entries]) {
        const own = `${session.project.name}:`;
        const name = key.startsWith(own) ? key.slice(own.length) : key;
        console.log(name.padEnd(30), decodeConfig(value, crypter).text);
    }
}

/** A value as `--json` shows it; one that is sealed has no value. */
function describe(value: Json, crypter: Crypter | undefined): object {
    const { text, object, secret } = decodeConfig(value, crypter);
    if (secret && crypter === undefined) return { secret };
    return { value: text, ...(object ? { objectValue: JSON.parse(text) as Json } : {}), secret };
}

export async function get(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const [written = ""] = flags.arguments;
    const { key, inside } = address(session, written, flags.flag("path") === true);
    const value = getAt(session.settings.config[key], inside);
    if (value === undefined) {
        throw new UserError(
            `configuration key '${written}' not found for stack '${session.ref.stack}'`,
        );
    }
    const crypter = hasSecret(value) ? await session.secrets.crypter() : undefined;
    if (flags.flag("json") === true) {
        console.log(JSON.stringify(describe(value, crypter), undefined, 2));
    } else {
        console.log(decodeConfig(value, crypter).text);
    }
}

export async function set(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const [key, given] = flags.arguments;
    if (key === undefined) throw new UserError("missing configuration key");
    const value = given ?? (await readStandardInput());
    const secret = flags.flag("secret") === true && flags.flag("plaintext") !== true;
    await assign(session, key, value, { secret, path: flags.flag("path") === true });
    await session.settings.save();
}

export async function setAll(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const path = flags.flag("path") === true;
    for (const kind of ["plaintext", "secret"] as const) {
        for (const pair of flags.list(kind)) {
            const at = pair.indexOf("=");
            if (at < 0)
                throw new UserError(`config value must be in the form key=value, got '${pair}'`);
            const options = { secret: kind === "secret", path };
            await assign(session, pair.slice(0, at), pair.slice(at + 1), options);
        }
    }
    const json = flags.value("json");
    if (json !== undefined) await assignJson(session, json);
    await session.settings.save();
}

/** The form of `config --json`: `{key: {value | objectValue, secret}}`. */
async function assignJson(session: StackSession, text: string): Promise<void> {
    const entries = JSON.parse(text) as Record<string, JsonObject>;
    for (const [key, entry] of Object.entries(entries)) {
        const full = fullKey(key, session.project.name);
        if (entry["objectValue"] !== undefined && entry["secret"] !== true) {
            session.settings.setConfig(full, [], entry["objectValue"] ?? null);
        } else {
            const options = { secret: entry["secret"] === true, path: false };
            await assign(session, key, textOf(entry["value"]), options);
        }
    }
}

async function assign(
    session: StackSession,
    written: string,
    text: string,
    options: { secret: boolean; path: boolean },
): Promise<void> {
    const { key, inside } = address(session, written, options.path);
    const value: Json = options.secret
        ? { secure: (await session.secrets.crypter()).encrypt(text) }
        : inside.length > 0
          ? typed(text)
          : text;
    session.settings.setConfig(key, inside, value);
}

/** Inside an object `true`, `false` and whole numbers are what they look like. */
function typed(text: string): Json {
    if (text === "true" || text === "false") return text === "true";
    return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

export async function remove(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const { settings } = session;
    for (const written of flags.arguments) {
        const { key, inside } = address(session, written, flags.flag("path") === true);
        settings.removeConfig(key, inside);
    }
    await settings.save();
}

/** `ns:key`, `key`, or with `--path` `ns:key.inner[0]`: the config key and the way into its value. */
function address(
    session: StackSession,
    written: string,
    path: boolean,
): { key: string; inside: PathPart[] } {
    if (written === "") throw new UserError("missing configuration key");
    const project = session.project.name;
    if (!path) return { key: fullKey(written, project), inside: [] };
    const at = /^[^.[\]"]*:/.exec(written)?.[0] ?? "";
    const [head, ...inside] = parsePath(written.slice(at.length));
    return { key: fullKey(at + formatPath([String(head)]), project), inside };
}

async function readStandardInput(): Promise<string> {
    if (process.stdin.isTTY) throw new UserError("missing configuration value");
    let text = "";
    for await (const chunk of process.stdin) text += String(chunk);
    return text.replace(/\r?\n$/, "");
}

function textOf(value: Json | undefined): string {
    return typeof value === "string" ? value : JSON.stringify(value ?? "");
}
