import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import type { Json } from "../types";
import { isMap, maps, pluck, text } from "./objects";

/** Where the API server is and how to authenticate to it. */
export interface ClusterAccess {
    context: string;
    server: string;
    /** The namespace of objects that name none. */
    namespace: string;
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    token?: string;
    basicAuth?: string;
    insecureSkipTlsVerify: boolean;
    tlsServerName?: string;
}

export interface KubeconfigOptions {
    /** A path or the file's contents; default: `$KUBECONFIG`, else `~/.kube/config`. */
    kubeconfig?: string;
    context?: string;
    cluster?: string;
    namespace?: string;
}

interface Entry {
    name: string;
    value: Json;
    /** Relative paths in a kubeconfig are relative to its file. */
    folder: string;
}

interface Kubeconfig {
    currentContext: string;
    clusters: Entry[];
    users: Entry[];
    contexts: Entry[];
    /** For messages: the files that were looked at. */
    origin: string;
}

/** Resolves the cluster as client-go does; every failure names what was looked for and where. */
export function loadCluster(
    options: KubeconfigOptions,
    env: NodeJS.ProcessEnv = process.env,
): ClusterAccess {
    const config = readKubeconfig(options.kubeconfig, env);
    const contextName = options.context ?? config.currentContext;
    if (contextName === "") {
        throw new Error(`no context is named and ${config.origin} has no current-context`);
    }
    const context = find(config.contexts, contextName);
    if (context === undefined) {
        const known = config.contexts.map((entry) => entry.name).join(", ");
        throw new Error(
            `context "${contextName}" does not exist in ${config.origin} (it has: ${known === "" ? "none" : known})`,
        );
    }
    const clusterName = options.cluster ?? text(context.value, "cluster");
    const cluster = find(config.clusters, clusterName);
    if (cluster === undefined) {
        throw new Error(`cluster "${clusterName}" does not exist in ${config.origin}`);
    }
    const server = text(cluster.value, "server");
    if (!/^https?:\/\//.test(server)) {
        throw new Error(`cluster "${clusterName}" of ${config.origin} has no server URL`);
    }
    refuse(cluster, ["proxy-url"], `cluster "${clusterName}"`);

    const contextNamespace = text(context.value, "namespace");
    const access: ClusterAccess = {
        context: contextName,
        server: server.replace(/\/+$/, ""),
        namespace: options.namespace ?? (contextNamespace === "" ? "default" : contextNamespace),
        insecureSkipTlsVerify: pluck(cluster.value, "insecure-skip-tls-verify") === true,
        ca: material(cluster, "certificate-authority"),
        tlsServerName: optional(text(cluster.value, "tls-server-name")),
    };
    const userName = text(context.value, "user");
    if (userName === "") return access;
    const user = find(config.users, userName);
    if (user === undefined) {
        throw new Error(`user "${userName}" does not exist in ${config.origin}`);
    }
    return { ...access, ...credentials(user) };
}

/**
 * The cluster entry that explicitly given configuration points at; undefined if it cannot be told.
 * A change of it is all that is known of "another cluster".
 */
export function activeCluster(options: KubeconfigOptions): Json | undefined {
    if (options.kubeconfig === undefined || options.kubeconfig === "") return undefined;
    const config = readKubeconfig(options.kubeconfig, {});
    const context = find(config.contexts, options.context ?? config.currentContext);
    return find(config.clusters, options.cluster ?? text(context?.value, "cluster"))?.value;
}

function credentials(user: Entry): Partial<ClusterAccess> {
    refuse(user, ["exec", "auth-provider", "as"], `user "${user.name}"`);
    const tokenFile = text(user.value, "tokenFile");
    const username = text(user.value, "username");
    return {
        cert: material(user, "client-certificate"),
        key: material(user, "client-key"),
        token:
            tokenFile === ""
                ? optional(text(user.value, "token"))
                : readFileSync(resolve(user.folder, tokenFile), "utf8").trim(),
        basicAuth: username === "" ? undefined : `${username}:${text(user.value, "password")}`,
    };
}

/** Names what cannot be done instead of failing later with a 401. */
function refuse(entry: Entry, keys: string[], what: string): void {
    const found = keys.find((key) => pluck(entry.value, key) !== undefined);
    if (found === undefined) return;
    throw new Error(
        `${what} of the kubeconfig uses ${found}, which is not supported by the stand-in engine; ` +
            `use a client certificate or a token, or install the Pulumi CLI`,
    );
}

/** PEM from `<key>-data` (base64) or from the file that `<key>` names. */
function material(entry: Entry, key: string): Buffer | undefined {
    const data = text(entry.value, `${key}-data`);
    if (data !== "") return Buffer.from(data, "base64");
    const file = text(entry.value, key);
    return file === "" ? undefined : readFileSync(resolve(entry.folder, file));
}

function readKubeconfig(given: string | undefined, env: NodeJS.ProcessEnv): Kubeconfig {
    if (given !== undefined && given !== "") {
        const path = given.startsWith("~/") ? join(homedir(), given.slice(2)) : given;
        if (isFile(path)) return parse(readFileSync(path, "utf8"), dirname(resolve(path)), path);
        if (!/[\n{]/.test(given)) throw new Error(`the kubeconfig file ${path} does not exist`);
        return parse(given, process.cwd(), "the given kubeconfig");
    }
    const paths = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
    if (paths.length === 0) paths.push(join(homedir(), ".kube", "config"));
    const found = paths.filter(isFile);
    if (found.length === 0) {
        throw new Error(
            `no kubeconfig found (looked at ${paths.join(", ")}); set KUBECONFIG or the config key kubernetes:kubeconfig`,
        );
    }
    const files = found.map((path) =>
        parse(readFileSync(path, "utf8"), dirname(resolve(path)), path),
    );
    return {
        currentContext: files.find((file) => file.currentContext !== "")?.currentContext ?? "",
        clusters: files.flatMap((file) => file.clusters),
        users: files.flatMap((file) => file.users),
        contexts: files.flatMap((file) => file.contexts),
        origin: found.join(", "),
    };
}

function parse(contents: string, folder: string, origin: string): Kubeconfig {
    let document: Json;
    try {
        document = parseYaml(contents) as Json;
    } catch (error) {
        throw new Error(`${origin} is not a kubeconfig: ${(error as Error).message}`);
    }
    if (!isMap(document)) throw new Error(`${origin} is not a kubeconfig: expected a mapping`);
    const entries = (list: string, key: string): Entry[] =>
        maps(document, list).map((entry) => ({
            name: text(entry, "name"),
            value: entry[key] ?? {},
            folder,
        }));
    return {
        currentContext: text(document, "current-context"),
        clusters: entries("clusters", "cluster"),
        users: entries("users", "user"),
        contexts: entries("contexts", "context"),
        origin,
    };
}

const find = (entries: Entry[], name: string): Entry | undefined =>
    entries.find((entry) => entry.name === name);

const optional = (value: string): string | undefined => (value === "" ? undefined : value);

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
