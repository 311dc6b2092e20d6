#!/usr/bin/env bash
# Claim:   in a Job with restartPolicy OnFailure, restarts of sidecars (init containers with
#          restartPolicy Always) count towards backoffLimit like those of the container that does
#          the work. A log shipper whose liveness probe is wrong ends the Job as "failed" while
#          the work runs well, and the pod goes with everything that its status told.
# Guess:   "backoffLimit counts failures of the Job's work; a sidecar does not decide over a Job".
# Version: k8s.io/kubernetes v1.37.2
# Source:  pkg/controller/job/job_controller.go (pastBackoffLimitOnFailure)
# Takes:   a few minutes while Go's build cache is cold, else 10 s.
set -euo pipefail
# shellcheck source=lib/kubernetes.bash
. "$(dirname "$0")/lib/kubernetes.bash"
version=v1.37.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/utils/ptr"
)

// What the real controller makes of a Job whose only pod runs, its worker never restarted, its
// sidecar a number of times, within a while.
func verdict(policy v1.RestartPolicy, restarts int32, patience time.Duration) (string, int) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	labels := map[string]string{"job": "report"}
	template := v1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: v1.PodSpec{
			RestartPolicy:  policy,
			InitContainers: []v1.Container{{Name: "shipper", RestartPolicy: ptr.To(v1.ContainerRestartPolicyAlways)}},
			Containers:     []v1.Container{{Name: "worker"}},
		},
	}
	it := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "report", Namespace: "prod", UID: "1"},
		Spec: batchv1.JobSpec{
			Completions: ptr.To[int32](1), Parallelism: ptr.To[int32](1), BackoffLimit: ptr.To[int32](6),
			CompletionMode: ptr.To(batchv1.NonIndexedCompletion), Selector: &metav1.LabelSelector{MatchLabels: labels},
			PodReplacementPolicy: ptr.To(batchv1.TerminatingOrFailed), Template: template,
		},
	}
	running := v1.ContainerState{Running: &v1.ContainerStateRunning{}}
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "report-x", Namespace: "prod", UID: "2", Labels: labels, Finalizers: []string{batchv1.JobTrackingFinalizer},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(it, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: template.Spec,
		Status: v1.PodStatus{
			Phase:                 v1.PodRunning,
			InitContainerStatuses: []v1.ContainerStatus{{Name: "shipper", RestartCount: restarts, State: running, Ready: true}},
			ContainerStatuses:     []v1.ContainerStatus{{Name: "worker", State: running, Ready: true}},
		},
	}
	client := fake.NewSimpleClientset(it, pod)
	factory := informers.NewSharedInformerFactory(client, 0)
	controller, err := job.NewController(ctx, client, factory.Core().V1().Pods(), factory.Batch().V1().Jobs(),
		factory.Scheduling().V1beta1().Workloads(), factory.Scheduling().V1beta1().PodGroups())
	if err != nil {
		panic(err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)
	said, left := "goes on", 1
	for until := time.Now().Add(patience); time.Now().Before(until) && (said == "goes on" || left > 0); time.Sleep(100 * time.Millisecond) {
		now, err := client.BatchV1().Jobs("prod").Get(ctx, "report", metav1.GetOptions{})
		if err != nil {
			panic(err)
		}
		for _, condition := range now.Status.Conditions {
			if condition.Type == batchv1.JobFailed {
				said = string(condition.Type) + ": " + condition.Reason + ": " + condition.Message
			}
		}
		pods, err := client.CoreV1().Pods("prod").List(ctx, metav1.ListOptions{})
		if err != nil {
			panic(err)
		}
		left = len(pods.Items)
	}
	return said, left
}

func main() {
	wrong := false
	failed := "Failed: BackoffLimitExceeded: Job has reached the specified backoff limit"
	for _, it := range []struct {
		policy   v1.RestartPolicy
		restarts int32
		want     string
		pods     int
	}{
		{v1.RestartPolicyOnFailure, 5, "goes on", 1},
		{v1.RestartPolicyOnFailure, 6, failed, 0},
		{v1.RestartPolicyNever, 60, "goes on", 1},
	} {
		patience := 5 * time.Second
		if it.want == failed {
			patience = time.Minute
		}
		said, pods := verdict(it.policy, it.restarts, patience)
		fmt.Printf("backoffLimit 6, %s, worker never restarted, sidecar %d times: %s (pods left: %d)\n", it.policy, it.restarts, said, pods)
		wrong = wrong || said != it.want || pods != it.pods
	}
	if wrong {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
kubernetes_module "$version"
echo "k8s.io/kubernetes $version"
go build -trimpath -o run .
./run 2>log || { cat log; exit 1; }
