package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
)

const (
	// provisionerName is what a StorageClass names to get volumes of this agent.
	provisionerName       = "cutover.local/volumes"
	provisionedAnnotation = "pv.kubernetes.io/provisioned-by"
	selectedNode          = "volume.kubernetes.io/selected-node"
)

// provisioner makes a `local` volume, a folder on the node, for every claim of its classes. `local`
// and not `hostPath`, because the kubelet applies a pod's fsGroup to the former only.
type provisioner struct {
	client   kubernetes.Interface
	nodeName string
	dir      string
	events   record.EventRecorder
	claims   corelisters.PersistentVolumeClaimLister
	volumes  corelisters.PersistentVolumeLister
	classes  storagelisters.StorageClassLister
}

func (p *provisioner) sync(ctx context.Context) error {
	claims, err := p.claims.List(everything)
	if err != nil {
		return err
	}
	volumes, err := p.volumes.List(everything)
	if err != nil {
		return err
	}
	var failed []error
	for _, claim := range claims {
		failed = append(failed, p.provision(ctx, claim))
	}
	for _, volume := range volumes {
		failed = append(failed, p.release(ctx, volume))
	}
	return errors.Join(failed...)
}

func (p *provisioner) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	class, wanted := p.wants(claim)
	if !wanted {
		return nil
	}
	name := volumeName(claim)
	if _, err := p.volumes.Get(name); err == nil {
		return nil // made already; the controller manager binds it
	}
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode != corev1.PersistentVolumeFilesystem {
		p.events.Eventf(claim, corev1.EventTypeWarning, "ProvisioningFailed",
			"the sandbox has file system volumes only, got volumeMode %s", *claim.Spec.VolumeMode)
		return nil
	}
	folder := filepath.Join(p.dir, name)
	// As a fresh disk in a cloud: root's. The kubelet gives it to the pod's fsGroup.
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("volume for claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	volume := newVolume(claim, class, folder, p.nodeName)
	_, err := p.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("volume for claim %s/%s: %w", claim.Namespace, claim.Name, err)
	}
	p.events.Eventf(claim, corev1.EventTypeNormal, "ProvisioningSucceeded", "made volume %s", name)
	return nil
}

// wants tells whether the claim waits for a volume of ours now. With a class that waits for the
// first pod, that is when the scheduler has chosen the node.
func (p *provisioner) wants(claim *corev1.PersistentVolumeClaim) (*storagev1.StorageClass, bool) {
	if claim.DeletionTimestamp != nil || claim.Spec.VolumeName != "" || claim.Spec.StorageClassName == nil {
		return nil, false
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != provisionerName {
		return nil, false
	}
	waits := class.VolumeBindingMode != nil &&
		*class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	return class, !waits || claim.Annotations[selectedNode] == p.nodeName
}

// release removes the data and the volume of a claim that is gone, when the volume says so.
func (p *provisioner) release(ctx context.Context, volume *corev1.PersistentVolume) error {
	if volume.Annotations[provisionedAnnotation] != provisionerName ||
		volume.Status.Phase != corev1.VolumeReleased ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete ||
		volume.DeletionTimestamp != nil {
		return nil
	}
	// By name and not by the path in the object, which whoever may write volumes could point anywhere.
	if err := os.RemoveAll(filepath.Join(p.dir, filepath.Base(volume.Name))); err != nil {
		return fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	err := p.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	klog.InfoS("Removed volume", "volume", volume.Name)
	return nil
}

func volumeName(claim *corev1.PersistentVolumeClaim) string {
	return "pvc-" + string(claim.UID)
}

func newVolume(
	claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, folder, nodeName string,
) *corev1.PersistentVolume {
	policy := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		policy = *class.ReclaimPolicy
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        volumeName(claim),
			Annotations: map[string]string{provisionedAnnotation: provisionerName},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              class.Name,
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: folder}},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{
					MatchExpressions: []corev1.NodeSelectorRequirement{{
						Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{nodeName},
					}},
				}},
			}},
		},
	}
}
