#!/usr/bin/env bash
# Claim:   a pod that has no container port of the name in a Service's targetPort still is an
#          endpoint with ready: true, in an EndpointSlice of its own that has no ports. Ready
#          endpoints can be counted there (and are, by kubectl and dashboards), while nothing
#          can be sent to them. A rollout that renames a port does that, with every pod Ready.
#          Where two containers have a port of that name the first in the list is taken, which
#          need not be the one whose probe passed; sidecars come last.
# Guess:   "N of N endpoints ready means that the Service works"; "such a pod is left out".
# Version: k8s.io/kubernetes v1.37.2 (k8s.io/endpointslice v0.37.2)
# Source:  k8s.io/endpointslice utils.go (getEndpointPorts, FindPort), reconciler.go
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
	"reflect"
	"sort"
	"time"

	v1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/testing"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/utils/ptr"
)

func container(name, port string, number int32) v1.Container {
	return v1.Container{Name: name, Ports: []v1.ContainerPort{{Name: port, ContainerPort: number, Protocol: v1.ProtocolTCP}}}
}

func pod(name, ip string, sidecars []v1.Container, containers ...v1.Container) *v1.Pod {
	for i := range sidecars {
		sidecars[i].RestartPolicy = ptr.To(v1.ContainerRestartPolicyAlways)
	}
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "prod", Labels: map[string]string{"app": "auth"}},
		Spec:       v1.PodSpec{NodeName: "node", InitContainers: sidecars, Containers: containers},
		Status: v1.PodStatus{Phase: v1.PodRunning, PodIP: ip, PodIPs: []v1.PodIP{{IP: ip}},
			Conditions: []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}}},
	}
}

func main() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := fake.NewSimpleClientset(
		&v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}},
		&v1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: "auth", Namespace: "prod"},
			Spec: v1.ServiceSpec{ClusterIP: "10.96.0.9", IPFamilies: []v1.IPFamily{v1.IPv4Protocol}, Selector: map[string]string{"app": "auth"},
				Ports: []v1.ServicePort{{Name: "web", Port: 80, Protocol: v1.ProtocolTCP, TargetPort: intstr.FromString("http")}}},
		},
		pod("old", "10.0.0.1", nil, container("auth", "http", 8080)),
		pod("renamed", "10.0.0.2", nil, container("auth", "web", 8080)),
		pod("two", "10.0.0.3", nil, container("metrics", "http", 9090), container("auth", "http", 8080)),
		pod("sidecar", "10.0.0.4", []v1.Container{container("proxy", "http", 15001)}, container("auth", "http", 8080)),
	)
	// An API server makes names of prefixes; the client here leaves that to us.
	named := 0
	client.PrependReactor("create", "endpointslices", func(action testing.Action) (bool, runtime.Object, error) {
		named++
		action.(testing.CreateAction).GetObject().(*discoveryv1.EndpointSlice).Name = fmt.Sprintf("auth-%d", named)
		return false, nil, nil
	})
	factory := informers.NewSharedInformerFactory(client, 0)
	controller := endpointslice.NewController(ctx, factory.Core().V1().Pods(), factory.Core().V1().Services(),
		factory.Core().V1().Nodes(), factory.Discovery().V1().EndpointSlices(), 100, client, 0)
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go controller.Run(ctx, 1)

	var seen []string
	for until := time.Now().Add(time.Minute); time.Now().Before(until) && len(seen) < 4; time.Sleep(100 * time.Millisecond) {
		seen = nil
		slices, err := client.DiscoveryV1().EndpointSlices("prod").List(ctx, metav1.ListOptions{})
		if err != nil {
			panic(err)
		}
		for _, slice := range slices.Items {
			ports := "no port"
			for _, port := range slice.Ports {
				ports = fmt.Sprintf("port %d", *port.Port)
			}
			for _, endpoint := range slice.Endpoints {
				seen = append(seen, fmt.Sprintf("%s ready=%t %s", endpoint.Addresses[0], *endpoint.Conditions.Ready, ports))
			}
		}
		sort.Strings(seen)
	}
	for _, line := range seen {
		fmt.Println(line)
	}
	if !reflect.DeepEqual(seen, []string{
		"10.0.0.1 ready=true port 8080",
		"10.0.0.2 ready=true no port",
		"10.0.0.3 ready=true port 9090",
		"10.0.0.4 ready=true port 8080",
	}) {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
kubernetes_module "$version"
echo "k8s.io/kubernetes $version"
go build -trimpath -o run .
./run 2>log || { cat log; exit 1; }
