import { type Inputs, type Json, UNKNOWN } from "../types";
import type { Mutability } from "./replacement";

/** The provider's configuration, from a provider resource or stack config `kubernetes:<key>`. */
export interface Settings {
    kubeconfig?: string;
    context?: string;
    cluster?: string;
    namespace?: string;
    mutable: Mutability;
    enablePatchForce: boolean;
    deleteUnreachable: boolean;
    /** The cluster is only known after an apply: a preview can say nothing about it. */
    unknown: boolean;
}

const STRINGS = ["context", "cluster", "namespace"] as const;
/** Settings whose one supported value is what the stand-in does anyway. */
const FIXED: Record<string, boolean> = {
    enableServerSideApply: true,
    upsertExistingObjects: false,
    skipUpdateUnreachable: false,
    alwaysRender: false,
};
/** They only change messages that the stand-in does not print. */
const WITHOUT_EFFECT = [
    "suppressDeprecationWarnings",
    "suppressHelmHookWarnings",
    "clusterIdentifier",
    "version",
    "pluginDownloadURL",
];

/** @throws naming the first key that is not supported or has a wrong type */
export function readSettings(inputs: Inputs, env: NodeJS.ProcessEnv = process.env): Settings {
    const settings: Settings = {
        mutable: {
            configMaps: flag(
                inputs,
                "enableConfigMapMutable",
                env.PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE,
            ),
            secrets: flag(inputs, "enableSecretMutable", env.PULUMI_K8S_ENABLE_SECRET_MUTABLE),
        },
        enablePatchForce: flag(inputs, "enablePatchForce", env.PULUMI_K8S_ENABLE_PATCH_FORCE),
        deleteUnreachable: flag(inputs, "deleteUnreachable", env.PULUMI_K8S_DELETE_UNREACHABLE),
        unknown: ["kubeconfig", ...STRINGS].some((key) => inputs[key] === UNKNOWN),
    };
    for (const key of STRINGS) {
        const value = inputs[key];
        if (!isAbsent(value)) settings[key] = stringOf(key, value);
    }
    const { kubeconfig } = inputs;
    if (!isAbsent(kubeconfig)) {
        settings.kubeconfig =
            typeof kubeconfig === "object"
                ? JSON.stringify(kubeconfig)
                : stringOf("kubeconfig", kubeconfig);
    }
    const known = new Set<string>([
        "kubeconfig",
        "enableConfigMapMutable",
        "enableSecretMutable",
        "enablePatchForce",
        "deleteUnreachable",
        ...STRINGS,
        ...WITHOUT_EFFECT,
    ]);
    for (const [key, value] of Object.entries(inputs)) {
        if (known.has(key) || isAbsent(value)) continue;
        const fixed = FIXED[key];
        if (fixed === undefined || fixed !== (value === true || value === "true")) {
            throw new Error(
                `kubernetes:${key} = ${JSON.stringify(value)} is not supported by the stand-in engine; ` +
                    `install the Pulumi CLI`,
            );
        }
    }
    return settings;
}

const isAbsent = (value: Json | undefined): value is undefined | null | "" =>
    value === undefined || value === null || value === "";

function stringOf(key: string, value: Json): string {
    if (typeof value === "string") return value;
    throw new Error(`kubernetes:${key} is ${JSON.stringify(value)}, expected a string`);
}

/** Config wins over the environment. */
function flag(inputs: Inputs, key: string, fromEnv: string | undefined): boolean {
    const value = inputs[key];
    if (isAbsent(value)) return fromEnv === "true";
    if (value === true || value === "true") return true;
    if (value === false || value === "false") return false;
    throw new Error(`kubernetes:${key} is ${JSON.stringify(value)}, expected true or false`);
}
