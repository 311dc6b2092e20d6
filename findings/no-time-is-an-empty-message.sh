#!/usr/bin/env bash
# Claim:   in Kubernetes' protobuf a time that is not set is there: as a message without fields,
#          where JSON has `null`. The first second of 1970 is a message too, of four bytes with two
#          zeros. By the rules of protobuf both are the same message; here one of them is no time.
#          A kubelet's event has such a one, its eventTime.
# Guess:   "a message that is there is a value, and zeros need not be written": the event was in 1970.
# Version: k8s.io/client-go v0.37.2 (k8s.io/api, k8s.io/apimachinery)
# Source:  k8s.io/apimachinery/pkg/apis/meta/v1/time_proto.go, micro_time_proto.go
# Takes:   a minute while Go's build cache is cold, else 5 s.
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
	"encoding/json"
	"fmt"
	"os"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	_ "k8s.io/client-go/kubernetes/scheme"
)

func main() {
	wrong := false
	show := func(what string, written []byte, shown any, want string) {
		text, _ := json.Marshal(shown)
		got := fmt.Sprintf("% x in protobuf (%d bytes), %s in JSON", written, len(written), text)
		fmt.Printf("%s: %s\n", what, got)
		wrong = wrong || got != want
	}
	none, epoch := metav1.Time{}, metav1.NewTime(time.Unix(0, 0).UTC())
	bytes, _ := none.Marshal()
	show("no time", bytes, none, " in protobuf (0 bytes), null in JSON")
	bytes, _ = epoch.Marshal()
	show("1970", bytes, epoch, "08 00 10 00 in protobuf (4 bytes), \"1970-01-01T00:00:00Z\" in JSON")

	// Both are read back as what they were: what tells them apart is the length alone.
	var fromNone, fromEpoch metav1.Time
	failed := fromNone.Unmarshal(nil) != nil || fromEpoch.Unmarshal(bytes) != nil
	fmt.Printf("read back: set %v, set %v\n", !fromNone.IsZero(), !fromEpoch.IsZero())
	wrong = wrong || failed || !fromNone.IsZero() || fromEpoch.IsZero()

	// A kubelet's event has no eventTime: its field, number 10, is there with length 0.
	event := v1.Event{FirstTimestamp: epoch, LastTimestamp: epoch}
	body, _ := event.Marshal()
	there := false
	for at := 0; at+1 < len(body); at++ {
		there = there || body[at] == 10<<3|2 && body[at+1] == 0
	}
	fmt.Printf("an event without eventTime: field 10 with length 0 is there: %v\n", there)
	if wrong || !there {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
client_go_module "$version"
echo "k8s.io/client-go $version"
go build -trimpath -o run .
./run
