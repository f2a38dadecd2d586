package agent

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

var everything = labels.Everything()

// nodePorts brings every node port to 127.0.0.1 of the machine. Only ports that a Service has are
// taken, so that a program of the user's that listens in the node port range keeps its port.
type nodePorts struct {
	nodeIP, chain string
	applied       string
}

func (n *nodePorts) sync(ctx context.Context, services []*corev1.Service) error {
	rules := renderNodePorts(n.chain, n.nodeIP, services)
	if rules == n.applied {
		return nil
	}
	command := exec.CommandContext(ctx, "iptables-restore", "--wait", "5", "--noflush")
	command.Stdin = strings.NewReader(rules)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("iptables-restore: %w: %s", err, output)
	}
	n.applied = rules
	return nil
}

// renderNodePorts is the chain's whole content; naming the chain in the head empties it, and the
// commit swaps old for new at once.
func renderNodePorts(chain, nodeIP string, services []*corev1.Service) string {
	var rules []string
	for _, service := range services {
		for _, port := range service.Spec.Ports {
			protocol := strings.ToLower(string(port.Protocol))
			if port.NodePort == 0 || (protocol != "tcp" && protocol != "udp") {
				continue
			}
			rules = append(rules, fmt.Sprintf("-A %s -p %s --dport %d -j DNAT --to-destination %s",
				chain, protocol, port.NodePort, nodeIP))
		}
	}
	slices.Sort(rules)
	return fmt.Sprintf("*nat\n:%s - [0:0]\n%s\nCOMMIT\n", chain, strings.Join(rules, "\n"))
}
