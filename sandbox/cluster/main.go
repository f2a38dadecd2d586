// Command cluster is every program of the sandbox's Kubernetes in one binary: the first argument
// names the program, the rest are its own arguments. One binary, because the programs share most of
// their code and linking it once halves the build.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// Log formats and metrics of Kubernetes' own main packages.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"

	"cutover.local/cluster/internal/agent"
	"cutover.local/cluster/internal/etcd"
	"cutover.local/cluster/internal/image"
	"cutover.local/cluster/internal/pki"
)

// programs are constructed only when named: two Kubernetes programs in one process fight over the
// feature gates that are registered globally, and panic.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-proxy":              proxy.NewProxyCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"etcd":                    etcd.NewCommand,
	"agent":                   agent.NewCommand,
	"image":                   image.NewCommand,
	"pki":                     pki.NewCommand,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		names := make([]string, 0, len(programs))
		for name := range programs {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintf(os.Stderr, "usage: %s <%s> [arguments]\n", os.Args[0], strings.Join(names, "|"))
		os.Exit(2)
	}
	// The kubelet reads os.Args itself, so the name must go from there and not only from the command.
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	os.Exit(cli.Run(programs[name]()))
}
