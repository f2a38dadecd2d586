import { createHash } from "node:crypto";
import { UserError } from "../cli/errors";
import { Inputs, Json } from "../providers/types";
import { Crypter } from "../secrets/passphrase";
import { isObject, mapSecrets, SECRET, SIGNATURE } from "../values/values";

/** A resource as Pulumi's deployment version 3 writes it, with its secrets in clear in memory. */
export interface ResourceState {
    urn: string;
    custom: boolean;
    delete?: boolean;
    id?: string;
    type: string;
    inputs: Inputs;
    outputs: Inputs;
    parent?: string;
    protect?: boolean;
    external?: boolean;
    dependencies?: string[];
    initErrors?: string[];
    provider?: string;
    propertyDependencies?: Record<string, string[]>;
    pendingReplacement?: boolean;
    additionalSecretOutputs?: string[];
    aliases?: string[];
    customTimeouts?: { create?: number; update?: number; delete?: number };
    importID?: string;
    retainOnDelete?: boolean;
    deletedWith?: string;
    replaceWith?: string[];
    created?: string;
    modified?: string;
    sourcePosition?: string;
    ignoreChanges?: string[];
    replaceOnChanges?: string[];
    replacementTrigger?: Json;
    resourceHooks?: Record<string, string[]>;
}

export type OperationType = "creating" | "updating" | "deleting" | "reading";

export interface PendingOperation {
    resource: ResourceState;
    type: OperationType;
}

export interface Deployment {
    manifest: { time: string; magic: string; version: string };
    secrets_providers?: { type: string; state?: Json };
    resources?: ResourceState[];
    pending_operations?: PendingOperation[];
    metadata: Record<string, Json>;
}

export interface Checkpoint {
    version: number;
    checkpoint: { stack: string; config?: Json; latest?: Deployment };
}

export const DEPLOYMENT_VERSION = 3;

export function newManifest(version: string): Deployment["manifest"] {
    const magic = createHash("sha256").update(version).digest("hex");
    return { time: new Date().toISOString(), magic, version };
}

/** @throws UserError for text that is no checkpoint, or one of another version than 3. */
export function parseCheckpoint(text: string, file: string): Checkpoint {
    let parsed: Json;
    try {
        parsed = JSON.parse(text) as Json;
    } catch (error) {
        throw new UserError(
            `failed to load checkpoint: ${file} is not valid JSON (${(error as Error).message}); ` +
                `the last good state is beside it as .bak: restore it with 'pulumi stack import'`,
        );
    }
    if (!isObject(parsed) || !isObject(parsed["checkpoint"])) {
        throw new UserError(`failed to load checkpoint: ${file} holds no checkpoint`);
    }
    if (parsed["version"] !== DEPLOYMENT_VERSION) {
        throw new UserError(
            `unsupported checkpoint version ${JSON.stringify(parsed["version"])} in ${file}: ` +
                `this engine reads version ${DEPLOYMENT_VERSION}`,
        );
    }
    return parsed as unknown as Checkpoint;
}

/** Resources with secrets in clear; `crypter` is only asked for when there is a ciphertext. */
export async function decryptDeployment(
    deployment: Deployment,
    crypter: () => Promise<Crypter>,
): Promise<Deployment> {
    const sealed = JSON.stringify(deployment).includes('"ciphertext"');
    const key = sealed ? await crypter() : undefined;
    const decode = (value: Json): Json => openSecrets(value, key);
    const resource = (state: ResourceState): ResourceState => ({
        ...state,
        inputs: decode(state.inputs ?? {}) as Inputs,
        outputs: decode(state.outputs ?? {}) as Inputs,
    });
    return {
        ...deployment,
        resources: (deployment.resources ?? []).map(resource),
        pending_operations: (deployment.pending_operations ?? []).map((operation) => ({
            ...operation,
            resource: resource(operation.resource),
        })),
    };
}

function openSecrets(value: Json, crypter: Crypter | undefined): Json {
    if (Array.isArray(value)) return value.map((item) => openSecrets(item, crypter));
    if (!isObject(value)) return value;
    if (value[SIGNATURE] === SECRET) {
        const plaintext =
            typeof value["ciphertext"] === "string" && crypter !== undefined
                ? crypter.decrypt(value["ciphertext"])
                : value["plaintext"];
        if (typeof plaintext !== "string") throw new UserError("malformed secret in the state");
        return { [SIGNATURE]: SECRET, value: openSecrets(JSON.parse(plaintext) as Json, crypter) };
    }
    return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, openSecrets(item, crypter)]),
    );
}

/** The deployment as it is stored; with no crypter, secrets are written in clear (an export). */
export function encodeDeployment(deployment: Deployment, crypter: Crypter | undefined): Deployment {
    const encode = (value: Json): Json =>
        mapSecrets(value, (secret): Json => {
            const text = JSON.stringify(revealNested(secret));
            return crypter === undefined
                ? { [SIGNATURE]: SECRET, plaintext: text }
                : { [SIGNATURE]: SECRET, ciphertext: crypter.encrypt(text) };
        });
    const resource = (state: ResourceState): ResourceState =>
        compact({
            ...state,
            inputs: encode(state.inputs) as Inputs,
            outputs: encode(state.outputs) as Inputs,
        });
    const { resources = [], pending_operations = [], ...rest } = deployment;
    return {
        ...rest,
        ...(resources.length > 0 ? { resources: resources.map(resource) } : {}),
        ...(pending_operations.length > 0
            ? {
                  pending_operations: pending_operations.map((operation) => ({
                      type: operation.type,
                      resource: resource(operation.resource),
                  })),
              }
            : {}),
    };
}

/** A secret inside a secret is written once, by the outer one. */
function revealNested(value: Json): Json {
    return mapSecrets(value, (inner) => revealNested(inner));
}

/** Leaves out what Pulumi leaves out: false, empty and absent members. */
function compact(state: ResourceState): ResourceState {
    const kept = Object.entries(state).filter(([key, value]) => {
        if (key === "urn" || key === "custom" || key === "type") return true;
        if (value === undefined || value === null || value === false || value === "") return false;
        if (Array.isArray(value)) return value.length > 0;
        return typeof value !== "object" || Object.keys(value as object).length > 0;
    });
    return Object.fromEntries(kept) as unknown as ResourceState;
}
