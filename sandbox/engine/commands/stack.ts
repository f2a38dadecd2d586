import { rm } from "node:fs/promises";
import { qualifiedName, StackReference } from "../backend/backend";
import { NotSupportedError, UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import {
    emptyDeployment,
    exists,
    openPlace,
    noSuchStack,
    openStack,
    Place,
    requireProject,
    stackReference,
    StackSecrets,
} from "../cli/session";
import { parseStackReference } from "../backend/backend";
import { isStackUrn } from "../deploy/urn";
import { selectedStack, selectStack } from "../workspace/project";
import { StackSettings } from "../workspace/stack-settings";

export async function init(flags: ParsedFlags): Promise<void> {
    const name = flags.arguments[0] ?? flags.value("stack");
    if (name === undefined) throw new UserError("missing stack name");
    const place = await openPlace();
    const ref = parseStackReference(name, place.project?.name);
    await createStack(place, ref, flags.value("secrets-provider"));
    if (flags.flag("no-select") !== true) await selectStack(requireProject(place.project), name);
    console.log(`Created stack '${ref.stack}'`);
}

async function createStack(
    place: Place,
    ref: StackReference,
    secretsProvider = "passphrase",
): Promise<void> {
    if (!["passphrase", "default"].includes(secretsProvider)) {
        throw new NotSupportedError(`secrets provider ${secretsProvider}`);
    }
    const project = requireProject(place.project);
    if (await exists(place.backend, ref)) {
        throw new UserError(`stack '${qualifiedName(ref)}' already exists`);
    }
    const settings = await StackSettings.load(project, ref.stack);
    await new StackSecrets(settings).crypter();
    await place.backend.create(ref, emptyDeployment());
}

export async function select(flags: ParsedFlags): Promise<void> {
    const place = await openPlace();
    const project = requireProject(place.project);
    const name = flags.arguments[0] ?? flags.value("stack");
    if (name === undefined) throw new UserError("missing stack name");
    const ref = parseStackReference(name, project.name);
    if (!(await exists(place.backend, ref))) {
        if (flags.flag("create") !== true) throw noSuchStack(ref);
        await createStack(place, ref, flags.value("secrets-provider"));
    }
    await selectStack(project, name);
}

export async function unselect(): Promise<void> {
    await selectStack(requireProject((await openPlace()).project), undefined);
}

export async function list(flags: ParsedFlags): Promise<void> {
    const place = await openPlace();
    const wanted = flags.value("project") ?? place.project?.name;
    const current = place.project === undefined ? undefined : await selectedStack(place.project);
    const found = (await place.backend.list()).filter(
        (ref) => flags.flag("all") === true || ref.project === wanted,
    );
    const rows = await Promise.all(
        found.map(async (ref) => {
            const latest = (await place.backend.read(ref))?.checkpoint.latest;
            const name = ref.project === place.project?.name ? ref.stack : qualifiedName(ref);
            const time = latest?.manifest.time;
            return {
                name,
                current:
                    current !== undefined && (current === name || current === qualifiedName(ref)),
                ...(latest?.resources === undefined ? {} : { lastUpdate: time }),
                updateInProgress: false,
                resourceCount: latest?.resources?.length ?? 0,
            };
        }),
    );
    if (flags.flag("json") === true) {
        console.log(JSON.stringify(rows, undefined, 2));
        return;
    }
    for (const row of [{ name: "NAME", current: false, resourceCount: "RESOURCES" }, ...rows]) {
        console.log(`${row.name}${row.current ? "*" : ""}`.padEnd(30), row.resourceCount);
    }
}

export async function show(flags: ParsedFlags): Promise<void> {
    const place = await openPlace();
    if (flags.flag("show-name") === true) {
        console.log((await stackReference(place, flags)).stack);
        return;
    }
    const { ref, backend } = await openStack(flags);
    const latest = (await backend.read(ref))?.checkpoint.latest;
    const resources = latest?.resources ?? [];
    console.log(`Current stack is ${ref.stack}:`);
    console.log(`    Managed by ${backend.url}`);
    console.log(`Current stack resources (${resources.length}):`);
    for (const { urn, type, id } of resources) {
        if (isStackUrn(urn)) continue;
        const shown = flags.flag("show-urns") === true ? urn : urn.slice(urn.lastIndexOf("::") + 2);
        const suffix = flags.flag("show-ids") === true && id !== undefined ? `  ${id}` : "";
        console.log(`    ${type}  ${shown}${suffix}`);
    }
}

export async function remove(flags: ParsedFlags): Promise<void> {
    const { backend, ref, project, settings } = await openStack(flags, flags.arguments[0]);
    const lock = backend.lock(ref);
    await lock.acquire();
    try {
        const latest = (await backend.read(ref))?.checkpoint.latest;
        const left = (latest?.resources ?? []).filter((resource) => !isStackUrn(resource.urn));
        if (left.length > 0 && flags.flag("force") !== true) {
            throw new UserError(
                `'${ref.stack}' still has resources; removal rejected. Run 'pulumi destroy' first, ` +
                    "or use --force to forget them",
            );
        }
        await backend.remove(ref);
        if (flags.flag("preserve-config") !== true) await rm(settings.file, { force: true });
        if ((await selectedStack(project)) === ref.stack) await selectStack(project, undefined);
    } finally {
        await lock.release();
    }
    console.log(`Stack '${ref.stack}' has been removed!`);
}
