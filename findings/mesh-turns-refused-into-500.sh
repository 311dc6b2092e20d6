#!/usr/bin/env bash
# Claim:   behind Istio's agent, which the sidecar injector puts between kubelet and container, every
#          probe that cannot get an answer comes back as HTTP 500 with an empty body: nobody listens,
#          time-out, HTTPS to a plain port, a refused tcpSocket probe, a gRPC service that the app
#          does not know. The kubelet's event then is `HTTP probe failed with statuscode: 500` for
#          all of them, for gRPC and TCP probes too. Answers of the app (404, 503) go through as
#          they are.
# Guess:   "statuscode: 500 is the app's own word"; "a proxy that cannot reach the app says 502 to 504".
# Version: istio.io/istio v0.0.0-20260827124520-eed52ebb66ad (1.31, August 2026)
# Source:  pilot/cmd/pilot-agent/status/server.go (handleAppProbe…)
# Takes:   a few minutes while Go's build cache is cold, else 15 s. Linux (the agent dials from 127.0.0.6).
set -euo pipefail
version=v0.0.0-20260827124520-eed52ebb66ad
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"istio.io/istio/pilot/cmd/pilot-agent/status"
)

func listen() net.Listener {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return listener
}

func port(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

// A port at which nobody listens.
func free() int {
	listener := listen()
	defer listener.Close()
	return port(listener)
}

func main() {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			fmt.Fprint(w, "ok")
		case "/slow":
			time.Sleep(1500 * time.Millisecond)
		case "/busy":
			http.Error(w, "busy", http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	defer app.Close()
	rpc, rpcAt := grpc.NewServer(), listen()
	grpc_health_v1.RegisterHealthServer(rpc, health.NewServer())
	go rpc.Serve(rpcAt)
	defer rpc.Stop()

	web := port(app.Listener)
	probes := []struct {
		name, what, handler string
		want                int
	}{
		{"a", "HTTP, well", fmt.Sprintf(`"httpGet":{"path":"/health","port":%d}`, web), 200},
		{"b", "HTTP, wrong path", fmt.Sprintf(`"httpGet":{"path":"/v2/health","port":%d}`, web), 404},
		{"c", "HTTP, the app says 503", fmt.Sprintf(`"httpGet":{"path":"/busy","port":%d}`, web), 503},
		{"d", "HTTP, nobody listens", fmt.Sprintf(`"httpGet":{"path":"/health","port":%d}`, free()), 500},
		{"e", "HTTP, time-out", fmt.Sprintf(`"httpGet":{"path":"/slow","port":%d}`, web), 500},
		{"f", "HTTPS to a plain port", fmt.Sprintf(`"httpGet":{"path":"/health","port":%d,"scheme":"HTTPS"}`, web), 500},
		{"g", "TCP, well", fmt.Sprintf(`"tcpSocket":{"port":%d}`, web), 200},
		{"h", "TCP, nobody listens", fmt.Sprintf(`"tcpSocket":{"port":%d}`, free()), 500},
		{"i", "gRPC, well", fmt.Sprintf(`"grpc":{"port":%d,"service":""}`, port(rpcAt)), 200},
		{"j", "gRPC, unknown service", fmt.Sprintf(`"grpc":{"port":%d,"service":"auth"}`, port(rpcAt)), 500},
	}
	probers, comma := "", ""
	for _, it := range probes {
		probers += fmt.Sprintf(`%s"/app-health/%s/livez":{%s,"timeoutSeconds":1}`, comma, it.name, it.handler)
		comma = ","
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	statusPort := free()
	agent, err := status.NewServer(status.Options{
		PodIP: "127.0.0.1", StatusPort: uint16(statusPort), NoEnvoy: true, Context: ctx, KubeAppProbers: "{" + probers + "}",
	})
	if err != nil {
		panic(err)
	}
	go agent.Run(ctx)

	wrong := false
	for _, it := range probes {
		url := fmt.Sprintf("http://127.0.0.1:%d/app-health/%s/livez", statusPort, it.name)
		answer, err := http.Get(url)
		for tries := 0; err != nil && tries < 100; tries++ {
			time.Sleep(100 * time.Millisecond)
			answer, err = http.Get(url)
		}
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		fmt.Printf("%-24s statuscode %d, body %q\n", it.what, answer.StatusCode, body)
		wrong = wrong || answer.StatusCode != it.want || it.want == 500 && len(body) > 0
	}
	if wrong {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod CGO_ENABLED=0
go mod init finding 2>/dev/null
go mod edit -require="istio.io/istio@$version"
echo "istio.io/istio $version"
go build -trimpath -o run .
./run 2>log >said || { cat said log; exit 1; }
grep -E 'statuscode' said
