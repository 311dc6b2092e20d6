#!/usr/bin/env bash
# Claim:   Kubernetes' protobuf is two formats. A list, a single object and an error begin with the
#          magic `k8s\0` and an envelope. A message of a watch does not: after its four bytes of
#          length a bare WatchEvent follows, and the magic comes inside of it, before each object.
#          A reader that checks the magic where the message begins refuses every watch, and one that
#          does not know it inside reads each object as garbage that is nearly valid protobuf.
# Guess:   "the body is protobuf of the type that the content type names, in a stream as elsewhere".
# Version: k8s.io/client-go v0.37.2, whose codecs are the API server's
# Source:  k8s.io/apimachinery/pkg/runtime/serializer/protobuf (Serializer, RawSerializer)
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
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
)

var magic = []byte("k8s\x00")

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	info, found := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	if !found {
		panic("no protobuf")
	}
	encoder := scheme.Codecs.EncoderForVersion(info.Serializer, v1.SchemeGroupVersion)
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "prod"}}
	var object, list, stream bytes.Buffer
	check(encoder.Encode(pod, &object))
	check(encoder.Encode(&v1.PodList{Items: []v1.Pod{*pod}}, &list))

	// As the API server writes a watch: the object by the one serializer, the event by the other, framed.
	event := &metav1.WatchEvent{Type: "ADDED", Object: runtime.RawExtension{Raw: object.Bytes()}}
	framed := info.StreamSerializer.Framer.NewFrameWriter(&stream)
	check(info.StreamSerializer.Serializer.Encode(event, framed))
	frame := stream.Bytes()
	length := int(binary.BigEndian.Uint32(frame))

	// The list's only item: without an envelope of its own.
	inList := bytes.Count(list.Bytes(), magic)
	begins := bytes.HasPrefix(frame[4:], magic)
	within := bytes.Index(frame[4:], magic)
	fmt.Printf("a pod begins with %q\n", object.Bytes()[:4])
	fmt.Printf("a list begins with %q, which it has %d time(s): its items have none\n", list.Bytes()[:4], inList)
	fmt.Printf("a message of a watch: length %d of %d bytes after it, then %q; the magic comes at byte %d of it\n",
		length, len(frame)-4, frame[4:11], within)
	if !bytes.HasPrefix(object.Bytes(), magic) || !bytes.HasPrefix(list.Bytes(), magic) || inList != 1 ||
		begins || within <= 0 || length != len(frame)-4 {
		fmt.Println("the behaviour has changed")
		os.Exit(1)
	}
}
GO
client_go_module "$version"
echo "k8s.io/client-go $version"
go build -trimpath -o run .
./run
