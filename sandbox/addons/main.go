// Command addons is what every cluster has beside Kubernetes itself, CoreDNS and metrics-server, in one
// binary: the first argument names the program. They are a module of their own because they want newer
// libraries than the sandbox's Kubernetes.
package main

import (
	"fmt"
	"os"

	"github.com/coredns/coredns/coremain"
	genericserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	metrics "sigs.k8s.io/metrics-server/cmd/metrics-server/app"

	// Log format and the plugins that the sandbox's Corefile names.
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
	_ "k8s.io/component-base/logs/json/register"
)

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = append([]string{name}, os.Args[2:]...)
	}
	switch name {
	case "coredns":
		coremain.Run()
	case "metrics-server":
		os.Exit(cli.Run(metrics.NewMetricsServerCommand(genericserver.SetupSignalHandler())))
	default:
		fmt.Fprintf(os.Stderr, "usage: %s <coredns|metrics-server> [arguments]\n", os.Args[0])
		os.Exit(2)
	}
}
