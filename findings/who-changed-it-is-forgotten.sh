#!/usr/bin/env bash
# Claim:   managedFields remembers ten updaters of an object. The eleventh makes the two oldest one
#          entry, of a manager "ancient-changes", whose time is the later of the two: the fields of
#          a probe then were changed by nobody, at a time at which somebody else changed something
#          else. Every verb of kubectl is a manager of its own, so an incident with many hands
#          (edit, patch, set, scale, annotate, rollout …) gets there. Entries of server-side apply
#          are not counted.
# Guess:   "managedFields tells who changed a field last, and when".
# Version: k8s.io/client-go v0.37.2, k8s.io/apimachinery v0.37.2 (the API server's own code)
# Source:  k8s.io/apimachinery pkg/util/managedfields/internal/capmanagers.go
# Takes:   a minute while Go's build cache is cold, else 25 s.
set -euo pipefail
# shellcheck source=lib/client-go.bash
. "$(dirname "$0")/lib/client-go.bash"
version=v0.37.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
)

// Who last set the path of the liveness probe, and when; how many entries there are.
func culprit(it *appsv1.Deployment) (string, time.Time, int) {
	for _, entry := range it.ManagedFields {
		if strings.Contains(string(entry.FieldsV1.Raw), `"f:path"`) {
			return entry.Manager, entry.Time.Time, len(it.ManagedFields)
		}
	}
	return "nobody", time.Time{}, len(it.ManagedFields)
}

func main() {
	ctx := context.Background()
	deployments := fake.NewClientset().AppsV1().Deployments("prod")
	labels := map[string]string{"app": "auth"}
	it := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "auth", Namespace: "prod", Annotations: map[string]string{}},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: v1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: v1.PodSpec{Containers: []v1.Container{{Name: "auth", Image: "auth:1", LivenessProbe: &v1.Probe{
					ProbeHandler: v1.ProbeHandler{HTTPGet: &v1.HTTPGetAction{Path: "/health", Port: intstr.FromInt32(8080)}}}}}},
			},
		},
	}
	if _, err := deployments.Create(ctx, it, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		panic(err)
	}
	write := func(manager string, how func(*appsv1.Deployment)) *appsv1.Deployment {
		// Times in managedFields are whole seconds, and what is oldest goes by them.
		time.Sleep(1100 * time.Millisecond)
		now, err := deployments.Get(ctx, "auth", metav1.GetOptions{})
		if err != nil {
			panic(err)
		}
		how(now)
		now, err = deployments.Update(ctx, now, metav1.UpdateOptions{FieldManager: manager})
		if err != nil {
			panic(err)
		}
		return now
	}
	now := write("kubectl-edit", func(it *appsv1.Deployment) {
		it.Spec.Template.Spec.Containers[0].LivenessProbe.HTTPGet.Path = "/v2/health"
	})
	first, changed, _ := culprit(now)
	fmt.Printf("%-18s %s changed the path\n", "kubectl-edit", first)

	by, at, entries := first, changed, 0
	for n, manager := range []string{"kubectl-scale", "kubectl-annotate", "kubectl-set", "kubectl-patch", "kubectl-label",
		"kubectl-rollout", "argocd-controller", "helm", "keda", "kubectl-replace", "flagger"} {
		now = write(manager, func(it *appsv1.Deployment) { it.Annotations[fmt.Sprintf("example.com/note-%d", n)] = "x" })
		by, at, entries = culprit(now)
		fmt.Printf("%-18s %s changed the path, %.0f s later than it was; entries: %d\n", manager, by, at.Sub(changed).Seconds(), entries)
	}
	if first != "kubectl-edit" || by != "ancient-changes" || !at.After(changed) || entries != 10 {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
client_go_module "$version"
echo "k8s.io/client-go $version, k8s.io/apimachinery $version"
go build -trimpath -o run .
./run
