#!/usr/bin/env bash
# Claim:   when a ReplicaSet gets smaller, the pods that loop go first: those that are not Ready,
#          most restarts first, then those that became Ready last, as a loop between two kills does.
#          A loop of some pods (one node, one bad volume) is thus "cured" by scaling in, and comes
#          back when it scales out. Among Ready pods restarts count for nothing: of two that are
#          Ready about equally long, on a scale of powers of two, the UID decides.
# Guess:   "it takes the newest, or any"; "pods with more restarts go first" (so says the
#          source's own list, but behind a comparison that is hardly ever equal).
# Version: k8s.io/kubernetes v1.37.2
# Source:  pkg/controller/controller_utils.go (ActivePodsWithRanks.Less)
# Takes:   a minute while Go's build cache is cold, else 10 s.
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
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kubernetes/pkg/controller"
)

var now = time.Now().Truncate(time.Second)

// A pod of ten days that has been Ready, or not, for a while; the UID is the order of the list.
func pod(uid int, name string, ready v1.ConditionStatus, since time.Duration, restarts int32) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(fmt.Sprint(uid)), CreationTimestamp: metav1.NewTime(now.Add(-240 * time.Hour))},
		Spec:       v1.PodSpec{NodeName: "node"},
		Status: v1.PodStatus{Phase: v1.PodRunning,
			Conditions:        []v1.PodCondition{{Type: v1.PodReady, Status: ready, LastTransitionTime: metav1.NewTime(now.Add(-since))}},
			ContainerStatuses: []v1.ContainerStatus{{Name: "web", RestartCount: restarts}}},
	}
}

// The order in which a ReplicaSet would remove them.
func order(pods ...*v1.Pod) string {
	sort.Sort(controller.ActivePodsWithRanks{Pods: pods, Rank: make([]int, len(pods)), Now: metav1.NewTime(now)})
	var names []string
	for _, it := range pods {
		names = append(names, it.Name)
	}
	return strings.Join(names, "; ")
}

func main() {
	well := pod(1, "well", v1.ConditionTrue, 200*time.Hour, 0)
	between := pod(2, "loops, Ready since 5 s", v1.ConditionTrue, 5*time.Second, 40)
	down := pod(3, "loops, not Ready", v1.ConditionFalse, 5*time.Second, 40)
	young := pod(4, "looped, Ready since 100 h", v1.ConditionTrue, 100*time.Hour, 90)
	peer := pod(5, "restarted 90 times, Ready since 190 h", v1.ConditionTrue, 190*time.Hour, 90)
	wrong := false
	for _, it := range []struct{ got, want string }{
		{order(well, between, down, young), "loops, not Ready; loops, Ready since 5 s; looped, Ready since 100 h; well"},
		{order(peer, well), "well; restarted 90 times, Ready since 190 h"},
	} {
		fmt.Println("removed in this order: " + it.got)
		wrong = wrong || it.got != it.want
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
