import * as fs from "node:fs";
import * as https from "node:https";
import { parse } from "yaml";

/** A Kubernetes object as far as this folder reads it. */
export interface KubeObject {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace?: string };
    [field: string]: unknown;
}

export interface Answer {
    status: number;
    body: string;
}

/** No answer after this long counts as none; the API server is on this machine. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * The few requests that bringing up a cluster takes. A client library would cost more start-up time
 * than a whole no-op `up` may take.
 */
export class KubeClient {
    private constructor(
        private readonly server: URL,
        private readonly agent: https.Agent,
    ) {}

    /** Reads the one cluster and user of a kubeconfig that the sandbox wrote. */
    static fromKubeconfig(file: string): KubeClient {
        const config = parse(fs.readFileSync(file, "utf8")) as {
            clusters: { cluster: Record<string, string> }[];
            users: { user: Record<string, string> }[];
        };
        const cluster = config.clusters[0]?.cluster ?? {};
        const user = config.users[0]?.user ?? {};
        const agent = new https.Agent({
            keepAlive: true,
            ca: decode(cluster["certificate-authority-data"]),
            cert: decode(user["client-certificate-data"]),
            key: decode(user["client-key-data"]),
        });
        return new KubeClient(new URL(cluster.server ?? ""), agent);
    }

    request(
        method: string,
        path: string,
        body?: { type: string; content: string },
    ): Promise<Answer> {
        return new Promise((resolve, reject) => {
            const headers = body && { "content-type": body.type };
            const request = https.request(
                new URL(path, this.server),
                { method, agent: this.agent, timeout: REQUEST_TIMEOUT_MS, headers },
                (response) => {
                    const chunks: Buffer[] = [];
                    response.on("data", (chunk: Buffer) => chunks.push(chunk));
                    response.on("error", reject);
                    response.on("end", () =>
                        resolve({
                            status: response.statusCode ?? 0,
                            body: Buffer.concat(chunks).toString("utf8"),
                        }),
                    );
                },
            );
            request.on("timeout", () =>
                request.destroy(new Error(`no answer to ${method} ${path}`)),
            );
            request.on("error", reject);
            request.end(body?.content);
        });
    }

    /** The object at a path, or undefined when it or the server is not there (yet). */
    async tryGet<T = KubeObject>(path: string): Promise<T | undefined> {
        try {
            const answer = await this.request("GET", path);
            return answer.status === 200 ? (JSON.parse(answer.body) as T) : undefined;
        } catch {
            return undefined;
        }
    }

    /** Whether the API server says that it can serve. */
    async ready(): Promise<boolean> {
        try {
            return (await this.request("GET", "/readyz")).status === 200;
        } catch {
            return false;
        }
    }

    /** Server-side apply as `cutover-sandbox`, taking over fields that others own. */
    async apply(object: KubeObject): Promise<void> {
        const path = `${objectPath(object)}?fieldManager=cutover-sandbox&force=true`;
        const content = JSON.stringify(object);
        const answer = await this.request("PATCH", path, {
            type: "application/apply-patch+yaml",
            content,
        });
        if (answer.status >= 300) {
            throw new Error(
                `apply ${object.kind} ${object.metadata.name}: ${answer.status} ${answer.body}`,
            );
        }
    }

    close(): void {
        this.agent.destroy();
    }
}

/** Plurals that are not simply the kind with an s. */
const PLURALS: Record<string, string> = { StorageClass: "storageclasses" };

/** Where the API server keeps an object. */
export function objectPath({ apiVersion, kind, metadata }: KubeObject): string {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
    const plural = PLURALS[kind] ?? `${kind.toLowerCase()}s`;
    return `${root}${scope}/${plural}/${metadata.name}`;
}

function decode(base64: string | undefined): Buffer {
    return Buffer.from(base64 ?? "", "base64");
}
