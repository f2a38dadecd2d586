import * as pulumi from "@pulumi/pulumi";

/** The marker of a secret on Pulumi's wire, and its one value. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** How long the outputs of a program may take to resolve, in milliseconds. */
const OUTPUTS_DEADLINE_MS = 10_000;

/** One resource as the program registered it. */
export class Registered {
    constructor(
        readonly type: string,
        readonly name: string,
        /** The parent, as `<type>::<name>`; empty for the stack. */
        readonly parent: string,
        /** Its inputs, with every secret unwrapped. */
        readonly inputs: Record<string, unknown>,
        /** Paths of the inputs that are secret, such as `stringData`. */
        readonly secrets: string[],
        /** What it waits for, as `<type>::<name>`. */
        readonly dependsOn: string[],
        readonly ignoreChanges: string[],
        /** Deadlines of create and update. */
        readonly timeouts: { create: string; update: string },
        readonly retainOnDelete: boolean,
        /** Its provider, as `<type>::<name>`; empty for the default one. */
        readonly provider: string,
        /** The names that it had before, by its own aliases and those of its parents. */
        readonly formerNames: string[],
        /** The parents that it had before, as `<type>::<name>`. */
        readonly formerParents: string[],
        /** What each of its inputs came from, as `<type>::<name>`; only those that came from any. */
        readonly propertyDependencies: Record<string, string[]>,
    ) {}

    /** `<type>::<name>`, as `parent` and `dependsOn` have it. */
    get id(): string {
        return `${this.type}::${this.name}`;
    }

    /** One input by its path, such as `spec.template.spec.containers.0.env`. */
    input(path: string): unknown {
        return path
            .split(".")
            .reduce<unknown>(
                (value, key) =>
                    isRecord(value) || Array.isArray(value) ? Object(value)[key] : undefined,
                this.inputs,
            );
    }
}

/** What a program did. */
export interface Recording {
    /** In the order of their registration. */
    resources: Registered[];
    /** What the program returned, with every output resolved and every secret unwrapped. */
    outputs: Record<string, unknown>;
    /** What it logged for the user. */
    log: string[];
    /** The one resource of a type, by its name if there are several; throws when there is none. */
    one(type: string, name?: string): Registered;
    all(type: string): Registered[];
}

export interface RecordOptions {
    /** The stack config. */
    config?: Record<string, string>;
    /** The outputs that a reference to the stack itself finds; none is a first `up`. */
    lastOutputs?: Record<string, unknown>;
    /** What the cluster has instead of the inputs, by `<type>::<name>`: for what is read, or frozen. */
    live?: Record<string, Record<string, unknown>>;
    preview?: boolean;
}

/** Runs a program against Pulumi's mocks and writes down every resource that it registers. */
export async function record(
    program: () => Promise<Record<string, unknown>> | Record<string, unknown>,
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
    spyOn(pulumi.runtime.getMonitor() as unknown as Monitor, resources);
    const log: string[] = [];
    const restore = spyOnLog(log);
    try {
        const outputs = await resolved(await program());
        await pulumi.runtime.disconnect();
        return recording(resources, outputs, log);
    } finally {
        restore();
    }
}

function recording(
    resources: Registered[],
    outputs: Record<string, unknown>,
    log: string[],
): Recording {
    const all = (type: string) => resources.filter((resource) => resource.type === type);
    return {
        resources,
        outputs,
        log,
        all,
        one(type, name) {
            const found = all(type).filter(
                (resource) => name === undefined || resource.name === name,
            );
            const [only] = found;
            if (only !== undefined && found.length === 1) return only;
            const names = all(type).map((resource) => resource.name);
            throw new Error(
                `not one ${type} ${name ?? ""}, there are: ${names.join(", ") || "none"}`,
            );
        },
    };
}

/** The part of a request to register a resource that mocks are not told about. */
interface RegisterRequest {
    getType(): string;
    getName(): string;
    getParent(): string;
    getObject(): { toJavaScript(): Record<string, unknown> };
    getDependenciesList(): string[];
    getIgnorechangesList(): string[];
    getCustomtimeouts(): { getCreate(): string; getUpdate(): string } | undefined;
    getRetainondelete(): boolean;
    getProvider(): string;
    getAliasesList(): {
        getSpec(): { getName(): string; getParenturn(): string } | undefined;
    }[];
    getPropertydependenciesMap(): {
        forEach(look: (value: { getUrnsList(): string[] }, key: string) => void): void;
    };
}

interface Monitor {
    registerResource(request: RegisterRequest, callback: unknown): unknown;
}

/** Neither parents nor dependencies nor options reach the mocks, so the request itself is read. */
function spyOn(monitor: Monitor, resources: Registered[]): void {
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, callback) => {
        const object = request.getObject().toJavaScript();
        const timeouts = request.getCustomtimeouts();
        resources.push(
            new Registered(
                request.getType(),
                request.getName(),
                request.getParent() === "" ? "" : shortName(request.getParent()),
                unwrap(object) as Record<string, unknown>,
                secretPaths(object),
                request.getDependenciesList().map((urn) => shortName(urn)),
                request.getIgnorechangesList(),
                { create: timeouts?.getCreate() ?? "", update: timeouts?.getUpdate() ?? "" },
                request.getRetainondelete(),
                request.getProvider() === "" ? "" : shortName(request.getProvider(), -3),
                request.getAliasesList().map((alias) => alias.getSpec()?.getName() ?? ""),
                request
                    .getAliasesList()
                    .map((alias) => alias.getSpec()?.getParenturn() ?? "")
                    .filter((urn) => urn !== "")
                    .map((urn) => shortName(urn)),
                propertyDependencies(request),
            ),
        );
        return register(request, callback);
    };
}

function propertyDependencies(request: RegisterRequest): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    request.getPropertydependenciesMap().forEach((value, key) => {
        const urns = value.getUrnsList();
        if (urns.length > 0) found[key] = urns.map((urn) => shortName(urn));
    });
    return found;
}

/** Without an engine, what a program logs would end up on the terminal. */
function spyOnLog(log: string[]): () => void {
    const { info } = console;
    const { log: print } = console;
    console.info = console.log = (line: unknown) => void log.push(String(line));
    return () => {
        console.info = info;
        console.log = print;
    };
}

/** What the cluster would answer: the inputs, and what is needed of the rest. */
function created(
    { type, name, inputs, id }: pulumi.runtime.MockResourceArgs,
    options: RecordOptions,
): { id: string; state: Record<string, unknown> } {
    const state = { ...(inputs as Record<string, unknown>), ...options.live?.[`${type}::${name}`] };
    if (type === "pulumi:pulumi:StackReference") {
        const outputs = options.lastOutputs ?? {};
        return { id: String(id), state: { ...state, outputs, secretOutputNames: [] } };
    }
    if (type === "random:index/randomPassword:RandomPassword") {
        return { id: "none", state: { ...state, result: `password-of-${name}` } };
    }
    if (type === "kubernetes:core/v1:Service") {
        const status = { loadBalancer: { ingress: [{ ip: "203.0.113.7" }] } };
        return { id: name, state: { ...state, status } };
    }
    return { id: name, state };
}

/** `<type>::<name>` of a URN, without its parents' types; a provider's reference has its ID behind. */
function shortName(urn: string, typeAt = -2): string {
    const parts = urn.split("::");
    return `${parts.at(typeAt)?.split("$").at(-1)}::${parts.at(typeAt + 1)}`;
}

/** The value without the wrappers of its secrets. */
function unwrap(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unwrap);
    if (!isRecord(value)) return value;
    if (value[SIGNATURE] === SECRET) return unwrap(value.value);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

function secretPaths(value: unknown, path: string[] = []): string[] {
    if (!isRecord(value) && !Array.isArray(value)) return [];
    if (isRecord(value) && value[SIGNATURE] === SECRET) return [path.join(".")];
    return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, [...path, key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolved(value: Record<string, unknown>): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
        pulumi.unsecret(pulumi.output(value)).apply((outputs) => resolve(outputs));
        const late = () => reject(new Error("an output of the program did not resolve in time"));
        setTimeout(late, OUTPUTS_DEADLINE_MS).unref();
    });
}
