/* eslint-disable @typescript-eslint/no-require-imports -- each command is loaded when it is called */
import type { FlagKind, ParsedFlags } from "./flags";

export type Run = (flags: ParsedFlags) => Promise<void>;

export interface CommandSpec {
    flags: Record<string, FlagKind>;
    /** Loads the command's code: a `version` must not pay for what `up` needs. */
    load(): Run;
}

const STACK: Record<string, FlagKind> = { stack: "value" };
const CONFIG: Record<string, FlagKind> = { ...STACK, "config-file": "value", path: "boolean" };

const OPERATION: Record<string, FlagKind> = {
    ...STACK,
    "config-file": "value",
    "continue-on-error": "boolean",
    debug: "boolean",
    diff: "boolean",
    "event-log": "value",
    "exec-agent": "value",
    "exec-kind": "value",
    exclude: "list",
    "expect-no-changes": "boolean",
    json: "boolean",
    message: "value",
    parallel: "value",
    "run-program": "boolean",
    "show-secrets": "boolean",
    "suppress-outputs": "boolean",
    "suppress-permalink": "value",
    "suppress-progress": "boolean",
    target: "list",
    "target-dependents": "boolean",
    client: "value",
};
const APPLYING: Record<string, FlagKind> = {
    ...OPERATION,
    "skip-preview": "boolean",
    yes: "boolean",
};
const PROGRAM: Record<string, FlagKind> = {
    config: "list",
    refresh: "boolean",
    replace: "list",
};

/** Every command there is, by its words. Anything else is refused by name. */
export const COMMANDS: Record<string, CommandSpec> = {
    version: { flags: {}, load: () => require("../commands/account").version },
    login: {
        flags: { local: "boolean", "cloud-url": "value" },
        load: () => require("../commands/account").login,
    },
    logout: {
        flags: { local: "boolean", all: "boolean" },
        load: () => require("../commands/account").logout,
    },
    whoami: {
        flags: { json: "boolean", verbose: "boolean" },
        load: () => require("../commands/account").whoami,
    },
    stack: {
        flags: {
            ...STACK,
            "show-name": "boolean",
            "show-urns": "boolean",
            "show-ids": "boolean",
        },
        load: () => require("../commands/stack").show,
    },
    "stack init": {
        flags: { ...STACK, "secrets-provider": "value", "no-select": "boolean" },
        load: () => require("../commands/stack").init,
    },
    "stack select": {
        flags: { ...STACK, create: "boolean", "secrets-provider": "value" },
        load: () => require("../commands/stack").select,
    },
    "stack unselect": { flags: {}, load: () => require("../commands/stack").unselect },
    "stack ls": {
        flags: { json: "boolean", all: "boolean", project: "value" },
        load: () => require("../commands/stack").list,
    },
    "stack rm": {
        flags: { ...STACK, yes: "boolean", force: "boolean", "preserve-config": "boolean" },
        load: () => require("../commands/stack").remove,
    },
    "stack tag get": { flags: STACK, load: () => require("../commands/tags").get },
    "stack tag set": { flags: STACK, load: () => require("../commands/tags").set },
    "stack tag rm": { flags: STACK, load: () => require("../commands/tags").remove },
    "stack tag ls": {
        flags: { ...STACK, json: "boolean" },
        load: () => require("../commands/tags").list,
    },
    "stack output": {
        flags: { ...STACK, json: "boolean", "show-secrets": "boolean" },
        load: () => require("../commands/state").output,
    },
    "stack export": {
        flags: { ...STACK, file: "value", "show-secrets": "boolean" },
        load: () => require("../commands/state").exportState,
    },
    "stack import": {
        flags: { ...STACK, file: "value", force: "boolean" },
        load: () => require("../commands/state").importState,
    },
    "stack history": {
        flags: {
            ...STACK,
            json: "boolean",
            "show-secrets": "boolean",
            "full-dates": "boolean",
            "page-size": "value",
            page: "value",
        },
        load: () => require("../commands/history").history,
    },
    config: {
        flags: { ...CONFIG, json: "boolean", "show-secrets": "boolean" },
        load: () => require("../commands/config").show,
    },
    "config get": {
        flags: { ...CONFIG, json: "boolean" },
        load: () => require("../commands/config").get,
    },
    "config set": {
        flags: { ...CONFIG, secret: "boolean", plaintext: "boolean" },
        load: () => require("../commands/config").set,
    },
    "config set-all": {
        flags: { ...CONFIG, secret: "list", plaintext: "list", json: "value" },
        load: () => require("../commands/config").setAll,
    },
    "config rm": { flags: CONFIG, load: () => require("../commands/config").remove },
    "config rm-all": { flags: CONFIG, load: () => require("../commands/config").remove },
    cancel: {
        flags: { ...STACK, yes: "boolean" },
        load: () => require("../commands/cancel").cancel,
    },
    preview: {
        flags: { ...OPERATION, ...PROGRAM },
        load: () => require("../commands/operations").preview,
    },
    up: { flags: { ...APPLYING, ...PROGRAM }, load: () => require("../commands/operations").up },
    refresh: {
        flags: {
            ...APPLYING,
            "preview-only": "boolean",
            "clear-pending-creates": "boolean",
            "skip-pending-creates": "boolean",
            "import-pending-creates": "list",
        },
        load: () => require("../commands/operations").refresh,
    },
    destroy: {
        flags: {
            ...APPLYING,
            "preview-only": "boolean",
            refresh: "boolean",
            remove: "boolean",
            "exclude-protected": "boolean",
        },
        load: () => require("../commands/operations").destroy,
    },
};

export const ALIASES: Record<string, string> = {
    update: "up",
    pre: "preview",
    down: "destroy",
    history: "stack history",
};
