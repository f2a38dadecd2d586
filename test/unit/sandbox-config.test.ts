import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { renderAddons } from "../../sandbox/components/addons";
import * as controlPlane from "../../sandbox/components/control-plane";
import * as node from "../../sandbox/components/node";
import {
    API_PORTS,
    foreignEntry,
    namedApiPort,
    newInstance,
    readInstance,
    writeInstance,
} from "../../sandbox/instance";
import { objectPath } from "../../sandbox/kube-client";
import { deletionsOf, portsLedAway, rulesOf } from "../../sandbox/machine/network";
import { statusTable } from "../../scripts/commands/sandbox";

const STATE = "/state";
const instance = newInstance(STATE, 26443, {});

describe("a sandbox's record", () => {
    it("has the same names for the same folder, and others for another", () => {
        assert.deepEqual(newInstance(STATE, 26443, {}), instance);
        const other = newInstance("/other", 26444, {});
        for (const key of ["id", "link", "hostIp", "nodeIp", "chain", "cgroup"] as const) {
            assert.notEqual(other[key], instance[key], key);
        }
    });

    it("has names that the kernel takes: interfaces up to 15 bytes, chains up to 28", () => {
        assert.ok(instance.link.length <= 15);
        assert.ok(instance.chain.length <= 28);
    });

    it("has both ends of its link in one network of four addresses, for any folder", () => {
        for (let index = 0; index < 500; index++) {
            const { hostIp, nodeIp } = newInstance(`/state/${index}`, 1, {});
            const [host, peer] = [hostIp, nodeIp].map((ip) => ip.split(".").map(Number));
            assert.deepEqual(host!.slice(0, 3), peer!.slice(0, 3));
            assert.deepEqual([host![0], host![1]], [198, 18]);
            assert.equal(host![3]! % 4, 1);
            assert.equal(peer![3]! % 4, 2);
            assert.ok(
                [...host!, ...peer!].every((part) => part >= 0 && part <= 255),
                hostIp,
            );
        }
    });

    it("is read as it was written, and a torn one is an error that names it", () => {
        const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-unit-"));
        try {
            assert.equal(readInstance(stateDir), undefined);
            const written = newInstance(stateDir, 26443, { "kernel/panic": "0" });
            writeInstance(written);
            assert.deepEqual(readInstance(stateDir), written);
            fs.writeFileSync(path.join(stateDir, "instance.json"), "{");
            assert.throws(() => readInstance(stateDir), /instance\.json cannot be read/);
        } finally {
            fs.rmSync(stateDir, { recursive: true });
        }
    });

    it("takes a folder that holds anything else for someone else's", () => {
        const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), "cutover-unit-"));
        try {
            assert.equal(foreignEntry(path.join(stateDir, "none")), undefined);
            assert.equal(foreignEntry(stateDir), undefined);
            fs.writeFileSync(path.join(stateDir, "instance.json.new"), "");
            assert.equal(foreignEntry(stateDir), undefined);
            fs.writeFileSync(path.join(stateDir, "thesis.txt"), "");
            assert.equal(foreignEntry(stateDir), "thesis.txt");
        } finally {
            fs.rmSync(stateDir, { recursive: true });
        }
    });

    it("has the port that the environment names, if it is one", () => {
        assert.equal(namedApiPort({}), undefined);
        assert.equal(namedApiPort({ CUTOVER_SANDBOX_PORT: "7443" }), 7443);
        for (const bad of ["0", "65536", "https", "7443.5"]) {
            assert.throws(
                () => namedApiPort({ CUTOVER_SANDBOX_PORT: bad }),
                new RegExp(`got "${bad}"`),
            );
        }
    });

    it("has default ports below those that the kernel gives to clients", () => {
        assert.ok(API_PORTS.every((port) => port < 30_000));
    });
});

describe("the machine's rules", () => {
    it("open nothing but the API server and node ports, on 127.0.0.1", () => {
        const accepting = rulesOf(instance).filter(({ rule }) => !rule.includes("DROP"));
        for (const { table, chain, rule } of accepting) {
            assert.equal(table, "nat");
            if (chain === "OUTPUT") assert.deepEqual(rule.slice(0, 2), ["-d", "127.0.0.1/32"]);
            else assert.deepEqual(rule.slice(0, 2), ["-s", "127.0.0.0/8"]);
        }
    });

    it("are found again by their comment, and nobody else's with them", () => {
        const saved = [
            "*nat",
            ":OUTPUT ACCEPT [0:0]",
            `:${instance.chain} - [0:0]`,
            ":CUTOVER-00000000 - [0:0]",
            `-A OUTPUT -d 127.0.0.1/32 -m comment --comment ${instance.chain} -j ${instance.chain}`,
            "-A OUTPUT -d 127.0.0.1/32 -m comment --comment CUTOVER-00000000 -j CUTOVER-00000000",
            '-A OUTPUT -m comment --comment "docker rule" -j ACCEPT',
            `-A ${instance.chain} -p tcp --dport 30999 -j DNAT --to-destination ${instance.nodeIp}`,
            "COMMIT",
        ].join("\n");
        const comment = ["-m", "comment", "--comment", instance.chain];
        assert.deepEqual(deletionsOf(saved, instance.chain), [
            ["-D", "OUTPUT", "-d", "127.0.0.1/32", ...comment, "-j", instance.chain],
            ["-F", instance.chain],
            ["-X", instance.chain],
        ]);
        assert.deepEqual(deletionsOf("*nat\nCOMMIT\n", instance.chain), []);
    });

    it("tell which ports of 127.0.0.1 lead elsewhere", () => {
        const saved = [
            "-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 26443 -j DNAT --to-destination 198.18.1.2:6443",
            "-A CUTOVER-abc -p tcp -m tcp --dport 30999 -j DNAT --to-destination 198.18.1.2",
            "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
            "-A OUTPUT -p tcp -m tcp --dport 25 -j DROP",
        ].join("\n");
        assert.deepEqual(portsLedAway(saved), new Set([26443, 30999]));
    });
});

describe("components' configuration", () => {
    const plane: controlPlane.ControlPlane = {
        program: "/programs/cluster",
        dir: STATE,
        pki: `${STATE}/pki`,
        advertise: instance.nodeIp,
        bind: "0.0.0.0",
        ports: { etcd: 2379, etcdPeer: 2380, api: 6443, controllers: 10257 },
        serviceCidr: "10.96.0.0/16",
        nodePorts: "30000-32767",
    };

    it("makes an API server that knows who asks and what they may", () => {
        const { argv } = controlPlane.apiServer(plane);
        for (const flag of [
            "--anonymous-auth=false",
            "--authorization-mode=Node,RBAC",
            "--etcd-cafile=/state/pki/etcd-ca.crt",
            "--kubelet-certificate-authority=/state/pki/ca.crt",
            "--service-node-port-range=30000-32767",
        ]) {
            assert.ok(argv.includes(flag), flag);
        }
        // Pod Security admission is a default that a list of disabled plugins would have to name.
        assert.ok(!argv.some((word) => word.startsWith("--disable-admission-plugins")));
    });

    const files = node.configFiles(instance, "cutover.local/pause:1");
    const kubelet = JSON.parse(files[`${STATE}/config/kubelet.json`] ?? "") as Record<
        string,
        unknown
    >;
    const proxy = JSON.parse(files[`${STATE}/config/kube-proxy.json`] ?? "") as Record<
        string,
        unknown
    >;

    it("keeps the kubelet within its group and address, and closed to strangers", () => {
        assert.equal(kubelet.cgroupRoot, `/${instance.cgroup}`);
        assert.equal(kubelet.address, instance.nodeIp);
        assert.deepEqual(kubelet.authorization, { mode: "Webhook" });
        assert.deepEqual((kubelet.authentication as Record<string, unknown>).anonymous, {
            enabled: false,
        });
    });

    it("never lets the kubelet remove images, which cannot be pulled again", () => {
        assert.equal(kubelet.imageGCHighThresholdPercent, 100);
        assert.equal((kubelet.evictionHard as Record<string, string>)["imagefs.available"], "0%");
    });

    it("brings routes in at once, and leaves the machine's connection table alone", () => {
        assert.equal((proxy.iptables as Record<string, string>).minSyncPeriod, "0s");
        assert.deepEqual(proxy.conntrack, {
            maxPerCore: 0,
            tcpEstablishedTimeout: "0s",
            tcpCloseWaitTimeout: "0s",
        });
    });

    it("keeps containerd below the state folder, with the pause image of this build", () => {
        const config = node.containerdConfig(instance, "cutover.local/pause:1");
        assert.match(config, /^root = "\/state\/containerd"$/m);
        assert.match(config, /address = "\/state\/run\/containerd\.sock"/);
        assert.match(config, /sandbox_image = "cutover\.local\/pause:1"/);
        assert.match(config, /restrict_oom_score_adj = true/);
    });
});

describe("the addons", () => {
    const template = fs.readFileSync(
        path.join(__dirname, "../../sandbox/components/addons.yaml"),
        "utf8",
    );
    const values = {
        ADDONS_IMAGE: "cutover.local/addons:1",
        CLUSTER_CA: "Q0E=",
        METRICS_CERTIFICATE: "Q1JU",
        METRICS_KEY: "S0VZ",
    };
    const objects = renderAddons(template, values);

    it("have every value filled in", () => {
        const text = JSON.stringify(objects);
        for (const [name, value] of Object.entries(values)) {
            assert.ok(text.includes(value), value);
            assert.ok(!text.includes(name), name);
        }
    });

    it("make one storage class, the default, whose volumes wait for their first pod", () => {
        const classes = objects.filter(({ kind }) => kind === "StorageClass");
        assert.equal(classes.length, 1);
        assert.equal(classes[0]?.volumeBindingMode, "WaitForFirstConsumer");
        const { annotations } = classes[0]?.metadata as { annotations?: Record<string, string> };
        assert.equal(annotations?.["storageclass.kubernetes.io/is-default-class"], "true");
    });

    it("have the address that the kubelet gives to pods as their DNS", () => {
        const dns = objects.find(
            ({ kind, metadata }) => kind === "Service" && metadata.name === "kube-dns",
        );
        const kubelet = JSON.parse(
            node.configFiles(instance, "")[`${STATE}/config/kubelet.json`] ?? "",
        ) as { clusterDNS: string[] };
        assert.deepEqual([(dns?.spec as { clusterIP: string }).clusterIP], kubelet.clusterDNS);
    });

    it("are applied where the API server keeps their kinds", () => {
        const paths = objects.map(objectPath);
        for (const expected of [
            "/apis/storage.k8s.io/v1/storageclasses/standard",
            "/apis/apps/v1/namespaces/kube-system/deployments/coredns",
            "/api/v1/namespaces/kube-system/services/kube-dns",
            "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
        ]) {
            assert.ok(paths.includes(expected), expected);
        }
    });
});

describe("the status table", () => {
    it("says how to get a sandbox where there is none", () => {
        assert.match(statusTable({ running: false, components: [] }), /cutover sandbox up/);
    });

    it("tells a component that does not run from one that does not work", () => {
        const info = {
            stateDir: STATE,
            kubeconfig: "/state/kubeconfig",
            context: "cutover-sandbox",
            kubernetesVersion: "v1.34.4",
            containerdSocket: "/state/run/containerd.sock",
        } as const;
        const table = statusTable({
            running: false,
            info,
            components: [
                { name: "etcd", pid: 12, alive: true, healthy: true },
                { name: "kubelet", pid: 13, alive: true, healthy: false },
                { name: "agent", pid: undefined, alive: false, healthy: false },
            ],
        });
        assert.match(table, /etcd.*12.*ok/);
        assert.match(table, /kubelet.*13.*unhealthy/);
        assert.match(table, /agent.*not running/);
        assert.match(table, /kubeconfig: \/state\/kubeconfig/);
    });
});
