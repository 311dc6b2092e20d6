#!/usr/bin/env bash
# Claim:   a HorizontalPodAutoscaler measures the CPU of pods that are not Ready, if they loop.
#          Set aside are, for the first five minutes of the pod (not of the container), those that
#          are not Ready; later only those that were never Ready after their first 30 seconds. A
#          pod older than that whose container is killed, burns CPU while it starts, and is killed
#          again, counts in full: the loop scales the workload up, to maxReplicas.
# Guess:   "the autoscaler ignores pods that are not ready, so a loop does not move it".
# Version: k8s.io/kubernetes v1.37.2
# Source:  pkg/controller/podautoscaler/replica_calculator.go (groupPods)
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

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// What the metrics API answers; the methods that are not called stay absent.
type usage struct {
	metrics.MetricsClient
	pods metrics.PodMetricsInfo
}

func (u usage) GetResourceMetric(context.Context, v1.ResourceName, string, labels.Selector, string) (metrics.PodMetricsInfo, time.Time, error) {
	return u.pods, time.Now(), nil
}

// How many replicas are wanted for ten pods of an age that use nine tenths of a core, having
// requested three, and are not Ready since a while; 0 where all of them are set aside.
func replicas(age, turned time.Duration) int32 {
	now := time.Now()
	pods := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	used := metrics.PodMetricsInfo{}
	for i := range 10 {
		name := fmt.Sprintf("web-%d", i)
		started := metav1.NewTime(now.Add(-age))
		pods.Add(&v1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "prod", Labels: map[string]string{"app": "web"}},
			Spec: v1.PodSpec{Containers: []v1.Container{{Name: "web", Resources: v1.ResourceRequirements{
				Requests: v1.ResourceList{v1.ResourceCPU: resource.MustParse("300m")}}}}},
			Status: v1.PodStatus{Phase: v1.PodRunning, StartTime: &started, Conditions: []v1.PodCondition{{
				Type: v1.PodReady, Status: v1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-turned))}}},
		})
		used[name] = metrics.PodMetric{Timestamp: now, Window: 30 * time.Second, Value: 900}
	}
	// The controller-manager's defaults: five minutes, 30 seconds, a tolerance of a tenth.
	calculator := podautoscaler.NewReplicaCalculator(usage{pods: used}, corelisters.NewPodLister(pods), 5*time.Minute, 30*time.Second)
	wanted, _, _, _, err := calculator.GetResourceReplicas(context.Background(), 10, 100, v1.ResourceCPU,
		podautoscaler.Tolerances{}, "prod", labels.SelectorFromSet(labels.Set{"app": "web"}), "")
	if err != nil {
		return 0
	}
	return wanted
}

func main() {
	wrong := false
	for _, it := range []struct {
		what        string
		age, turned time.Duration
		want        int32
	}{
		{"4 minutes old, was Ready until 20 s ago", 4 * time.Minute, 20 * time.Second, 0},
		{"20 minutes old, never Ready", 20 * time.Minute, 20 * time.Minute, 0},
		{"20 minutes old, Ready for a moment in its first 30 s, never since", 20 * time.Minute, 20*time.Minute - 20*time.Second, 0},
		{"20 minutes old, was Ready until 20 s ago", 20 * time.Minute, 20 * time.Second, 30},
		{"20 minutes old, was Ready until 18 minutes ago", 20 * time.Minute, 18 * time.Minute, 30},
	} {
		got := replicas(it.age, it.turned)
		verdict := "set aside"
		if got > 0 {
			verdict = fmt.Sprintf("counted, %d replicas wanted", got)
		}
		fmt.Printf("10 pods, CPU at 300 %% of the target, not Ready, %s: %s\n", it.what, verdict)
		wrong = wrong || got != it.want
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
./run
