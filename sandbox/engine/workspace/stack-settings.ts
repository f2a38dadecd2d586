import * as path from "node:path";
import { Document, isCollection, isMap, isScalar, parseDocument } from "yaml";
import { readIfExists, writeAtomically } from "../backend/files";
import { UserError } from "../cli/errors";
import { Json } from "../providers/types";
import { PathPart } from "../values/paths";
import { isObject, JsonObject } from "../values/values";
import { Project } from "./project";

/**
 * `Pulumi.<stack>.yaml`, edited in place: comments, order and quoting of what is not touched stay.
 * Keys are handled with their namespace (`cutover:name`) whichever way the file writes them.
 */
export class StackSettings {
    private constructor(
        readonly file: string,
        private readonly document: Document,
        private readonly project: string,
    ) {}

    static async load(project: Project, stack: string, file?: string): Promise<StackSettings> {
        const place = file ?? path.join(project.stackConfigFolder, `Pulumi.${stack}.yaml`);
        const document = parseDocument((await readIfExists(place)) ?? "");
        const [problem] = document.errors;
        if (problem !== undefined) {
            throw new UserError(`could not read ${place}: ${problem.message}`);
        }
        if (document.contents !== null && !isMap(document.contents)) {
            throw new UserError(`could not read ${place}: expected a map at the top`);
        }
        return new StackSettings(place, document, project.name);
    }

    async save(): Promise<void> {
        await writeAtomically(this.file, this.document.toString({ lineWidth: 0 }));
    }

    get encryptionSalt(): string | undefined {
        const salt: unknown = this.document.get("encryptionsalt");
        return typeof salt === "string" ? salt : undefined;
    }

    set encryptionSalt(salt: string) {
        this.document.set("encryptionsalt", salt);
    }

    /** Another secrets provider than the passphrase, if the stack names one. */
    get secretsProvider(): string | undefined {
        const provider: unknown = this.document.get("secretsprovider");
        return typeof provider === "string" && provider !== "passphrase" ? provider : undefined;
    }

    /** Raw config values by full key; a ciphertext is `{secure: …}`. */
    get config(): JsonObject {
        const raw = (this.document.toJS() as Json) ?? {};
        const config = isObject(raw) ? raw["config"] : undefined;
        if (config === undefined || config === null) return {};
        if (!isObject(config)) throw new UserError(`${this.file}: 'config' must be a map`);
        return Object.fromEntries(
            Object.entries(config).map(([key, value]) => [fullKey(key, this.project), value]),
        );
    }

    /** @param inside the way into the key's value, for a part of it */
    setConfig(key: string, inside: readonly PathPart[], value: Json): void {
        if (!isMap(this.document.get("config"))) {
            this.document.set("config", this.document.createNode({}));
        }
        const path = this.#place(key, inside);
        const present: unknown = this.document.getIn(path, true);
        if (isScalar(present) && (typeof value !== "object" || value === null)) {
            // In place, so that a comment behind the value stays.
            if (typeof present.value !== typeof value) delete present.type;
            delete present.source;
            present.value = value;
        } else {
            this.#makeRoom(path);
            this.document.setIn(path, this.document.createNode(value));
        }
    }

    /** A scalar in the way of a path into it gives place to a collection. */
    #makeRoom(path: readonly PathPart[]): void {
        for (let length = 2; length < path.length; length++) {
            const at = path.slice(0, length);
            if (isCollection(this.document.getIn(at, true))) continue;
            const empty = typeof path[length] === "number" ? [] : {};
            this.document.setIn(at, this.document.createNode(empty));
        }
    }

    removeConfig(key: string, inside: readonly PathPart[] = []): void {
        const path = this.#place(key, inside);
        if (!this.document.hasIn(path)) return;
        this.document.deleteIn(path);
        const config: unknown = this.document.get("config");
        if (isMap(config) && config.items.length === 0) this.document.delete("config");
    }

    #place(key: string, inside: readonly PathPart[]): PathPart[] {
        return ["config", this.#writtenKey(key) ?? key, ...inside];
    }

    /** The key as the file has it: with or without the project's own namespace. */
    #writtenKey(key: string): string | undefined {
        const config: unknown = this.document.get("config");
        if (!isMap(config)) return undefined;
        return config.items
            .map((item) => String(item.key))
            .find((written) => fullKey(written, this.project) === key);
    }
}

/** `name` → `project:name`; `ns:config:name` (an old spelling) → `ns:name`. */
export function fullKey(key: string, project: string): string {
    const parts = key.split(":");
    if (parts.length === 1) return `${project}:${key}`;
    if (parts.length === 3 && parts[1] === "config") return `${parts[0]}:${parts[2]}`;
    return key;
}
