package agent

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/ptr"
)

const node = "node-1"

func TestAClaimGetsAFolderAndAVolumeBoundToIt(t *testing.T) {
	claim := newClaim("data")
	p, client := newProvisioner(t, storagev1.VolumeBindingImmediate, claim, nil)
	sync(t, p)
	volume, err := client.CoreV1().PersistentVolumes().Get(t.Context(), "pvc-uid-data", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	spec := volume.Spec
	if spec.ClaimRef.UID != claim.UID || spec.StorageClassName != "standard" {
		t.Errorf("volume is for %v of class %q", spec.ClaimRef, spec.StorageClassName)
	}
	if got := spec.Capacity[corev1.ResourceStorage]; got.String() != "10Gi" {
		t.Errorf("capacity %s, want what the claim asks for", got.String())
	}
	if spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain {
		t.Errorf("reclaim policy %s, want the class's", spec.PersistentVolumeReclaimPolicy)
	}
	if info, err := os.Stat(spec.Local.Path); err != nil || !info.IsDir() {
		t.Errorf("folder %s: %v", spec.Local.Path, err)
	}
}

func TestAClaimWaitsForTheNodeOfItsFirstPod(t *testing.T) {
	for selected, want := range map[string]bool{"": false, "another": false, node: true} {
		claim := newClaim("data")
		claim.Annotations = map[string]string{selectedNode: selected}
		p, client := newProvisioner(t, storagev1.VolumeBindingWaitForFirstConsumer, claim, nil)
		sync(t, p)
		if got := len(list(t, client)) == 1; got != want {
			t.Errorf("node %q selected: made %v, want %v", selected, got, want)
		}
	}
}

func TestClaimsThatAreNotOursAreLeftAlone(t *testing.T) {
	for name, change := range map[string]func(*corev1.PersistentVolumeClaim){
		"bound":            func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = "taken" },
		"of another class": func(c *corev1.PersistentVolumeClaim) { c.Spec.StorageClassName = ptr.To("fast") },
		"of no class":      func(c *corev1.PersistentVolumeClaim) { c.Spec.StorageClassName = nil },
		"being deleted":    func(c *corev1.PersistentVolumeClaim) { c.DeletionTimestamp = &metav1.Time{} },
		"a block device": func(c *corev1.PersistentVolumeClaim) {
			c.Spec.VolumeMode = ptr.To(corev1.PersistentVolumeBlock)
		},
	} {
		claim := newClaim("data")
		change(claim)
		p, client := newProvisioner(t, storagev1.VolumeBindingImmediate, claim, nil)
		sync(t, p)
		if made := list(t, client); len(made) != 0 {
			t.Errorf("claim %s got volume %s", name, made[0].Name)
		}
	}
}

func TestAReleasedVolumeIsRemovedWithItsDataWhenItSaysSo(t *testing.T) {
	for policy, want := range map[corev1.PersistentVolumeReclaimPolicy]bool{
		corev1.PersistentVolumeReclaimDelete: true,
		corev1.PersistentVolumeReclaimRetain: false,
	} {
		volume := released(policy)
		p, client := newProvisioner(t, storagev1.VolumeBindingImmediate, nil, volume)
		folder := filepath.Join(p.dir, volume.Name)
		if err := os.MkdirAll(filepath.Join(folder, "base"), 0o755); err != nil {
			t.Fatal(err)
		}
		sync(t, p)
		_, err := os.Stat(folder)
		if removed := os.IsNotExist(err) && len(list(t, client)) == 0; removed != want {
			t.Errorf("policy %s: removed %v, want %v", policy, removed, want)
		}
	}
}

func TestAVolumeOfAnotherProvisionerIsLeftAlone(t *testing.T) {
	volume := released(corev1.PersistentVolumeReclaimDelete)
	volume.Annotations = nil
	p, client := newProvisioner(t, storagev1.VolumeBindingImmediate, nil, volume)
	sync(t, p)
	if len(list(t, client)) != 1 {
		t.Error("it was removed")
	}
}

func newClaim(name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: "uid-data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			StorageClassName: ptr.To("standard"),
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
			},
		},
	}
}

func released(policy corev1.PersistentVolumeReclaimPolicy) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name: "pvc-gone", Annotations: map[string]string{provisionedAnnotation: provisionerName},
		},
		Spec:   corev1.PersistentVolumeSpec{PersistentVolumeReclaimPolicy: policy},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeReleased},
	}
}

func newProvisioner(
	t *testing.T, mode storagev1.VolumeBindingMode,
	claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume,
) (*provisioner, *fake.Clientset) {
	t.Helper()
	client := fake.NewClientset()
	if volume != nil {
		client = fake.NewClientset(volume)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core, storage := factory.Core().V1(), factory.Storage().V1()
	class := &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: "standard"},
		Provisioner:       provisionerName,
		VolumeBindingMode: &mode,
		ReclaimPolicy:     ptr.To(corev1.PersistentVolumeReclaimRetain),
	}
	add := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	add(storage.StorageClasses().Informer().GetStore().Add(class))
	if claim != nil {
		add(core.PersistentVolumeClaims().Informer().GetStore().Add(claim))
	}
	if volume != nil {
		add(core.PersistentVolumes().Informer().GetStore().Add(volume))
	}
	return &provisioner{
		client: client, nodeName: node, dir: t.TempDir(), events: record.NewFakeRecorder(10),
		claims:  core.PersistentVolumeClaims().Lister(),
		volumes: core.PersistentVolumes().Lister(),
		classes: storage.StorageClasses().Lister(),
	}, client
}

func sync(t *testing.T, p *provisioner) {
	t.Helper()
	if err := p.sync(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, client *fake.Clientset) []corev1.PersistentVolume {
	t.Helper()
	volumes, err := client.CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return volumes.Items
}
