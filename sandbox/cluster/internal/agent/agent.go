// Package agent does what a cloud does for a cluster: it makes volumes for claims and brings node
// ports to the machine's loopback address.
package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	genericserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
)

const (
	name = "cutover-agent"
	// A pass that failed is tried again after this long, unless something changes before.
	retryAfter = 2 * time.Second
)

type options struct {
	kubeconfig, nodeName, volumes string
	nodePorts                     nodePorts
}

// NewCommand is `agent`. It runs in the machine's own network, outside of the node's.
func NewCommand() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:          "agent",
		Short:        "Make volumes for claims, bring node ports to 127.0.0.1",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			return run(genericserver.SetupSignalContext(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&o.nodeName, "node-name", "cutover-sandbox", "node that holds the volumes")
	flags.StringVar(&o.volumes, "volumes", "", "folder for the volumes")
	flags.StringVar(&o.nodePorts.nodeIP, "node-ip", "", "address of the node, where node ports answer")
	flags.StringVar(&o.nodePorts.chain, "node-port-chain", "", "iptables chain of the nat table to fill")
	for _, flag := range []string{"kubeconfig", "volumes", "node-ip", "node-port-chain"} {
		if err := command.MarkFlagRequired(flag); err != nil {
			panic(err)
		}
	}
	return command
}

func run(ctx context.Context, o options) error {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return fmt.Errorf("--kubeconfig: %w", err)
	}
	config.UserAgent = name
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	changed := make(chan struct{}, 1)
	factory := informers.NewSharedInformerFactory(client, 0)
	core, storage := factory.Core().V1(), factory.Storage().V1()
	for _, informer := range []cache.SharedIndexInformer{
		core.Services().Informer(), core.PersistentVolumeClaims().Informer(),
		core.PersistentVolumes().Informer(), storage.StorageClasses().Informer(),
	} {
		if err := notify(informer, changed); err != nil {
			return err
		}
	}
	provisioner := &provisioner{
		client: client, nodeName: o.nodeName, dir: o.volumes, events: events(ctx, client),
		claims:  core.PersistentVolumeClaims().Lister(),
		volumes: core.PersistentVolumes().Lister(),
		classes: storage.StorageClasses().Lister(),
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	loop(ctx, changed, func() error {
		services, err := core.Services().Lister().List(everything)
		if err != nil {
			return err
		}
		return errors.Join(o.nodePorts.sync(ctx, services), provisioner.sync(ctx))
	})
	return nil
}

// loop makes a pass over everything whenever anything changed: a sandbox is small, and a pass that
// depends on no earlier event cannot miss one.
func loop(ctx context.Context, changed <-chan struct{}, pass func() error) {
	for {
		var retry <-chan time.Time
		if err := pass(); err != nil {
			klog.ErrorS(err, "pass failed")
			retry = time.After(retryAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-retry:
		}
	}
}

func notify(informer cache.SharedIndexInformer, changed chan<- struct{}) error {
	signal := func() {
		select {
		case changed <- struct{}{}:
		default: // a pass is due already
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signal() },
		UpdateFunc: func(any, any) { signal() },
		DeleteFunc: func(any) { signal() },
	})
	return err
}

func events(ctx context.Context, client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: name})
}
