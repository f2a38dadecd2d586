import { Inputs, Json } from "../providers/types";
import { AliasSpec } from "./urn";

/** What a program declares with RegisterResource. */
export interface Goal {
    type: string;
    name: string;
    custom: boolean;
    parent: string | undefined;
    inputs: Inputs;
    dependencies: string[];
    propertyDependencies: Record<string, string[]>;
    /** A provider reference; empty for the package's default provider. */
    provider: string;
    /** Version of the provider the SDK was made for. */
    version: string;
    protect: boolean | undefined;
    deleteBeforeReplace: boolean | undefined;
    ignoreChanges: string[];
    replaceOnChanges: string[];
    additionalSecretOutputs: string[];
    aliases: AliasSpec[];
    importId: string;
    customTimeouts: { create?: number; update?: number; delete?: number };
    retainOnDelete: boolean | undefined;
    deletedWith: string | undefined;
    replaceWith: string[];
    replacementTrigger: Json | undefined;
    hooks: Record<string, string[]>;
}

/** What the program gets back. */
export interface Registered {
    urn: string;
    id: string;
    outputs: Inputs;
}

/** Thrown into requests that an ended deployment does not serve any more. */
export class DeploymentOver extends Error {
    constructor() {
        super("resource monitor shut down");
    }
}

/** `5m`, `90s`, `1h30m`, `100ms` → seconds. */
export function parseDuration(text: string): number | undefined {
    if (text === "") return undefined;
    const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, ns: 1e-9 };
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g)];
    if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
        throw new Error(`unable to parse customTimeout Value "${text}"`);
    }
    return parts.reduce((sum, part) => sum + Number(part[1]) * (units[part[2] ?? ""] ?? 0), 0);
}
