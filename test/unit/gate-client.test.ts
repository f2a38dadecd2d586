import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type ObjectReader } from "../../components/gate/client";
import { resolveConnection } from "../../components/gate/kubeconfig";
import { ClusterError, NoClusterError } from "../../components/gate/reader";

interface Entry {
    server?: string;
    user?: Record<string, unknown>;
    cluster?: Record<string, unknown>;
}

/** A kubeconfig, in YAML's JSON subset, with one context per entry. */
function kubeconfig(entries: Record<string, Entry>, current?: string): string {
    const names = Object.keys(entries);
    return JSON.stringify({
        "current-context": current,
        contexts: names.map((name) => ({
            name,
            context: { cluster: `${name}-cluster`, user: `${name}-user` },
        })),
        clusters: Object.entries(entries).map(([name, entry]) => ({
            name: `${name}-cluster`,
            cluster: { server: entry.server ?? `https://${name}:6443`, ...entry.cluster },
        })),
        users: Object.entries(entries).map(([name, entry]) => ({
            name: `${name}-user`,
            user: entry.user ?? { token: `${name}-token` },
        })),
    });
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("gate: the cluster that a kubeconfig names", () => {
    let folder: string;
    const write = (name: string, text: string) => {
        const path = join(folder, name);
        writeFileSync(path, text);
        return path;
    };

    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "cutover-gate-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it("is that of the named context, not of the current one", () => {
        const path = write("config", kubeconfig({ prod: {}, dev: {} }, "prod"));
        const connection = resolveConnection({ kubeconfig: path, context: "dev" });
        assert.equal(connection.server.href, "https://dev:6443/");
        assert.deepEqual(connection.headers, { authorization: "Bearer dev-token" });
    });

    it("is none without a named context, even when a file has a current one", () => {
        const path = write("config", kubeconfig({ prod: {} }, "prod"));
        assert.throws(
            () => resolveConnection({ kubeconfig: path }),
            new NoClusterError("no context is named; set kubernetes:context in the stack config"),
        );
    });

    it("is the current one of a kubeconfig that is given as content", () => {
        const content = kubeconfig({ prod: {}, dev: {} }, "dev");
        assert.equal(resolveConnection({ kubeconfig: content }).server.hostname, "dev");
        assert.equal(
            resolveConnection({ kubeconfig: content, context: "prod" }).server.hostname,
            "prod",
        );
    });

    it("comes from all files of KUBECONFIG, the first that has a name wins", () => {
        const first = write("first", kubeconfig({ dev: { server: "https://first" } }));
        const second = write(
            "second",
            kubeconfig({ dev: { server: "https://second" }, prod: { server: "https://prod" } }),
        );
        const environment = { KUBECONFIG: `${first}::${folder}/missing:${second}` };
        const server = (context: string) => resolveConnection({ context }, environment).server.host;
        assert.equal(server("dev"), "first");
        assert.equal(server("prod"), "prod");
    });

    it("takes certificates inline or from files beside the kubeconfig", () => {
        mkdirSync(join(folder, "pki"));
        write("pki/client.crt", "client certificate");
        const path = write(
            "config",
            kubeconfig({
                dev: {
                    cluster: {
                        "certificate-authority-data": base64("authority"),
                        "tls-server-name": "api.internal",
                    },
                    user: {
                        "client-certificate": "pki/client.crt",
                        "client-key-data": base64("key"),
                        "client-key": "pki/ignored",
                    },
                },
            }),
        );
        const connection = resolveConnection({ kubeconfig: path, context: "dev" });
        assert.equal(connection.ca?.toString(), "authority");
        assert.equal(connection.cert?.toString(), "client certificate");
        assert.equal(connection.key?.toString(), "key");
        assert.equal(connection.serverName, "api.internal");
        assert.equal(connection.insecure, false);
    });

    it("takes tokens from files, and names and passwords", () => {
        write("token", "from-file\n");
        const path = write(
            "config",
            kubeconfig({
                file: { user: { tokenFile: "token" } },
                basic: { user: { username: "me", password: "secret" } },
                open: { user: {} },
            }),
        );
        const headers = (context: string) =>
            resolveConnection({ kubeconfig: path, context }).headers;
        assert.deepEqual(headers("file"), { authorization: "Bearer from-file" });
        assert.deepEqual(headers("basic"), { authorization: `Basic ${base64("me:secret")}` });
        assert.deepEqual(headers("open"), {});
    });

    const refused: { name: string; text?: string; context?: string; message: RegExp }[] = [
        { name: "no file", message: /^there is no kubeconfig at .*\/config$/ },
        {
            name: "an unknown context",
            text: kubeconfig({ prod: {}, stage: {} }),
            message: /^the kubeconfig has no context dev; it has prod, stage$/,
        },
        { name: "no context at all", text: "{}", message: /no context dev; it has none$/ },
        { name: "an empty file", text: "", message: /^the kubeconfig .*\/config is empty$/ },
        { name: "something else than YAML", text: "a: [b", message: /config is not YAML: / },
        {
            name: "a context without its cluster",
            text: JSON.stringify({ contexts: [{ name: "dev", context: { cluster: "gone" } }] }),
            message: /^context dev names the cluster gone, which has no server/,
        },
        {
            name: "a certificate that is not there",
            text: kubeconfig({ dev: { user: { "client-certificate": "gone.crt" } } }),
            message: /gone\.crt, which the kubeconfig names, cannot be read: .*ENOENT/,
        },
    ];
    for (const { name, text, message } of refused) {
        it(`is refused with its reason: ${name}`, () => {
            const path = join(folder, "config");
            if (text !== undefined) writeFileSync(path, text);
            assert.throws(
                () => resolveConnection({ kubeconfig: path, context: "dev" }),
                (error: unknown) => error instanceof NoClusterError && message.test(error.message),
            );
        });
    }
});

describe("gate: reading a cluster", () => {
    let server: Server;
    let reader: ObjectReader | undefined;
    let requests: { url: URL; authorization: string | undefined }[];
    let answer: (url: URL, response: ServerResponse) => void;

    beforeEach(async () => {
        requests = [];
        server = createServer((request: IncomingMessage, response) => {
            const url = new URL(request.url ?? "", "http://server");
            requests.push({ url, authorization: request.headers.authorization });
            answer(url, response);
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterEach(async () => {
        reader?.close();
        reader = undefined;
        await new Promise((resolve) => server.close(resolve));
    });

    async function open(user: Record<string, unknown> = { token: "t" }, path = "") {
        const { port } = server.address() as AddressInfo;
        // The Kubernetes client refuses plain HTTP unless TLS is not to be verified.
        const cluster = { "insecure-skip-tls-verify": true };
        const url = `http://127.0.0.1:${port}${path}`;
        const content = kubeconfig({ dev: { server: url, user, cluster } });
        reader = await connect({ kubeconfig: content, context: "dev" });
        return reader;
    }
    const json =
        (body: unknown, status = 200) =>
        (_url: URL, response: ServerResponse) =>
            response.writeHead(status).end(JSON.stringify(body));

    it("asks for what it needs, by selector", async () => {
        const cluster = await open({ token: "t" }, "/prefix/");
        answer = json({ items: [] });
        const selector = { app: "api", deployment: "green" };
        await cluster.listPods("stats", selector);
        await cluster.listReplicaSets("stats", selector);
        await cluster.listEndpointSlices("stats", "api-bg");
        await cluster.listEvents("stats", "Pod", "a");
        answer = (_url, response) => response.end("line");
        const options = { container: "api", lines: 8, previous: true };
        assert.equal(await cluster.podLogs("stats", "a", options), "line");
        const asked = requests.map(
            ({ url }) => `${url.pathname}?${decodeURIComponent(url.search.slice(1))}`,
        );
        assert.deepEqual(asked, [
            "/prefix/api/v1/namespaces/stats/pods?labelSelector=app=api,deployment=green",
            "/prefix/apis/apps/v1/namespaces/stats/replicasets?labelSelector=app=api,deployment=green",
            "/prefix/apis/discovery.k8s.io/v1/namespaces/stats/endpointslices?labelSelector=kubernetes.io/service-name=api-bg",
            "/prefix/api/v1/namespaces/stats/events?fieldSelector=involvedObject.kind=Pod,involvedObject.name=a",
            "/prefix/api/v1/namespaces/stats/pods/a/log?container=api&tailLines=8&previous=true",
        ]);
        assert.ok(requests.every(({ authorization }) => authorization === "Bearer t"));
    });

    it("tells a Deployment that is not there from one that cannot be read", async () => {
        const cluster = await open();
        answer = json({ metadata: { name: "api-green" }, spec: { replicas: 2 } });
        assert.equal((await cluster.getDeployment("stats", "api-green"))?.spec.replicas, 2);
        answer = json({ message: 'deployments.apps "api-green" not found' }, 404);
        assert.equal(await cluster.getDeployment("stats", "api-green"), undefined);
        answer = json({ message: "deployments.apps is forbidden" }, 403);
        await assert.rejects(
            cluster.getDeployment("stats", "api-green"),
            new ClusterError(
                "the API server refused to read /apis/apps/v1/namespaces/stats/deployments/api-green: deployments.apps is forbidden",
                403,
            ),
        );
    });

    it("gets an object of any kind by its path", async () => {
        const cluster = await open();
        const path = "/apis/example.com/v1/namespaces/stats/things/a";
        answer = json({ metadata: { name: "a", generation: 2 } });
        assert.deepEqual(await cluster.getObject(path), { metadata: { name: "a", generation: 2 } });
        assert.equal(requests.at(-1)?.url.pathname, path);
        answer = (_url, response) => response.writeHead(404).end("404 page not found\n");
        assert.equal(await cluster.getObject(path), undefined);
    });

    const statuses: [status: number, retriable: boolean][] = [
        [401, false],
        [403, false],
        [404, false],
        [429, true],
        [500, true],
        [503, true],
    ];
    for (const [status, retriable] of statuses) {
        it(`status ${status} is ${retriable ? "" : "not "}worth asking again`, async () => {
            const cluster = await open();
            answer = (_url, response) => response.writeHead(status).end("<html>");
            await assert.rejects(cluster.listPods("stats", {}), (error: unknown) => {
                assert.ok(error instanceof ClusterError);
                assert.equal(error.retriable, retriable);
                assert.match(error.message, new RegExp(`HTTP status ${status}$`));
                return true;
            });
        });
    }

    it("a connection that breaks, also in mid-answer, is worth asking again", async () => {
        const cluster = await open();
        answer = (_url, response) => {
            response.writeHead(200, { "content-length": "1000" });
            response.write("{");
            setTimeout(() => response.destroy(), 5);
        };
        const broken = (error: unknown) =>
            error instanceof ClusterError &&
            error.retriable &&
            /the API server 127\.0\.0\.1:\d+ does not answer: /.test(error.message);
        await assert.rejects(cluster.listPods("stats", {}), broken);
        answer = (_url, response) => response.destroy();
        await assert.rejects(cluster.listPods("stats", {}), broken);
    });

    it("takes the time from the server", async () => {
        const cluster = await open();
        const hourAhead = Date.now() + 3_600_000;
        answer = (_url, response) =>
            response
                .writeHead(200, { date: new Date(hourAhead).toUTCString() })
                .end(JSON.stringify({ items: [] }));
        await cluster.listPods("stats", {});
        assert.ok(Math.abs(cluster.now() - hourAhead) < 2000);
    });

    it("leaves credentials from a plugin to the Kubernetes client", async () => {
        const credential = {
            apiVersion: "client.authentication.k8s.io/v1",
            kind: "ExecCredential",
            status: { token: "from-plugin" },
        };
        const cluster = await open({
            exec: {
                apiVersion: "client.authentication.k8s.io/v1",
                command: process.execPath,
                args: ["-e", `console.log(${JSON.stringify(JSON.stringify(credential))})`],
                interactiveMode: "Never",
            },
        });
        answer = json({ items: [] });
        await cluster.listPods("stats", {});
        assert.equal(requests[0]?.authorization, "Bearer from-plugin");
    });

    it("says which context's plugin failed", async () => {
        const exec = { apiVersion: "client.authentication.k8s.io/v1", command: "/nowhere/plugin" };
        await assert.rejects(open({ exec }), (error: unknown) => {
            assert.ok(error instanceof NoClusterError);
            return /^the credentials of context dev: /.test(error.message);
        });
    });
});
