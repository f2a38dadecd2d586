package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

func TestCertificatesAreTrustedByTheirAuthorityAndNoOther(t *testing.T) {
	o := written(t)
	for name, authority := range map[string]string{
		"apiserver": "ca", "kubelet": "ca", "metrics-server": "ca",
		"etcd": "etcd-ca", "apiserver-etcd-client": "etcd-ca", "front-proxy-client": "front-proxy-ca",
	} {
		for _, other := range []string{"ca", "etcd-ca", "front-proxy-ca"} {
			roots := x509.NewCertPool()
			roots.AddCert(read(t, o, other))
			_, err := read(t, o, name).Verify(x509.VerifyOptions{
				Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			})
			if trusted := err == nil; trusted != (other == authority) {
				t.Errorf("%s trusted by %s: %v", name, other, trusted)
			}
		}
	}
}

func TestTheAPIServerIsKnownByEveryNameItIsReachedBy(t *testing.T) {
	certificate := read(t, written(t), "apiserver")
	for _, name := range []string{
		"127.0.0.1", "198.18.0.2", "10.96.0.1", "localhost", "kubernetes.default.svc.cluster.local",
	} {
		if err := certificate.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAnotherRunKeepsAuthoritiesAndIssuesTheRestAnew(t *testing.T) {
	o := written(t)
	authority, leaf := read(t, o, "ca"), read(t, o, "apiserver")
	key, err := os.ReadFile(filepath.Join(o.dir, "sa.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.write(); err != nil {
		t.Fatal(err)
	}
	if !read(t, o, "ca").Equal(authority) {
		t.Error("the authority changed: nothing in the cluster would trust the API server any more")
	}
	if again, _ := os.ReadFile(filepath.Join(o.dir, "sa.key")); !bytes.Equal(key, again) {
		t.Error("the service account key changed: every token in the cluster would be void")
	}
	if read(t, o, "apiserver").Equal(leaf) {
		t.Error("the certificate was not issued anew, and would end a year after the first start")
	}
}

func TestKubeconfigsNameTheirUserAndNobodyElseCanReadThem(t *testing.T) {
	o := written(t)
	for file, want := range map[string]string{
		o.kubeconfig:                  "cutover-admin",
		o.component("agent"):          "cutover:agent",
		o.component("kubelet"):        "system:node:node-1",
		o.component("kube-proxy"):     "system:kube-proxy",
		o.component("kube-scheduler"): "system:kube-scheduler",
	} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		encoded := regexp.MustCompile(`client-certificate-data: (\S+)`).FindSubmatch(content)
		decoded, err := base64.StdEncoding.DecodeString(string(encoded[1]))
		if err != nil {
			t.Fatal(err)
		}
		if got := parse(t, decoded).Subject.CommonName; got != want {
			t.Errorf("%s is for %q, want %q", file, got, want)
		}
		if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode().Perm())
		}
	}
}

func written(t *testing.T) options {
	t.Helper()
	dir := t.TempDir()
	o := options{
		dir: dir, kubeconfig: filepath.Join(dir, "kubeconfig"), context: "test",
		nodeName: "node-1", nodeIP: "198.18.0.2", service: "10.96.0.1",
		internalServer: "https://127.0.0.1:6443", hostServer: "https://127.0.0.1:26443",
	}
	if err := o.write(); err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t *testing.T, o options, name string) *x509.Certificate {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(o.dir, name+".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, content)
}

func parse(t *testing.T, content []byte) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(content)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
