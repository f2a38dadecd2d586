import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import {
    decryptDeployment,
    Deployment,
    DEPLOYMENT_VERSION,
    encodeDeployment,
    newManifest,
} from "../backend/state";
import { UserError } from "../cli/errors";
import { ParsedFlags } from "../cli/flags";
import { emptyDeployment, openStack, StackSession, withSecretsProvider } from "../cli/session";
import { isStackUrn } from "../deploy/urn";
import { Json } from "../providers/types";
import { isObject, mapSecrets, unwrapValue } from "../values/values";
import { VERSION } from "../version";

async function latest({ backend, ref }: StackSession): Promise<Deployment> {
    return (await backend.read(ref))?.checkpoint.latest ?? emptyDeployment();
}

export async function output(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const deployment = await latest(session);
    const reveal = flags.flag("show-secrets") === true;
    const stack = (deployment.resources ?? []).find((resource) => isStackUrn(resource.urn));
    const stored = stack?.outputs ?? {};
    const opened = reveal
        ? await decryptDeployment(
              { ...deployment, resources: stack === undefined ? [] : [stack] },
              () => session.secrets.crypter(),
          )
        : undefined;
    const outputs: Record<string, Json> =
        opened === undefined
            ? (mapSecrets(stored, () => "[secret]") as Record<string, Json>)
            : (unwrapValue(opened.resources?.[0]?.outputs ?? {}) as Record<string, Json>);
    const [name] = flags.arguments;
    const json = flags.flag("json") === true;
    if (name === undefined) {
        if (json) console.log(JSON.stringify(outputs, undefined, 2));
        else
            for (const [key, value] of Object.entries(outputs))
                console.log(`${key}  ${text(value)}`);
        return;
    }
    const value = outputs[name];
    if (value === undefined) {
        throw new UserError(`current stack does not have output property '${name}'`);
    }
    console.log(json ? JSON.stringify(value, undefined, 2) : text(value));
}

function text(value: Json): string {
    return typeof value === "string" ? value : JSON.stringify(value);
}

export async function exportState(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    let deployment = await latest(session);
    if (flags.flag("show-secrets") === true) {
        const opened = await decryptDeployment(deployment, () => session.secrets.crypter());
        deployment = encodeDeployment(opened, undefined);
    }
    const exported = JSON.stringify({ version: DEPLOYMENT_VERSION, deployment }, undefined, 4);
    const file = flags.value("file");
    if (file === undefined) console.log(exported);
    else await writeFile(file, `${exported}\n`);
}

export async function importState(flags: ParsedFlags): Promise<void> {
    const session = await openStack(flags);
    const { backend, ref, secrets } = session;
    const deployment = parseImport(readFileSync(flags.value("file") ?? 0, "utf8"));
    const foreign = (deployment.resources ?? []).find(
        ({ urn }) => !urn.startsWith(`urn:pulumi:${ref.stack}::${ref.project}::`),
    );
    if (foreign !== undefined && flags.flag("force") !== true) {
        throw new UserError(
            `resource '${foreign.urn}' is from another stack or project than ${ref.project}/${ref.stack}`,
        );
    }
    const lock = backend.lock(ref);
    await lock.acquire();
    try {
        const crypter = await secrets.crypter();
        const opened = await decryptDeployment(deployment, async () => crypter);
        const manifest = newManifest(VERSION);
        const state = { ...withSecretsProvider(opened, crypter), manifest };
        await backend.backUp(ref);
        await backend.write(ref, encodeDeployment(state, crypter));
    } finally {
        await lock.release();
    }
    console.log("Import complete.");
}

function parseImport(content: string): Deployment {
    let parsed: Json;
    try {
        parsed = JSON.parse(content) as Json;
    } catch (error) {
        throw new UserError(`could not deserialize deployment: ${(error as Error).message}`);
    }
    if (!isObject(parsed) || parsed["version"] !== DEPLOYMENT_VERSION) {
        throw new UserError(
            `could not deserialize deployment: expected version ${DEPLOYMENT_VERSION}, got ` +
                JSON.stringify(isObject(parsed) ? parsed["version"] : parsed),
        );
    }
    return parsed["deployment"] as unknown as Deployment;
}
