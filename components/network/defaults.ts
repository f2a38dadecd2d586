/** The label that Kubernetes itself gives every namespace: its name. */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** Where kubeadm, the managed clusters and the sandbox run their DNS server. */
export const DNS = {
    namespace: "kube-system",
    selector: { "k8s-app": "kube-dns" },
    port: 53,
};
