import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubernetes } from "../../../sandbox/engine/providers/kubernetes/index";
import { loadCluster } from "../../../sandbox/engine/providers/kubernetes/kubeconfig";
import { contextOf } from "./support";

const config = (extra = "", user = "token: t1"): string => `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster: {server: "https://127.0.0.1:6443/", certificate-authority-data: ${btoa("CA")}${extra}}
- name: c2
  cluster: {server: "https://127.0.0.2:6443", certificate-authority: ca.pem}
users:
- name: u1
  user: {${user}}
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: shop}
- name: two
  context: {cluster: c2, user: u1}
`;

describe("kubeconfig", () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "kubeconfig-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    function file(name: string, contents: string): string {
        const path = join(folder, name);
        writeFileSync(path, contents);
        return path;
    }

    it("takes the current context from contents, a path, or KUBECONFIG", () => {
        const path = file("config", config());
        const expected = {
            context: "one",
            server: "https://127.0.0.1:6443",
            namespace: "shop",
            token: "t1",
        };
        for (const access of [
            loadCluster({ kubeconfig: config() }, {}),
            loadCluster({ kubeconfig: path }, {}),
            loadCluster({}, { KUBECONFIG: `/nowhere:${path}` }),
        ]) {
            const { context, server, namespace, token, ca } = access;
            assert.deepEqual({ context, server, namespace, token }, expected);
            assert.equal(String(ca), "CA");
        }
    });

    it("lets settings override context and namespace; files are relative to the kubeconfig", () => {
        file("ca.pem", "CA2");
        const kubeconfig = file("config", config());
        const access = loadCluster({ kubeconfig, context: "two", namespace: "other" }, {});
        assert.equal(access.server, "https://127.0.0.2:6443");
        assert.equal(access.namespace, "other");
        assert.equal(String(access.ca), "CA2");
        assert.equal(loadCluster({ kubeconfig, context: "two" }, {}).namespace, "default");
    });

    it("reads client certificates and token files", () => {
        file("token", "t2\n");
        const user = `tokenFile: token, client-certificate-data: ${btoa("CERT")}, client-key-data: ${btoa("KEY")}`;
        const access = loadCluster({ kubeconfig: file("config", config("", user)) }, {});
        assert.equal(access.token, "t2");
        assert.equal(String(access.cert), "CERT");
        assert.equal(String(access.key), "KEY");
    });

    it("says what it looked for", () => {
        const kubeconfig = file("config", config());
        const load =
            (options: Parameters<typeof loadCluster>[0], env = {}) =>
            () =>
                loadCluster(options, env);
        assert.throws(
            load({}, { KUBECONFIG: "/nowhere" }),
            /no kubeconfig found \(looked at \/nowhere\)/,
        );
        assert.throws(
            load({ kubeconfig: "/nowhere" }),
            /the kubeconfig file \/nowhere does not exist/,
        );
        assert.throws(
            load({ kubeconfig, context: "three" }),
            /context "three" does not exist .*\(it has: one, two\)/,
        );
        assert.throws(load({ kubeconfig, cluster: "c9" }), /cluster "c9" does not exist/);
        assert.throws(load({ kubeconfig: file("bad", "a: [") }), /is not a kubeconfig/);
    });

    it("refuses what it cannot do by name", () => {
        const exec = config("", "exec: {command: aws}");
        assert.throws(
            () => loadCluster({ kubeconfig: exec }, {}),
            /user "u1" of the kubeconfig uses exec/,
        );
        const proxy = config(', proxy-url: "http://proxy"');
        assert.throws(() => loadCluster({ kubeconfig: proxy }, {}), /uses proxy-url/);
    });

    it("makes a provider new when its cluster changes, not when its credentials do", async () => {
        const replaces = (from: object, to: object): boolean | Promise<boolean> | undefined =>
            kubernetes.replaces?.(from as never, to as never);
        const kubeconfig = config();
        assert.equal(replaces({ kubeconfig }, { kubeconfig, context: "two" }), true);
        assert.equal(replaces({ kubeconfig }, { kubeconfig: config("", "token: t9") }), false);
        assert.equal(replaces({ context: "one" }, { context: "two" }), false);
        assert.equal(
            replaces(
                { kubeconfig, clusterIdentifier: "a" },
                { kubeconfig, context: "two", clusterIdentifier: "a" },
            ),
            false,
        );
    });

    it("fails at the first change, not before", async () => {
        const provider = await kubernetes.configure({ kubeconfig: config(), context: "three" });
        const context = contextOf("kubernetes:core/v1:ConfigMap");
        const inputs = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "a", namespace: "b" },
        };
        await provider.check(context, { newInputs: inputs, randomSeed: Buffer.alloc(32) });
        await assert.rejects(
            provider.create(context, { inputs, preview: false }),
            /configured Kubernetes cluster is unreachable: context "three" does not exist/,
        );
        const preview = await provider.create(context, { inputs, preview: true });
        assert.deepEqual(preview, { id: "", outputs: inputs });
        assert.equal(context.messages[0]?.severity, "warning");
    });

    it("says that the API server does not answer", async () => {
        const closed = config().replace("127.0.0.1:6443/", "127.0.0.1:1");
        const provider = await kubernetes.configure({ kubeconfig: closed });
        const context = contextOf("kubernetes:core/v1:ConfigMap");
        const inputs = {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "a", namespace: "b" },
        };
        await assert.rejects(
            provider.create(context, { inputs, preview: false }),
            /cluster is unreachable: unable to reach the API server: GET "https:\/\/127.0.0.1:1\/version": connect ECONNREFUSED/,
        );
    });
});
