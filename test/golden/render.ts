import { readFileSync } from "node:fs";
import path from "node:path";
import { parse, stringify } from "yaml";
import userService from "../../examples/user-service";
import program from "../../index";
import { record, type Registered } from "../support/mocks";

const CONFIGS = path.join(__dirname, "configs");

/** What stands in for a secret. */
const REDACTED = "(secret)";

export interface KubernetesObject {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
}

/** The values of a stack config as the CLI hands them to the program: every one a text. */
export function readConfig(name: string): Record<string, string> {
    const file = readFileSync(path.join(CONFIGS, `${name}.yaml`), "utf8");
    const { config } = parse(file) as { config: Record<string, unknown> };
    return texts(config);
}

export function texts(config: Record<string, unknown>): Record<string, string> {
    return Object.fromEntries(
        Object.entries(config).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]),
    );
}

/** Every Kubernetes object that a stack config comes to on its first `up`, in order of their names. */
export async function render(config: Record<string, string>): Promise<KubernetesObject[]> {
    const example = Object.keys(config).some((key) => key.startsWith("user-service:"));
    const { resources } = await record(example ? userService : program, { config });
    return resources
        .filter(({ type }) => type.startsWith("kubernetes:"))
        .map(objectOf)
        .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** `namespace/Kind/name`, the namespace empty where there is none. */
export function idOf({ kind, metadata }: KubernetesObject): string {
    return `${metadata.namespace ?? ""}/${kind}/${metadata.name}`;
}

export function toYaml(objects: readonly KubernetesObject[]): string {
    return objects
        .map((object) => `---\n${stringify(object, { sortMapEntries: true, lineWidth: 0 })}`)
        .join("");
}

function objectOf({ inputs, secrets }: Registered): KubernetesObject {
    const object = structuredClone(inputs) as unknown as KubernetesObject;
    for (const secret of secrets) redact(object, secret.split("."));
    return object;
}

/** What is secret, and below it what its keys are. */
function redact(inside: unknown, [key = "", ...rest]: string[]): void {
    const parent = inside as Record<string, unknown>;
    if (rest.length > 0) return redact(parent[key], rest);
    const value = parent[key];
    parent[key] =
        typeof value === "object" && value !== null
            ? Object.fromEntries(Object.keys(value).map((name) => [name, REDACTED]))
            : REDACTED;
}
