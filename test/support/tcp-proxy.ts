import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { parseDocument } from "yaml";

/** A TCP proxy in front of an API server, so that a test can take it away without hurting anybody. */
export interface TcpProxy {
    port: number;
    /** Ends all connections and refuses new ones. */
    cut(): void;
    restore(): void;
    close(): Promise<void>;
}

export async function startTcpProxy(target: URL): Promise<TcpProxy> {
    const open = new Set<Socket>();
    let isCut = false;
    const server = createServer((client) => {
        if (isCut) return void client.destroy();
        const upstream = connect(Number(target.port), target.hostname);
        for (const [from, to] of [
            [client, upstream],
            [upstream, client],
        ] as const) {
            open.add(from);
            from.on("error", () => to.destroy());
            from.on("close", () => {
                open.delete(from);
                to.destroy();
            });
            from.pipe(to);
        }
    });
    const cut = () => {
        isCut = true;
        for (const socket of open) socket.destroy();
    };
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
        port: (server.address() as AddressInfo).port,
        cut,
        restore: () => (isCut = false),
        close: async () => {
            cut();
            server.close();
            await once(server, "close");
        },
    };
}

/** The server that a context of a kubeconfig points at. */
export function serverOf(kubeconfig: string, context: string): URL {
    const [, server] = serverEntry(kubeconfig, context);
    return new URL(server);
}

/** Writes a copy of a kubeconfig to `copy` in which the context's server is `https://127.0.0.1:port`. */
export function redirectKubeconfig(
    kubeconfig: string,
    context: string,
    port: number,
    copy: string,
): void {
    const [index] = serverEntry(kubeconfig, context);
    const document = parseDocument(readFileSync(kubeconfig, "utf8"));
    document.setIn(["clusters", index, "cluster", "server"], `https://127.0.0.1:${port}`);
    // The certificate names the server, not the proxy.
    const { hostname } = serverOf(kubeconfig, context);
    document.setIn(["clusters", index, "cluster", "tls-server-name"], hostname);
    writeFileSync(copy, document.toString(), { mode: 0o600 });
}

interface KubeconfigFile {
    contexts: { name: string; context: { cluster: string } }[];
    clusters: { name: string; cluster: { server: string } }[];
}

function serverEntry(kubeconfig: string, context: string): [index: number, server: string] {
    const file = parseDocument(readFileSync(kubeconfig, "utf8")).toJS() as KubeconfigFile;
    const found = file.contexts.find(({ name }) => name === context);
    const index = file.clusters.findIndex(({ name }) => name === found?.context.cluster);
    const server = file.clusters[index]?.cluster.server;
    if (server === undefined) throw new Error(`no server of context ${context} in ${kubeconfig}`);
    return [index, server];
}
