// Package etcd runs one etcd member that serves clients on one TLS address and has no peers.
package etcd

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// How long one member may take to be ready to serve; it takes about a second with a small database.
const readyTimeout = time.Minute

type options struct {
	dataDir, listen, peerListen string
	cert, key, ca               string
	unsafeNoFsync               bool
}

// NewCommand is `etcd`: the store of the sandbox's API server.
func NewCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:          "etcd",
		Short:        "One etcd member for the sandbox's API server",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE:         func(*cobra.Command, []string) error { return run(o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.dataDir, "data-dir", "", "folder of the database")
	flags.StringVar(&o.listen, "listen-client-url", "https://127.0.0.1:2379", "address for the API server")
	flags.StringVar(&o.peerListen, "listen-peer-url", "https://127.0.0.1:2380", "address for peers, of which there are none")
	flags.StringVar(&o.cert, "cert-file", "", "server certificate")
	flags.StringVar(&o.key, "key-file", "", "server key")
	flags.StringVar(&o.ca, "trusted-ca-file", "", "CA of the clients; a client without a certificate of it is refused")
	flags.BoolVar(&o.unsafeNoFsync, "unsafe-no-fsync", false, "do not wait for the disk: faster, and a crash of the machine loses the cluster")
	return command
}

func run(o options) error {
	config, err := o.config()
	if err != nil {
		return err
	}
	member, err := embed.StartEtcd(config)
	if err != nil {
		return fmt.Errorf("start etcd: %w", err)
	}
	defer member.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-member.Server.ReadyNotify():
	case <-stop:
		return nil
	case err := <-member.Err():
		return err
	case <-time.After(readyTimeout):
		return errors.New("etcd was not ready within a minute")
	}
	select {
	case <-stop:
		return nil
	case err := <-member.Err():
		return err
	}
}

func (o options) config() (*embed.Config, error) {
	client, err := url.Parse(o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen-client-url: %w", err)
	}
	peer, err := url.Parse(o.peerListen)
	if err != nil {
		return nil, fmt.Errorf("--listen-peer-url: %w", err)
	}
	config := embed.NewConfig()
	config.Name = "sandbox"
	config.Dir = o.dataDir
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	tls := transport.TLSInfo{
		CertFile: o.cert, KeyFile: o.key, TrustedCAFile: o.ca, ClientCertAuth: true,
	}
	config.ClientTLSInfo, config.PeerTLSInfo = tls, tls
	config.UnsafeNoFsync = o.unsafeNoFsync
	config.LogLevel = "warn"
	config.LogOutputs = []string{"stderr"}
	return config, nil
}
