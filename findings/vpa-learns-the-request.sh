#!/usr/bin/env bash
# Claim:   what the vertical pod autoscaler learns from an out-of-memory kill is the container's
#          request (or its last measured use), not the limit at which it was killed: request 100Mi,
#          limit 2Gi, and it thinks of 200Mi after the first kill and after the hundredth, as long
#          as the request stays and no sample catches the peak. Kills of sidecars are not seen at all, nor is one
#          whose status goes from running to CrashLoopBackOff in one update.
# Guess:   "each kill raises the recommendation until it fits"; "it sees every OOMKilled".
# Version: k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1
# Source:  pkg/recommender/input/oom/observer.go, pkg/recommender/model/container.go (RecordOOM)
# Takes:   two minutes while Go's build cache is cold, else 10 s.
set -euo pipefail
version=v1.8.1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/input/oom"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/utils/ptr"
)

const mebibyte = 1024 * 1024

var end = &v1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, FinishedAt: metav1.Now()}

func memory(text string) v1.ResourceList { return v1.ResourceList{v1.ResourceMemory: resource.MustParse(text)} }

func container(name string) v1.Container {
	return v1.Container{Name: name, Resources: v1.ResourceRequirements{Requests: memory("100Mi"), Limits: memory("2Gi")}}
}

func pod(web, sidecar v1.ContainerStatus) *v1.Pod {
	proxy := container("proxy")
	proxy.RestartPolicy = ptr.To(v1.ContainerRestartPolicyAlways)
	web.Name, sidecar.Name = "web", "proxy"
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "prod"},
		Spec:       v1.PodSpec{Containers: []v1.Container{container("web")}, InitContainers: []v1.Container{proxy}},
		Status: v1.PodStatus{ContainerStatuses: []v1.ContainerStatus{web},
			InitContainerStatuses: []v1.ContainerStatus{sidecar}},
	}
}

func main() {
	runs := v1.ContainerState{Running: &v1.ContainerStateRunning{}}
	ended := v1.ContainerState{Terminated: end}
	waits := v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	wrong := false
	for _, it := range []struct {
		what         string
		web, sidecar v1.ContainerStatus
		want         int
	}{
		{"running, then terminated", v1.ContainerStatus{State: ended}, v1.ContainerStatus{State: runs}, 100},
		{"running, then running again", v1.ContainerStatus{State: runs, RestartCount: 1, LastTerminationState: ended}, v1.ContainerStatus{State: runs}, 100},
		{"running, then CrashLoopBackOff", v1.ContainerStatus{State: waits, LastTerminationState: ended}, v1.ContainerStatus{State: runs}, 0},
		{"a sidecar: running, then terminated", v1.ContainerStatus{State: runs}, v1.ContainerStatus{State: ended}, 0},
	} {
		observer := oom.NewObserver()
		observer.OnUpdate(pod(v1.ContainerStatus{State: runs}, v1.ContainerStatus{State: runs}), pod(it.web, it.sidecar))
		got, said := 0, "not seen"
		if seen := observer.GetObservedOomsChannel(); len(seen) == 1 {
			got = int((<-seen).Memory) / mebibyte
			said = fmt.Sprintf("seen, of %d MiB", got)
		}
		fmt.Printf("OOMKilled at 2 GiB, request 100 MiB; %s: %s\n", it.what, said)
		wrong = wrong || got != it.want
	}

	state := model.NewContainerState(model.Resources{model.ResourceMemory: 100 * mebibyte}, model.NewAggregateContainerState())
	for n := 1; n <= 100; n++ {
		if err := state.RecordOOM(time.Now(), 100*mebibyte); err != nil {
			panic(err)
		}
		if n == 1 || n == 100 {
			peak := int(state.GetMaxMemoryPeak()) / mebibyte
			fmt.Printf("peak after %d kills: %d MiB\n", n, peak)
			wrong = wrong || peak != 200
		}
	}
	if wrong {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod CGO_ENABLED=0
go mod init finding 2>/dev/null
for part in api apimachinery client-go metrics component-base; do go mod edit -require="k8s.io/$part@v0.37.2"; done
go mod edit -require="k8s.io/autoscaler/vertical-pod-autoscaler@$version"
echo "k8s.io/autoscaler/vertical-pod-autoscaler $version"
go build -trimpath -o run .
./run 2>log || { cat log; exit 1; }
