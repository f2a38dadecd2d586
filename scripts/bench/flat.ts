import type { Deployment } from "@pulumi/pulumi/automation";

/** The part of a resource in an exported state that matters here. */
interface Resource {
    urn: string;
    type: string;
    custom: boolean;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
    parent?: string;
    dependencies?: string[];
    ignoreChanges?: string[];
    [field: string]: unknown;
}

/** What marks a secret in a state, and its value in clear in one that was exported with secrets. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const STACK = "pulumi:pulumi:Stack";
/** The stack's own last outputs: only the components need them. */
const REFERENCE = "pulumi:pulumi:StackReference";

export interface Flat {
    /** A TypeScript program that declares each resource with literal arguments. */
    program: string;
    /** The state in which this program has nothing to change. */
    state: Deployment;
}

/**
 * Rewrites what a program with components made as if it had been written by hand in one file: the
 * same resources with the same inputs and the same order among them, without any component, and the
 * state that such a program would have left.
 *
 * @param exported the stack's state with its secrets in clear
 */
export function flatten(exported: Deployment): Flat {
    const { deployment } = exported as unknown as { deployment: { resources?: Resource[] } };
    const all = deployment.resources ?? [];
    const stack = all.find(({ type }) => type === STACK);
    if (stack === undefined) throw new RangeError("the state has no stack");
    const made = all.filter(
        ({ custom, type }) => custom && type !== REFERENCE && !isProvider(type),
    );
    const renamed = new Map(made.map(({ urn }) => [urn, rootUrn(urn)]));
    if (new Set(renamed.values()).size < made.length) {
        throw new RangeError(
            "two resources have the same type and name, which only components allow",
        );
    }
    const moved = made.map((resource) => ({
        ...resource,
        urn: renamed.get(resource.urn) as string,
        parent: stack.urn,
        dependencies: orderOf(resource, all).flatMap((urn) => renamed.get(urn) ?? []),
        propertyDependencies: undefined,
        resourceHooks: undefined,
    }));
    const resources = [
        { ...stack, outputs: {} },
        ...all.filter(({ type }) => isProvider(type)),
        ...moved,
    ];
    const state = { ...exported, deployment: { ...deployment, resources } };
    return { program: programOf(moved), state: state };
}

function isProvider(type: string): boolean {
    return type.startsWith("pulumi:providers:");
}

/** `urn:…::a:B:C$d:E:F::name` without what it is a child of. */
function rootUrn(urn: string): string {
    const [stack, project, types, ...name] = urn.split("::");
    return [stack, project, types?.split("$").at(-1), ...name].join("::");
}

/**
 * What a resource comes after: its own dependencies and those of the components around it, which hold
 * it back just as well. A component among them stands for all that it consists of.
 */
function orderOf(resource: Resource, all: readonly Resource[]): string[] {
    const byUrn = new Map(all.map((one) => [one.urn, one]));
    const around = [resource, ...ancestorsOf(resource, byUrn)];
    const after = around
        .flatMap(({ dependencies = [] }) => dependencies)
        .filter((urn) => !around.some((one) => one.urn === urn))
        .flatMap((urn) =>
            all.filter((one) => one.urn === urn || isInside(one, urn, byUrn)).map((one) => one.urn),
        );
    return [...new Set(after)].filter((urn) => urn !== resource.urn);
}

function ancestorsOf({ parent }: Resource, byUrn: ReadonlyMap<string, Resource>): Resource[] {
    const above = parent === undefined ? undefined : byUrn.get(parent);
    return above === undefined ? [] : [above, ...ancestorsOf(above, byUrn)];
}

function isInside(one: Resource, urn: string, byUrn: ReadonlyMap<string, Resource>): boolean {
    return ancestorsOf(one, byUrn).some((above) => above.urn === urn);
}

function programOf(resources: readonly Resource[]): string {
    const variables = new Map(resources.map(({ urn }, index) => [urn, `resource${index}`]));
    const classes = [...new Set(resources.map(({ type }) => type))].map((type, index) => ({
        type,
        name: `Class${index}`,
    }));
    const imports = classes.map(
        ({ type, name }) => `import { ${classOf(type)} as ${name} } from "${moduleOf(type)}";`,
    );
    const body = resources.map((resource) => {
        const { urn, type, inputs = {}, dependencies = [], ignoreChanges } = resource;
        const name = JSON.stringify(urn.split("::").slice(3).join("::"));
        const dependsOn = dependencies.map((other) => variables.get(other)).join(", ");
        const ignored = ignoreChanges ? `, ignoreChanges: ${JSON.stringify(ignoreChanges)}` : "";
        const construct = classes.find((one) => one.type === type)?.name ?? "";
        return (
            `const ${variables.get(urn) ?? ""} = new ${construct}(${name}, ${literal(inputs)}, ` +
            `{ dependsOn: [${dependsOn}]${ignored} });`
        );
    });
    return ['import * as pulumi from "@pulumi/pulumi";', ...imports, ...body, ""].join("\n");
}

/** The last part of a type token: its class. */
function classOf(type: string): string {
    return type.split(":").at(-1) ?? "";
}

/** `kubernetes:apps/v1:Deployment` → `@pulumi/kubernetes/apps/v1/deployment`, as the components do. */
function moduleOf(type: string): string {
    const [pkg, group = ""] = type.split(":");
    const file = classOf(type).replace(/^./, (first) => first.toLowerCase());
    // Bridged providers have the file's name in the token: `random:index/randomPassword:…`.
    const folder = group.startsWith("index") ? "" : `${group.replace(/\.[^/]*/, "")}/`;
    return `@pulumi/${pkg}/${folder}${file}`;
}

/** A value of the state as an expression; what the provider itself added (`__defaults`) is left out. */
function literal(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const map = value as Record<string, unknown>;
    if (map[SIGNATURE] === SECRET) return `pulumi.secret(${String(map.plaintext)})`;
    const fields = Object.entries(map)
        .filter(([key]) => !key.startsWith("__"))
        .map(([key, field]) => `${JSON.stringify(key)}: ${literal(field)}`);
    return `{ ${fields.join(", ")} }`;
}
