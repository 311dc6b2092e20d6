#!/usr/bin/env bash
# Claim:   a gRPC probe without `service` asks for the status of the service "", which is no summary
#          of the others. grpc-go and Python say SERVING for it, whatever their services say, until
#          somebody sets it: such a probe cannot fail. Node's grpc-health-check does not know it
#          unless somebody set it: such a probe kills a healthy server, for NotFound. What the
#          kubelet then writes ends in the server's words, of which Python has none at all
#          (`code = NotFound desc = `).
# Guess:   "without a service the whole server is asked, in the same way by every library"; "NotFound
#          reads `unknown service`".
# Version: k8s.io/kubernetes v1.37.2 (the kubelet's prober), google.golang.org/grpc of its choice;
#          grpcio-health-checking 1.85.1 (PyPI); grpc-health-check 2.1.0, @grpc/grpc-js 1.14.7 (npm)
# Source:  pkg/probe/grpc/grpc.go; health/server.go; grpc_health/v1/health.py; build/src/health.js
# Takes:   a few minutes while Go's build cache is cold, else 30 s. Needs Python and Node.
set -euo pipefail
# shellcheck source=lib/kubernetes.bash
. "$(dirname "$0")/lib/kubernetes.bash"
version=v1.37.2
folder=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check grpcio-health-checking==1.85.1 grpcio==1.85.1
npm install --silent --no-audit --no-fund grpc-health-check@2.1.0 @grpc/grpc-js@1.14.7

# Three servers whose only service, auth, is NOT_SERVING.
cat > serve.py <<'PY'
import concurrent.futures, grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server = grpc.server(concurrent.futures.ThreadPoolExecutor())
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
servicer.set("auth", health_pb2.HealthCheckResponse.NOT_SERVING)
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
PY
cat > serve.js <<'JS'
const grpc = require("@grpc/grpc-js");
const { HealthImplementation } = require("grpc-health-check");

const server = new grpc.Server();
new HealthImplementation({ auth: "NOT_SERVING" }).addToServer(server);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) => console.log(port));
JS
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	probe "k8s.io/kubernetes/pkg/probe/grpc"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	status, server := health.NewServer(), grpc.NewServer()
	status.SetServingStatus("auth", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
	grpc_health_v1.RegisterHealthServer(server, status)
	go server.Serve(listener)

	python, _ := strconv.Atoi(os.Args[1])
	node, _ := strconv.Atoi(os.Args[2])
	notFound := "failure: error: health rpc probe failed: rpc error: code = NotFound desc = "
	notServing := `failure: service unhealthy (responded with "NOT_SERVING")`
	wrong := false
	for _, it := range []struct {
		name                    string
		port                    int
		overall, known, unknown string
	}{
		{"go", listener.Addr().(*net.TCPAddr).Port, "success: service healthy", notServing, notFound + "unknown service"},
		{"python", python, "success: service healthy", notServing, notFound},
		{"node", node, notFound + "Health status unknown for service ", notServing, notFound + "Health status unknown for service other"},
	} {
		for _, asked := range []struct{ service, want string }{{"", it.overall}, {"auth", it.known}, {"other", it.unknown}} {
			result, words, err := probe.New().Probe("127.0.0.1", asked.service, it.port, 10*time.Second, probe.ProbeOptions{})
			if err != nil {
				panic(err)
			}
			said := fmt.Sprintf("%s: %s", result, words)
			fmt.Printf("%-7s service %-8q %s\n", it.name, asked.service, said)
			wrong = wrong || said != asked.want
		}
	}
	if wrong {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
kubernetes_module "$version"
env/bin/pip list --format freeze | grep grpcio
npm ls --parseable --long --depth 0 | sed -n 's/.*:\(.*grpc.*@.*\)/\1/p'
go build -trimpath -o run .
echo "k8s.io/kubernetes $version, $(go list -m google.golang.org/grpc)"

env/bin/python serve.py > python.port &
servers+=($!)
node serve.js > node.port &
servers+=($!)
for _ in $(seq 300); do
    if [ -s python.port ] && [ -s node.port ]; then break; fi
    sleep 0.1
done
./run "$(cat python.port)" "$(cat node.port)" 2>log || { cat log; exit 1; }
