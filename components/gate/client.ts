import * as http from "node:http";
import * as https from "node:https";
import { resolveConnection, type Connection } from "./kubeconfig";
import {
    ClusterError,
    NoClusterError,
    type ClusterReader,
    type Deployment,
    type EndpointSlice,
    type KubernetesEvent,
    type Pod,
    type ReplicaSet,
} from "./reader";
import { REQUEST_TIMEOUT_SECONDS, type GateSpec } from "./spec";

/** A reader that can also look at objects of kinds that the gate itself does not know. */
export interface ObjectReader extends ClusterReader {
    /** The object at an API path such as `/apis/<group>/<version>/…`; undefined when there is none. */
    getObject<T>(path: string): Promise<T | undefined>;
}

/**
 * Opens a reader of the cluster that the spec names. Kubeconfigs with certificates or tokens need no
 * Kubernetes client: loading one takes longer than everything else a warm switch does. Only
 * credentials from plugins and providers, which have protocols of their own, are left to it.
 */
export async function connect(
    spec: Pick<GateSpec, "context" | "kubeconfig">,
): Promise<ObjectReader> {
    const connection = resolveConnection(spec);
    return new HttpReader(connection, await requestOptions(connection));
}

type RequestOptions = Pick<https.RequestOptions, "agent" | "headers" | "auth">;

async function requestOptions(connection: Connection): Promise<RequestOptions> {
    if (connection.plugin) return pluginOptions(connection.plugin);
    const secure = connection.server.protocol === "https:";
    const shared = { keepAlive: true, maxSockets: 4, proxyEnv: proxyEnvironment(connection) };
    const agent = secure
        ? new https.Agent({
              ...shared,
              ca: connection.ca,
              cert: connection.cert,
              key: connection.key,
              rejectUnauthorized: !connection.insecure,
              ...(connection.serverName !== undefined && { servername: connection.serverName }),
          })
        : new http.Agent(shared);
    return { agent, headers: connection.headers };
}

function proxyEnvironment({ proxyUrl }: Connection): NodeJS.ProcessEnv {
    return proxyUrl === undefined ? process.env : { HTTPS_PROXY: proxyUrl, HTTP_PROXY: proxyUrl };
}

async function pluginOptions(plugin: {
    context: string;
    files: string[];
    content?: string;
}): Promise<RequestOptions> {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    if (plugin.content !== undefined) config.loadFromString(plugin.content);
    else config.loadFromFile(plugin.files[0] ?? "");
    for (const file of plugin.files.slice(1)) {
        const next = new KubeConfig();
        next.loadFromFile(file);
        config.mergeConfig(next, true);
    }
    config.setCurrentContext(plugin.context);
    const options: https.RequestOptions = { headers: {} };
    try {
        await config.applyToHTTPSOptions(options);
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new NoClusterError(`the credentials of context ${plugin.context}: ${message}`);
    }
    return { agent: options.agent, headers: options.headers, auth: options.auth };
}

type Query = Record<string, string | number | boolean>;

/** Reads over plain HTTP GETs, the API's own JSON. */
class HttpReader implements ObjectReader {
    /** The API server's clock minus ours, in ms. */
    private skew = 0;

    constructor(
        private readonly connection: Connection,
        private readonly options: RequestOptions,
    ) {}

    getDeployment(namespace: string, name: string): Promise<Deployment | undefined> {
        const path = `/apis/apps/v1/namespaces/${encode(namespace)}/deployments/${encode(name)}`;
        return this.getObject<Deployment>(path);
    }

    getObject<T>(path: string): Promise<T | undefined> {
        return this.json<T>(path).catch((error: unknown) => {
            if (error instanceof ClusterError && error.status === 404) return undefined;
            throw error;
        });
    }

    listReplicaSets(namespace: string, selector: Record<string, string>): Promise<ReplicaSet[]> {
        const path = `/apis/apps/v1/namespaces/${encode(namespace)}/replicasets`;
        return this.list<ReplicaSet>(path, { labelSelector: labels(selector) });
    }

    listPods(namespace: string, selector: Record<string, string>): Promise<Pod[]> {
        const path = `/api/v1/namespaces/${encode(namespace)}/pods`;
        return this.list<Pod>(path, { labelSelector: labels(selector) });
    }

    listEndpointSlices(namespace: string, service: string): Promise<EndpointSlice[]> {
        const path = `/apis/discovery.k8s.io/v1/namespaces/${encode(namespace)}/endpointslices`;
        return this.list<EndpointSlice>(path, {
            labelSelector: labels({ "kubernetes.io/service-name": service }),
        });
    }

    listEvents(namespace: string, kind: string, name: string): Promise<KubernetesEvent[]> {
        const path = `/api/v1/namespaces/${encode(namespace)}/events`;
        const fieldSelector = `involvedObject.kind=${kind},involvedObject.name=${name}`;
        return this.list<KubernetesEvent>(path, { fieldSelector });
    }

    podLogs(
        namespace: string,
        pod: string,
        options: { container: string; lines: number; previous: boolean },
    ): Promise<string> {
        const path = `/api/v1/namespaces/${encode(namespace)}/pods/${encode(pod)}/log`;
        const { container, lines, previous } = options;
        return this.get(path, { container, tailLines: lines, previous });
    }

    now(): number {
        return Date.now() + this.skew;
    }

    close(): void {
        const { agent } = this.options;
        if (typeof agent === "object") agent.destroy();
    }

    private async list<T>(path: string, query: Query): Promise<T[]> {
        return (await this.json<{ items: T[] }>(path, query)).items;
    }

    private async json<T>(path: string, query: Query = {}): Promise<T> {
        return JSON.parse(await this.get(path, query)) as T;
    }

    private get(path: string, query: Query): Promise<string> {
        const url = new URL(this.connection.server);
        url.pathname = url.pathname.replace(/\/$/, "") + path;
        for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
        const transport = url.protocol === "https:" ? https : http;
        const signal = AbortSignal.timeout(REQUEST_TIMEOUT_SECONDS * 1000);
        return new Promise((resolve, reject) => {
            const fail = (error: Error) => {
                const why = signal.aborted
                    ? `no answer within ${REQUEST_TIMEOUT_SECONDS} s`
                    : error.message;
                reject(
                    new ClusterError(
                        `the API server ${url.host} does not answer: ${why}`,
                        undefined,
                    ),
                );
            };
            transport
                .get(url, { ...this.options, signal }, (response) => {
                    let body = "";
                    response.setEncoding("utf8");
                    response.on("data", (chunk: string) => (body += chunk));
                    response.on("error", fail);
                    response.on("end", () => {
                        this.setClock(response.headers.date);
                        const status = response.statusCode ?? 0;
                        if (status === 200) resolve(body);
                        else reject(new ClusterError(refusal(path, status, body), status));
                    });
                })
                .on("error", fail);
        });
    }

    private setClock(date: string | undefined): void {
        const at = Date.parse(date ?? "");
        if (!Number.isNaN(at)) this.skew = at - Date.now();
    }
}

/** The API explains refusals in a Status object; proxies in front of it may not. */
function refusal(path: string, status: number, body: string): string {
    let message;
    try {
        message = (JSON.parse(body) as { message?: string }).message;
    } catch {
        message = undefined;
    }
    return `the API server refused to read ${path}: ${message ?? `HTTP status ${status}`}`;
}

function labels(selector: Record<string, string>): string {
    return Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}

function encode(segment: string): string {
    return encodeURIComponent(segment);
}
