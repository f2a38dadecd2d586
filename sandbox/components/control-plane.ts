import * as path from "node:path";
import type { Command } from "../machine/process";

/** Where the control plane listens and keeps its files. */
export interface ControlPlane {
    /** The binary of all Kubernetes programs. */
    program: string;
    dir: string;
    pki: string;
    /** The address that pods and components reach the API server at. */
    advertise: string;
    /** What the API server binds to; everything only in a network of its own. */
    bind: string;
    ports: { etcd: number; etcdPeer: number; api: number; controllers: number };
    serviceCidr: string;
    nodePorts: string;
}

/** Node ports as every cluster has them. */
export const NODE_PORT_RANGE = "30000-32767";

export function etcd(plane: ControlPlane): Command {
    const { pki, ports } = plane;
    return {
        name: "etcd",
        argv: [
            plane.program,
            "etcd",
            `--data-dir=${path.join(plane.dir, "etcd")}`,
            `--listen-client-url=https://127.0.0.1:${ports.etcd}`,
            `--listen-peer-url=https://127.0.0.1:${ports.etcdPeer}`,
            `--cert-file=${pki}/etcd.crt`,
            `--key-file=${pki}/etcd.key`,
            `--trusted-ca-file=${pki}/etcd-ca.crt`,
            // The cluster is disposable: after a crash of the machine `down` and `up` make a new one.
            "--unsafe-no-fsync",
        ],
    };
}

export function apiServer(plane: ControlPlane): Command {
    const { pki, ports } = plane;
    return {
        name: "kube-apiserver",
        argv: [
            plane.program,
            "kube-apiserver",
            `--advertise-address=${plane.advertise}`,
            `--bind-address=${plane.bind}`,
            `--secure-port=${ports.api}`,
            `--tls-cert-file=${pki}/apiserver.crt`,
            `--tls-private-key-file=${pki}/apiserver.key`,
            `--client-ca-file=${pki}/ca.crt`,
            "--anonymous-auth=false",
            "--authorization-mode=Node,RBAC",
            // Pod Security admission is among the plugins that are on by default.
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--profiling=false",
            `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
            `--etcd-cafile=${pki}/etcd-ca.crt`,
            `--etcd-certfile=${pki}/apiserver-etcd-client.crt`,
            `--etcd-keyfile=${pki}/apiserver-etcd-client.key`,
            `--kubelet-certificate-authority=${pki}/ca.crt`,
            `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
            `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
            "--kubelet-preferred-address-types=InternalIP",
            `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
            `--proxy-client-key-file=${pki}/front-proxy-client.key`,
            `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            `--service-account-key-file=${pki}/sa.pub`,
            `--service-account-signing-key-file=${pki}/sa.key`,
            `--service-cluster-ip-range=${plane.serviceCidr}`,
            `--service-node-port-range=${plane.nodePorts}`,
        ],
    };
}

export function controllerManager(plane: ControlPlane): Command {
    const { pki, ports } = plane;
    const kubeconfig = `${pki}/kube-controller-manager.kubeconfig`;
    return {
        name: "kube-controller-manager",
        argv: [
            plane.program,
            "kube-controller-manager",
            `--kubeconfig=${kubeconfig}`,
            `--authentication-kubeconfig=${kubeconfig}`,
            `--authorization-kubeconfig=${kubeconfig}`,
            "--bind-address=127.0.0.1",
            `--secure-port=${ports.controllers}`,
            // There is only one; an election would cost two seconds at start and writes forever.
            "--leader-elect=false",
            "--use-service-account-credentials=true",
            "--profiling=false",
            `--client-ca-file=${pki}/ca.crt`,
            `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
            `--root-ca-file=${pki}/ca.crt`,
            `--cluster-signing-cert-file=${pki}/ca.crt`,
            `--cluster-signing-key-file=${pki}/ca.key`,
            `--service-account-private-key-file=${pki}/sa.key`,
        ],
    };
}

/** `pki`: what must have run before the others start. */
export function certificates(
    plane: ControlPlane,
    names: { kubeconfig: string; hostServer: string; node: string; serviceIp: string },
): Command {
    return {
        name: "pki",
        argv: [
            plane.program,
            "pki",
            `--dir=${plane.pki}`,
            `--kubeconfig=${names.kubeconfig}`,
            `--node-name=${names.node}`,
            `--node-ip=${plane.advertise}`,
            `--service-ip=${names.serviceIp}`,
            `--internal-server=https://127.0.0.1:${plane.ports.api}`,
            `--host-server=${names.hostServer}`,
        ],
    };
}
