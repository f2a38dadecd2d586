import * as path from "node:path";
import { CONTEXT, containerdSocketOf, NODE_NETWORK, type Instance } from "../instance";
import { CNI_PLUGINS } from "../machine/needs";
import type { Command } from "../machine/process";
import type { Programs } from "../programs";

/** Paths below the state folder that several components name. */
export function nodePaths(stateDir: string) {
    return {
        pki: path.join(stateDir, "pki"),
        config: path.join(stateDir, "config"),
        cni: path.join(stateDir, "config", "cni"),
        containerd: path.join(stateDir, "containerd"),
        kubelet: path.join(stateDir, "kubelet"),
        podLogs: path.join(stateDir, "logs", "pods"),
        volumes: path.join(stateDir, "volumes"),
    };
}

/** Configuration files by their paths; written anew at every start. */
export function configFiles(instance: Instance, pauseReference: string): Record<string, string> {
    const { config, cni } = nodePaths(instance.stateDir);
    return {
        [path.join(config, "containerd.toml")]: containerdConfig(instance, pauseReference),
        [path.join(cni, "10-sandbox.conflist")]: json(cniConfig()),
        [path.join(config, "kubelet.json")]: json(kubeletConfig(instance)),
        [path.join(config, "kube-proxy.json")]: json(proxyConfig(instance)),
        [path.join(config, "scheduler.json")]: json(schedulerConfig(instance)),
        // Pods that ask for the node's DNS get none: the sandbox resolves its own names only.
        [path.join(config, "resolv.conf")]: "",
    };
}

export function containerd({ stateDir }: Instance): Command {
    const config = path.join(nodePaths(stateDir).config, "containerd.toml");
    return { name: "containerd", argv: ["containerd", "--config", config] };
}

export function scheduler({ stateDir }: Instance, { cluster }: Pick<Programs, "cluster">): Command {
    const { config, pki } = nodePaths(stateDir);
    return {
        name: "kube-scheduler",
        argv: [
            cluster,
            "kube-scheduler",
            `--config=${config}/scheduler.json`,
            `--authentication-kubeconfig=${pki}/kube-scheduler.kubeconfig`,
            `--authorization-kubeconfig=${pki}/kube-scheduler.kubeconfig`,
            `--client-ca-file=${pki}/ca.crt`,
            "--bind-address=127.0.0.1",
        ],
    };
}

export function kubelet(instance: Instance, { cluster }: Pick<Programs, "cluster">): Command {
    const { config, pki } = nodePaths(instance.stateDir);
    return {
        name: "kubelet",
        argv: [
            cluster,
            "kubelet",
            `--config=${config}/kubelet.json`,
            `--kubeconfig=${pki}/kubelet.kubeconfig`,
            `--hostname-override=${CONTEXT}`,
            `--node-ip=${instance.nodeIp}`,
            // Where cAdvisor looks for containerd; without it containers' metrics name no pod.
            `--containerd=${containerdSocketOf(instance.stateDir)}`,
        ],
    };
}

export function proxy({ stateDir }: Instance, { cluster }: Pick<Programs, "cluster">): Command {
    const config = path.join(nodePaths(stateDir).config, "kube-proxy.json");
    return { name: "kube-proxy", argv: [cluster, "kube-proxy", `--config=${config}`] };
}

/** Volumes and node ports; the one component in the machine's network. */
export function agent(instance: Instance, { cluster }: Pick<Programs, "cluster">): Command {
    const { pki, volumes } = nodePaths(instance.stateDir);
    return {
        name: "agent",
        argv: [
            cluster,
            "agent",
            `--kubeconfig=${pki}/agent.kubeconfig`,
            `--node-name=${CONTEXT}`,
            `--node-ip=${instance.nodeIp}`,
            `--node-port-chain=${instance.chain}`,
            `--volumes=${volumes}`,
        ],
    };
}

/** @param pauseReference image that holds a pod's namespaces; imported before the first pod */
export function containerdConfig({ stateDir }: Instance, pauseReference: string): string {
    const { containerd, cni } = nodePaths(stateDir);
    return `version = 2
root = "${containerd}"
# The node's own /run, which ends with it.
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = "${containerdSocketOf(stateDir)}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseReference}"
  # Without CAP_SYS_RESOURCE a score below the own one is refused, and every pod with it.
  restrict_oom_score_adj = true
  # A pod's network namespace is kept in the node's /run and not in the machine's.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PLUGINS}"
    conf_dir = "${cni}"
`;
}

function cniConfig() {
    return {
        cniVersion: "0.4.0",
        name: "sandbox",
        plugins: [
            {
                type: "bridge",
                bridge: NODE_NETWORK.bridge,
                isGateway: true,
                // A pod may reach itself through its Service.
                hairpinMode: true,
                // There is nothing outside that pods could reach, so nothing to hide them behind.
                ipMasq: false,
                ipam: {
                    type: "host-local",
                    dataDir: "/run/cni",
                    ranges: [[{ subnet: NODE_NETWORK.podCidr }]],
                    routes: [{ dst: "0.0.0.0/0" }],
                },
            },
            { type: "portmap", capabilities: { portMappings: true } },
        ],
    };
}

function kubeletConfig(instance: Instance) {
    const { pki, config, podLogs } = nodePaths(instance.stateDir);
    return {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        address: instance.nodeIp,
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: `${pki}/ca.crt` },
        },
        authorization: { mode: "Webhook" },
        tlsCertFile: `${pki}/kubelet.crt`,
        tlsPrivateKeyFile: `${pki}/kubelet.key`,
        containerRuntimeEndpoint: `unix://${containerdSocketOf(instance.stateDir)}`,
        cgroupDriver: "cgroupfs",
        cgroupRoot: `/${instance.cgroup}`,
        clusterDNS: [NODE_NETWORK.dnsService],
        clusterDomain: NODE_NETWORK.domain,
        resolvConf: `${config}/resolv.conf`,
        podLogsDir: podLogs,
        volumePluginDir: `${instance.stateDir}/kubelet/volume-plugins`,
        failCgroupV1: false,
        failSwapOn: false,
        // A developer's disk is often fuller than a server's may be; and images cannot be pulled again.
        evictionHard: {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
        imageGCHighThresholdPercent: 100,
        oomScoreAdj: 0,
        // Every second instead of ten: a test waits for what the node reports.
        nodeStatusUpdateFrequency: "5s",
    };
}

function proxyConfig({ stateDir, nodeIp }: Instance) {
    return {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        clientConnection: { kubeconfig: `${nodePaths(stateDir).pki}/kube-proxy.kubeconfig` },
        hostnameOverride: CONTEXT,
        bindAddress: nodeIp,
        clusterCIDR: NODE_NETWORK.podCidr,
        mode: "iptables",
        // One node has few rules: each change is brought in at once and not once a second.
        iptables: { minSyncPeriod: "0s", syncPeriod: "30s" },
        // The connection tracking table is the machine's; a namespace may not size it.
        conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
        nodePortAddresses: [`${nodeIp}/32`],
        oomScoreAdj: 0,
    };
}

function schedulerConfig({ stateDir }: Instance) {
    return {
        apiVersion: "kubescheduler.config.k8s.io/v1",
        kind: "KubeSchedulerConfiguration",
        clientConnection: { kubeconfig: `${nodePaths(stateDir).pki}/kube-scheduler.kubeconfig` },
        leaderElection: { leaderElect: false },
        enableProfiling: false,
    };
}

function json(value: unknown): string {
    return `${JSON.stringify(value, undefined, 2)}\n`;
}
