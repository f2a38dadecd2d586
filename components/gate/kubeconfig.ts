import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { NoClusterError } from "./reader";

/** How to reach one cluster as one user. */
export interface Connection {
    server: URL;
    ca?: Buffer;
    cert?: Buffer;
    key?: Buffer;
    headers: Record<string, string>;
    insecure: boolean;
    serverName?: string;
    proxyUrl?: string;
    /** The context whose user needs a plugin or provider of credentials. */
    plugin?: { context: string; files: string[]; content?: string };
}

interface Cluster {
    server?: string;
    "certificate-authority"?: string;
    "certificate-authority-data"?: string;
    "insecure-skip-tls-verify"?: boolean;
    "tls-server-name"?: string;
    "proxy-url"?: string;
}

interface User {
    "client-certificate"?: string;
    "client-certificate-data"?: string;
    "client-key"?: string;
    "client-key-data"?: string;
    token?: string;
    tokenFile?: string;
    username?: string;
    password?: string;
    exec?: unknown;
    "auth-provider"?: unknown;
}

/** A kubeconfig, with the folder that its relative paths start from. */
interface Source {
    folder: string;
    file?: string;
    clusters: Map<string, Cluster>;
    users: Map<string, User>;
    contexts: Map<string, { cluster?: string; user?: string }>;
    currentContext?: string;
}

/**
 * Finds the connection that `context` names. The context must be named, because whose cluster a file
 * happens to point at changes behind a stack's back; a kubeconfig given as content is the exception.
 */
export function resolveConnection(
    options: { kubeconfig?: string; context?: string },
    environment: NodeJS.ProcessEnv = process.env,
): Connection {
    const inline = isInline(options.kubeconfig) ? options.kubeconfig : undefined;
    const files = inline === undefined ? kubeconfigFiles(options.kubeconfig, environment) : [];
    const sources =
        inline === undefined
            ? files.map(readSource).filter((source) => source !== undefined)
            : [parseSource(inline, process.cwd(), undefined)];
    if (sources.length === 0) {
        throw new NoClusterError(`there is no kubeconfig at ${files.join(", ")}`);
    }
    const name = options.context ?? (inline && sources[0]?.currentContext);
    if (name === undefined) {
        throw new NoClusterError("no context is named; set kubernetes:context in the stack config");
    }
    return connectionOf(sources, name, { files, ...(inline !== undefined && { content: inline }) });
}

function connectionOf(
    sources: Source[],
    name: string,
    origin: { files: string[]; content?: string },
): Connection {
    const context = find(sources, "contexts", name);
    if (context === undefined) {
        const known = sources.flatMap(({ contexts }) => [...contexts.keys()]).join(", ");
        throw new NoClusterError(
            `the kubeconfig has no context ${name}; it has ${known === "" ? "none" : known}`,
        );
    }
    const cluster = find(sources, "clusters", context.value.cluster);
    if (cluster?.value.server === undefined) {
        throw new NoClusterError(
            `context ${name} names the cluster ${context.value.cluster ?? "(none)"}, which has no server in the kubeconfig`,
        );
    }
    const user = find(sources, "users", context.value.user);
    const needsPlugin =
        user !== undefined && (user.value.exec !== undefined || "auth-provider" in user.value);
    return {
        server: new URL(cluster.value.server),
        ca: material(cluster, "certificate-authority"),
        insecure: cluster.value["insecure-skip-tls-verify"] === true,
        serverName: cluster.value["tls-server-name"],
        proxyUrl: cluster.value["proxy-url"],
        cert: user && material(user, "client-certificate"),
        key: user && material(user, "client-key"),
        headers: user ? authorization(user) : {},
        ...(needsPlugin && { plugin: { context: name, ...origin } }),
    };
}

function authorization({ value, folder }: Found<User>): Record<string, string> {
    const token =
        value.token ?? (value.tokenFile && readFile(resolve(folder, value.tokenFile)).toString());
    if (token !== undefined) return { authorization: `Bearer ${token.trim()}` };
    if (value.username === undefined) return {};
    const basic = Buffer.from(`${value.username}:${value.password ?? ""}`).toString("base64");
    return { authorization: `Basic ${basic}` };
}

type Material = "certificate-authority" | "client-certificate" | "client-key";

/** Certificates and keys are inline in base64 or in files beside the kubeconfig; inline wins. */
function material(
    { value, folder }: Found<Partial<Record<Material | `${Material}-data`, string>>>,
    key: Material,
): Buffer | undefined {
    const inline = value[`${key}-data`];
    if (inline !== undefined) return Buffer.from(inline, "base64");
    const file = value[key];
    return file === undefined ? undefined : readFile(resolve(folder, file));
}

function readFile(path: string): Buffer {
    try {
        return readFileSync(path);
    } catch (error) {
        throw new NoClusterError(
            `${path}, which the kubeconfig names, cannot be read: ${String(error)}`,
        );
    }
}

interface Found<T> {
    value: T;
    folder: string;
}

/** As in kubectl, the first file that has a name wins. */
function find<K extends "clusters" | "users" | "contexts">(
    sources: Source[],
    kind: K,
    name: string | undefined,
): Found<Source[K] extends Map<string, infer V> ? V : never> | undefined {
    for (const source of sources) {
        const value = name === undefined ? undefined : source[kind].get(name);
        if (value !== undefined) {
            return { value: value as never, folder: source.folder };
        }
    }
    return undefined;
}

function isInline(kubeconfig: string | undefined): boolean {
    return kubeconfig !== undefined && /[\n{]/.test(kubeconfig);
}

function kubeconfigFiles(path: string | undefined, environment: NodeJS.ProcessEnv): string[] {
    if (path !== undefined && path !== "") return [path.replace(/^~(?=\/)/, homedir())];
    const listed = environment.KUBECONFIG?.split(delimiter).filter((file) => file !== "") ?? [];
    return listed.length > 0 ? listed : [join(homedir(), ".kube", "config")];
}

function readSource(file: string): Source | undefined {
    let text;
    try {
        text = readFileSync(file, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new NoClusterError(`the kubeconfig ${file} cannot be read: ${String(error)}`);
    }
    return parseSource(text, dirname(resolve(file)), file);
}

function parseSource(text: string, folder: string, file: string | undefined): Source {
    const where = file ?? "of the stack config";
    let document;
    try {
        document = parse(text) as Record<string, unknown> | null;
    } catch (error) {
        throw new NoClusterError(`the kubeconfig ${where} is not YAML: ${String(error)}`);
    }
    if (document === null || typeof document !== "object") {
        throw new NoClusterError(`the kubeconfig ${where} is empty`);
    }
    const current = document["current-context"];
    return {
        folder,
        file,
        clusters: named<Cluster>(document.clusters, "cluster"),
        users: named<User>(document.users, "user"),
        contexts: named<{ cluster?: string; user?: string }>(document.contexts, "context"),
        currentContext: typeof current === "string" && current !== "" ? current : undefined,
    };
}

function named<T>(list: unknown, key: string): Map<string, T> {
    if (!Array.isArray(list)) return new Map();
    return new Map(
        list
            .filter((item) => typeof item?.name === "string")
            .map((item) => [item.name as string, (item[key] ?? {}) as T]),
    );
}
