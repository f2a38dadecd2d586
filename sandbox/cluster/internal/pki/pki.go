// Package pki writes the sandbox's certificate authorities, certificates and kubeconfigs.
package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

type options struct {
	dir, kubeconfig, context   string
	nodeName, nodeIP, service  string
	internalServer, hostServer string
}

// NewCommand is `pki`. Authorities and the service account key are kept when they are there, since
// everything that lives in the cluster trusts them; every other certificate is issued anew.
func NewCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:          "pki",
		Short:        "Write CAs, certificates and kubeconfigs",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return o.write() },
	}
	flags := command.Flags()
	flags.StringVar(&o.dir, "dir", "", "folder for the certificates and the components' kubeconfigs")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "file for the administrator's kubeconfig")
	flags.StringVar(&o.context, "context", "cutover-sandbox", "name of the kubeconfigs' context")
	flags.StringVar(&o.nodeName, "node-name", "cutover-sandbox", "name of the node")
	flags.StringVar(&o.nodeIP, "node-ip", "127.0.0.1", "address of the node")
	flags.StringVar(&o.service, "service-ip", "", "address of the Service `kubernetes`")
	flags.StringVar(&o.internalServer, "internal-server", "", "URL of the API server for components in the node's network")
	flags.StringVar(&o.hostServer, "host-server", "", "URL of the API server for everyone on this machine")
	for _, name := range []string{"dir", "kubeconfig", "service-ip", "internal-server", "host-server"} {
		if err := command.MarkFlagRequired(name); err != nil {
			panic(err)
		}
	}
	return command
}

func (o options) write() error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	nodeIP, serviceIP := net.ParseIP(o.nodeIP), net.ParseIP(o.service)
	if nodeIP == nil || serviceIP == nil {
		return fmt.Errorf("--node-ip %q and --service-ip %q must be IP addresses", o.nodeIP, o.service)
	}
	// Three authorities, so that a certificate for one trust (say a kubelet's) opens no other:
	// whoever can talk to etcd or impersonate through the front proxy owns the cluster.
	cluster, err := loadOrCreateAuthority(o.dir, "ca", "cutover-sandbox")
	if err != nil {
		return err
	}
	etcd, err := loadOrCreateAuthority(o.dir, "etcd-ca", "cutover-sandbox-etcd")
	if err != nil {
		return err
	}
	frontProxy, err := loadOrCreateAuthority(o.dir, "front-proxy-ca", "cutover-sandbox-front-proxy")
	if err != nil {
		return err
	}
	loopback := net.IPv4(127, 0, 0, 1)
	return errors.Join(
		ensureServiceAccountKey(o.dir),
		etcd.issue(o.dir, "etcd", leaf{commonName: "etcd", names: []string{"localhost"}, addresses: []net.IP{loopback}, server: true, client: true}),
		etcd.issue(o.dir, "apiserver-etcd-client", leaf{commonName: "kube-apiserver", client: true}),
		frontProxy.issue(o.dir, "front-proxy-client", leaf{commonName: "front-proxy-client", client: true}),
		cluster.issue(o.dir, "apiserver", leaf{
			commonName: "kube-apiserver",
			names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
				"kubernetes.default.svc.cluster.local", o.nodeName},
			addresses: []net.IP{loopback, nodeIP, serviceIP},
			server:    true,
		}),
		cluster.issue(o.dir, "apiserver-kubelet-client", leaf{
			commonName: "kube-apiserver-kubelet-client", organizations: []string{"system:masters"}, client: true,
		}),
		cluster.issue(o.dir, "kubelet", leaf{
			commonName: "system:node:" + o.nodeName, organizations: []string{"system:nodes"},
			names: []string{o.nodeName}, addresses: []net.IP{nodeIP}, server: true,
		}),
		cluster.issue(o.dir, "metrics-server", leaf{
			commonName: "metrics-server", names: []string{"metrics-server.kube-system.svc"}, server: true,
		}),
		o.writeKubeconfigs(cluster),
	)
}

func (o options) writeKubeconfigs(cluster *authority) error {
	users := []struct {
		file, server  string
		commonName    string
		organizations []string
	}{
		{o.component("kube-controller-manager"), o.internalServer, "system:kube-controller-manager", nil},
		{o.component("kube-scheduler"), o.internalServer, "system:kube-scheduler", nil},
		{o.component("kube-proxy"), o.internalServer, "system:kube-proxy", nil},
		{o.component("kubelet"), o.internalServer, "system:node:" + o.nodeName, []string{"system:nodes"}},
		{o.component("agent"), o.hostServer, "cutover:agent", nil},
		{o.kubeconfig, o.hostServer, "cutover-admin", []string{"system:masters"}},
	}
	for _, user := range users {
		certificate, key, err := cluster.sign(leaf{
			commonName: user.commonName, organizations: user.organizations, client: true,
		})
		if err != nil {
			return err
		}
		config := kubeconfig(o.context, user.server, cluster.pem, certificate, key)
		if err := writeFile(user.file, config, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (o options) component(name string) string {
	return filepath.Join(o.dir, name+".kubeconfig")
}

// usages of a leaf: what the certificate may prove.
func (l leaf) usages() []x509.ExtKeyUsage {
	var usages []x509.ExtKeyUsage
	if l.server {
		usages = append(usages, x509.ExtKeyUsageServerAuth)
	}
	if l.client {
		usages = append(usages, x509.ExtKeyUsageClientAuth)
	}
	return usages
}
