#!/usr/bin/env bash
# Claim:   `kubectl rollout undo deployment/X` restores the annotations of the Deployment itself
#          too: what was set since the older revision (a silence, a ticket, an owner) is gone, and
#          what had been removed since then is back. And --to-revision works once: the revision
#          gets a new number, so the same command pasted again is an error.
# Guess:   "undo restores the pod template and nothing else"; "pasting it twice does no harm".
# Version: k8s.io/kubernetes v1.37.2, k8s.io/kubectl v0.37.2
# Source:  k8s.io/kubectl pkg/polymorphichelpers/rollback.go (DeploymentRollbacker.Rollback),
#          pkg/controller/deployment/util/deployment_util.go (SetNewReplicaSetAnnotations)
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
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/testing"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	"k8s.io/kubectl/pkg/polymorphichelpers"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/utils/ptr"
)

const revision = "deployment.kubernetes.io/revision"

type cluster struct {
	context.Context
	*fake.Clientset
}

func (c cluster) get() *appsv1.Deployment {
	it, err := c.AppsV1().Deployments("prod").Get(c, "auth", metav1.GetOptions{})
	if err != nil {
		panic(err)
	}
	return it
}

// Changes the Deployment, against the controller's own updates if need be.
func (c cluster) change(how func(*appsv1.Deployment)) {
	it := c.get()
	how(it)
	if _, err := c.AppsV1().Deployments("prod").Update(c, it, metav1.UpdateOptions{}); err != nil {
		panic(err)
	}
}

// Waits until the controller made the Deployment this revision, and its ReplicaSet carries a mark.
func (c cluster) settle(number, mark string) {
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		sets, _ := c.AppsV1().ReplicaSets("prod").List(c, metav1.ListOptions{})
		for _, set := range sets.Items {
			_, marked := set.Annotations[mark]
			if set.Annotations[revision] == number && marked && c.get().Annotations[revision] == number {
				time.Sleep(time.Second)
				return
			}
		}
	}
	panic("revision " + number + " never came")
}

func (c cluster) undo(to int64) string {
	rollbacker, err := polymorphichelpers.RollbackerFor(schema.GroupKind{Group: "apps", Kind: "Deployment"}, c)
	if err != nil {
		panic(err)
	}
	said, err := rollbacker.Rollback(c.get(), nil, to, cmdutil.DryRunNone)
	if err != nil {
		return "error: " + err.Error()
	}
	return said
}

func (c cluster) show(when string) string {
	it := c.get()
	_, old := it.Annotations["example.com/old-note"]
	_, silence := it.Annotations["example.com/silence"]
	line := fmt.Sprintf("path %s, revision %s, old note %t, silence %t",
		it.Spec.Template.Spec.Containers[0].LivenessProbe.HTTPGet.Path, it.Annotations[revision], old, silence)
	fmt.Printf("%-36s %s\n", when, line)
	return line
}

func template(path string) v1.PodTemplateSpec {
	return v1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "auth"}},
		Spec: v1.PodSpec{Containers: []v1.Container{{Name: "auth", Image: "auth:1", LivenessProbe: &v1.Probe{
			ProbeHandler: v1.ProbeHandler{HTTPGet: &v1.HTTPGetAction{Path: path, Port: intstr.FromInt32(8080)}}}}}},
	}
}

func main() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := fake.NewSimpleClientset(&appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "auth", Namespace: "prod", UID: "1", Annotations: map[string]string{"example.com/old-note": "x"}},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](0), RevisionHistoryLimit: ptr.To[int32](10), Template: template("/health"),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "auth"}},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}},
	})
	// An API server gives UIDs and versions; the client here leaves that to us.
	version := 0
	client.PrependReactor("*", "replicasets", func(action testing.Action) (bool, runtime.Object, error) {
		if written, ok := action.(interface{ GetObject() runtime.Object }); ok {
			version++
			set := written.GetObject().(*appsv1.ReplicaSet)
			set.UID = types.UID(set.Name)
			set.ResourceVersion = strconv.Itoa(version)
		}
		return false, nil, nil
	})
	c := cluster{ctx, client}
	factory := informers.NewSharedInformerFactory(c, 0)
	controller, err := deployment.NewDeploymentController(ctx, factory.Apps().V1().Deployments(), factory.Apps().V1().ReplicaSets(),
		factory.Core().V1().Pods(), c)
	if err != nil {
		panic(err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)

	c.settle("1", "example.com/old-note")
	c.show("as it was")
	c.change(func(it *appsv1.Deployment) {
		delete(it.Annotations, "example.com/old-note")
		it.Annotations["example.com/kept"] = "x"
		it.Spec.Template = template("/v2/health")
	})
	c.settle("2", "example.com/kept")
	c.change(func(it *appsv1.Deployment) { it.Annotations["example.com/silence"] = "until tomorrow" })
	c.settle("2", "example.com/silence")
	before := c.show("the incident, silenced")
	said := c.undo(1)
	c.settle("3", "example.com/old-note")
	after := c.show("rollout undo --to-revision=1: " + said)
	again := c.undo(1)
	fmt.Println("rollout undo --to-revision=1, again: " + again)

	if before != "path /v2/health, revision 2, old note false, silence true" || said != "rolled back" ||
		after != "path /health, revision 3, old note true, silence false" ||
		again != "error: unable to find specified revision 1 in history" {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
kubernetes_module "$version"
echo "k8s.io/kubernetes $version, k8s.io/kubectl v0.${version#v1.}"
go build -trimpath -o run .
./run 2>log || { cat log; exit 1; }
