import { UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { openStack } from "../cli/session";

export async function get(flags: ParsedFlags): Promise<void> {
    const { backend, ref } = await openStack(flags);
    const name = argument(flags, 0, "tag name");
    const value = (await backend.readTags(ref))[name];
    if (value === undefined) {
        throw new UserError(`stack tag '${name}' not found for stack '${ref.stack}'`);
    }
    console.log(value);
}

export async function set(flags: ParsedFlags): Promise<void> {
    const { backend, ref } = await openStack(flags);
    const tags = await backend.readTags(ref);
    tags[argument(flags, 0, "tag name")] = argument(flags, 1, "tag value");
    await backend.writeTags(ref, tags);
}

export async function remove(flags: ParsedFlags): Promise<void> {
    const { backend, ref } = await openStack(flags);
    const { [argument(flags, 0, "tag name")]: _removed, ...tags } = await backend.readTags(ref);
    await backend.writeTags(ref, tags);
}

export async function list(flags: ParsedFlags): Promise<void> {
    const { backend, ref } = await openStack(flags);
    const tags = await backend.readTags(ref);
    if (flags.flag("json") === true) console.log(JSON.stringify(tags, undefined, 2));
    else for (const [name, value] of Object.entries(tags)) console.log(`${name}  ${value}`);
}

function argument(flags: ParsedFlags, index: number, what: string): string {
    const value = flags.arguments[index];
    if (value === undefined) throw new UserError(`missing ${what}`);
    return value;
}
