import { FileBackend, parseStackReference, StackReference } from "../backend/backend";
import { Deployment, newManifest } from "../backend/state";
import { createCrypter, Crypter, openCrypter } from "../secrets/passphrase";
import { backendUrl, findProject, Project, selectedStack } from "../workspace/project";
import { StackSettings } from "../workspace/stack-settings";
import { Exit, NotSupportedError, UserError } from "./errors";
import { ParsedFlags } from "./flags";

/** Where a command works: the project of the current folder and the backend. */
export interface Place {
    project: Project | undefined;
    backend: FileBackend;
}

export async function openPlace(): Promise<Place> {
    const project = findProject(process.cwd());
    return { project, backend: new FileBackend(await backendUrl(project)) };
}

export function requireProject(project: Project | undefined): Project {
    if (project !== undefined) return project;
    throw new UserError(
        `no Pulumi.yaml project file found (searching upwards from ${process.cwd()}). If you have ` +
            "not created a project yet, use `pulumi new` to do so",
    );
}

/** A stack that exists, with its settings and the way to its secrets. */
export interface StackSession extends Place {
    project: Project;
    ref: StackReference;
    settings: StackSettings;
    secrets: StackSecrets;
}

/** @param name the stack; absent: `--stack`, or the selected one. */
export async function openStack(flags: ParsedFlags, name?: string): Promise<StackSession> {
    const place = await openPlace();
    const project = requireProject(place.project);
    const ref = await stackReference(place, flags, name);
    if (!(await exists(place.backend, ref))) {
        throw noSuchStack(ref);
    }
    const settings = await StackSettings.load(project, ref.stack, flags.value("config-file"));
    return { ...place, project, ref, settings, secrets: new StackSecrets(settings) };
}

export async function stackReference(
    place: Place,
    flags: ParsedFlags,
    name?: string,
): Promise<StackReference> {
    const selected = async (): Promise<string | undefined> =>
        place.project === undefined ? undefined : selectedStack(place.project);
    const text = name ?? flags.value("stack") ?? process.env["PULUMI_STACK"] ?? (await selected());
    if (text === undefined) {
        throw new UserError(
            "no stack selected; please use `pulumi stack select` to choose one",
            Exit.stackNotFound,
        );
    }
    return parseStackReference(text, place.project?.name);
}

/** The text that the Automation API knows a missing stack by. */
export function noSuchStack(ref: StackReference): UserError {
    return new UserError(`no stack named '${ref.stack}' found`, Exit.stackNotFound);
}

export async function exists(backend: FileBackend, ref: StackReference): Promise<boolean> {
    return (await backend.readText(ref)) !== undefined;
}

/** The stack's passphrase, asked for once and only when something is sealed or opened. */
export class StackSecrets {
    #opened: Promise<Crypter> | undefined;

    constructor(private readonly settings: StackSettings) {}

    crypter(): Promise<Crypter> {
        this.#opened ??= this.#open();
        return this.#opened;
    }

    async #open(): Promise<Crypter> {
        const { secretsProvider, encryptionSalt } = this.settings;
        if (secretsProvider !== undefined) {
            throw new NotSupportedError(`secrets provider ${secretsProvider}`);
        }
        if (encryptionSalt !== undefined) return openCrypter(encryptionSalt);
        const crypter = await createCrypter();
        this.settings.encryptionSalt = crypter.salt;
        await this.settings.save();
        return crypter;
    }
}

/** A stack's state before its first operation. */
export function emptyDeployment(): Deployment {
    return { manifest: newManifest(""), metadata: {} };
}

/** Names the secrets provider in a state, so that any reader knows how to open it. */
export function withSecretsProvider(deployment: Deployment, crypter: Crypter): Deployment {
    return {
        ...deployment,
        secrets_providers: { type: "passphrase", state: { salt: crypter.salt } },
    };
}
