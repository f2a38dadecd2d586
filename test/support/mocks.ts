import * as pulumi from "@pulumi/pulumi";

/** The marker of a secret on Pulumi's wire, and its one value. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** One resource as the program registered it. */
export interface Registered {
    type: string;
    name: string;
    urn: string;
    /** URN of its parent; empty for the stack. */
    parent: string;
    /** Its inputs, with every secret unwrapped. */
    inputs: Record<string, any>;
    /** Paths of the inputs that are secret, such as `stringData`. */
    secrets: string[];
    /** Names of the resources it waits for, by `<type>::<name>`. */
    dependsOn: string[];
    ignoreChanges: string[];
    /** Deadlines of create and update. */
    timeouts: { create: string; update: string };
    custom: boolean;
}

/** What a program did. */
export interface Recording {
    resources: Registered[];
    /** What the program returned, with every output resolved and every secret unwrapped. */
    outputs: any;
    /** The one resource of a type, by its name if there are several; throws when there is none. */
    one(type: string, name?: string): Registered;
    /** All of a type, in the order of their registration. */
    all(type: string): Registered[];
}

export interface RecordOptions {
    /** The stack config. */
    config?: Record<string, string>;
    /** The outputs that a reference to the stack itself finds; none is a first `up`. */
    lastOutputs?: Record<string, unknown>;
    preview?: boolean;
    /** Registering the resource of this name fails, as when it does not get ready. */
    fails?: string;
}

/** Runs a program against Pulumi's mocks and writes down every resource that it registers. */
export async function record(
    program: () => unknown,
    options: RecordOptions = {},
): Promise<Recording> {
    const resources: Registered[] = [];
    await pulumi.runtime.setMocks(
        { newResource: (args) => created(args, options), call: ({ inputs }) => inputs },
        "cutover",
        "test",
        options.preview ?? false,
        "organization",
    );
    pulumi.runtime.setAllConfig(options.config ?? {});
    spyOn(pulumi.runtime.getMonitor(), resources);

    const outputs = await resolved(await program());
    await pulumi.runtime.disconnect();
    const all = (type: string) => resources.filter((resource) => resource.type === type);
    return {
        resources,
        outputs,
        all,
        one(type, name) {
            const found = all(type).filter(
                (resource) => name === undefined || resource.name === name,
            );
            const [only] = found;
            if (only !== undefined && found.length === 1) return only;
            const names = all(type).map((resource) => resource.name);
            throw new Error(
                `${found.length} of ${type} ${name ?? ""}; there are: ${names.join(", ")}`,
            );
        },
    };
}

/** The mocks are told neither parents nor dependencies nor options, so the request itself is read. */
function spyOn(monitor: any, resources: Registered[]): void {
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request: any, callback: (error: any, response: any) => void) => {
        const object = request.getObject().toJavaScript() as Record<string, unknown>;
        const timeouts = request.getCustomtimeouts();
        const registered: Registered = {
            type: request.getType(),
            name: request.getName(),
            urn: "",
            parent: request.getParent(),
            inputs: unwrap(object),
            secrets: secretPaths(object),
            dependsOn: request.getDependenciesList().map(shortName),
            ignoreChanges: request.getIgnorechangesList(),
            timeouts: { create: timeouts?.getCreate() ?? "", update: timeouts?.getUpdate() ?? "" },
            custom: request.getCustom(),
        };
        resources.push(registered);
        return register(request, (error: any, response: any) => {
            registered.urn = response?.getUrn() ?? "";
            callback(error, response);
        });
    };
}

/** What the cluster would answer: the inputs, completed by what is always there. */
function created(
    { type, name, inputs, id }: pulumi.runtime.MockResourceArgs,
    options: RecordOptions,
): { id: string; state: Record<string, unknown> } {
    if (name === options.fails) throw new Error(`${name} did not get ready`);
    if (type === "pulumi:pulumi:StackReference") {
        const outputs = options.lastOutputs ?? {};
        return { id: String(id), state: { ...inputs, outputs, secretOutputNames: [] } };
    }
    if (type === "random:index/randomPassword:RandomPassword") {
        return { id: "none", state: { ...inputs, result: `password of ${name}` } };
    }
    const { namespace = "", name: objectName = name } = inputs.metadata ?? {};
    return { id: namespace ? `${namespace}/${objectName}` : objectName, state: { ...inputs } };
}

/** `<type>::<name>` of a URN, without its parents' types. */
export function shortName(urn: string): string {
    const [, , , type = "", name = ""] =
        urn.split("::").length === 4 ? ["", ...urn.split("::")] : urn.split("::");
    return `${type.split("$").at(-1)}::${name}`;
}

/** The value without the wrappers of its secrets. */
export function unwrap(value: any): any {
    if (Array.isArray(value)) return value.map(unwrap);
    if (typeof value !== "object" || value === null) return value;
    if (value[SIGNATURE] === SECRET) return unwrap(value.value);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

function secretPaths(value: any, path: string[] = []): string[] {
    if (typeof value !== "object" || value === null) return [];
    if (value[SIGNATURE] === SECRET) return [path.join(".")];
    return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, [...path, key]));
}

function resolved(value: unknown): Promise<any> {
    return new Promise((resolve, reject) => {
        pulumi.unsecret(pulumi.output(value)).apply((inner) => resolve(inner));
        setTimeout(
            () => reject(new Error("an output of the program never resolved")),
            10_000,
        ).unref();
    });
}
