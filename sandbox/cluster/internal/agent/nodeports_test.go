package agent

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestRenderNodePortsReplacesTheChainByPortsThatServicesHave(t *testing.T) {
	services := []*corev1.Service{
		service(corev1.ServicePort{Port: 80, NodePort: 30999, Protocol: corev1.ProtocolTCP}),
		service(corev1.ServicePort{Port: 443, Protocol: corev1.ProtocolTCP}),
		service(
			corev1.ServicePort{Port: 53, NodePort: 30053, Protocol: corev1.ProtocolUDP},
			corev1.ServicePort{Port: 36, NodePort: 30036, Protocol: corev1.ProtocolSCTP},
		),
	}
	want := `*nat
:CHAIN - [0:0]
-A CHAIN -p tcp --dport 30999 -j DNAT --to-destination 198.18.0.2
-A CHAIN -p udp --dport 30053 -j DNAT --to-destination 198.18.0.2
COMMIT
`
	if got := renderNodePorts("CHAIN", "198.18.0.2", services); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRenderNodePortsDoesNotDependOnTheOrderOfServices(t *testing.T) {
	a := service(corev1.ServicePort{NodePort: 30001, Protocol: corev1.ProtocolTCP})
	b := service(corev1.ServicePort{NodePort: 30002, Protocol: corev1.ProtocolTCP})
	one := renderNodePorts("C", "198.18.0.2", []*corev1.Service{a, b})
	if other := renderNodePorts("C", "198.18.0.2", []*corev1.Service{b, a}); one != other {
		t.Errorf("%q and %q: the rules would be swapped for nothing", one, other)
	}
}

func service(ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{Spec: corev1.ServiceSpec{Ports: ports}}
}
