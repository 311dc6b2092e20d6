#!/usr/bin/env bash
# Claim:   the same manifest has other probes for other readers. `initialDelaySeconds: 010` is 8
#          seconds in the cluster (kubectl and Helm read YAML 1.1's octal); serde-saphyr, which reads
#          YAML 1.2, makes it the float 10.0, and refuses it where an integer is wanted. A probe that stands twice in a container is no error for kubectl: the last one
#          counts, and the strict validation of the API server never sees the first. serde-saphyr
#          refuses the whole document.
# Guess:   "what reads YAML sees what kubectl sends".
# Version: sigs.k8s.io/yaml v1.6.0 (kubectl 1.37, Helm 4), serde-saphyr 2.1.1, PyYAML 6.0.3
# Source:  sigs.k8s.io/yaml yaml.go (YAMLToJSON, YAMLToJSONStrict)
# Takes:   a minute while Cargo's cache is cold, else 20 s. Needs Go, Cargo and Python.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

printf '%s\n' 'initialDelaySeconds: 010' > octal
printf '%s\n' 'initialDelaySeconds: 0o10' > new-octal
printf '%s\n' 'livenessProbe: {periodSeconds: 5}' 'livenessProbe: {periodSeconds: 50}' > twice

mkdir cluster rust/src -p
cat > cluster/main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		read, err := yaml.YAMLToJSON(text)
		said := string(read)
		if err != nil {
			said = "error"
		}
		strict := ""
		if _, err := yaml.YAMLToJSONStrict(text); err != nil {
			strict = " (strictly: " + strings.Join(strings.Fields(err.Error()), " ") + ")"
		}
		fmt.Printf("%s: %s%s\n", name, said, strict)
	}
}
GO
cat > rust/Cargo.toml <<'TOML'
[package]
name = "reader"
version = "0.0.0"
edition = "2024"

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde-saphyr = "=2.1.1"
serde_json = "=1.0.154"
TOML
cat > rust/src/main.rs <<'RS'
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    initial_delay_seconds: i32,
}

fn main() {
    for name in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&name).expect("a file of this script");
        match serde_saphyr::from_str::<serde_json::Value>(&text) {
            Ok(value) => println!("{name}: {value}"),
            Err(_) => println!("{name}: error"),
        }
        if text.starts_with("initialDelaySeconds") {
            let said = match serde_saphyr::from_str::<Probe>(&text) {
                Ok(probe) => probe.initial_delay_seconds.to_string(),
                Err(_) => "error".to_owned(),
            };
            println!("{name}, where an integer is wanted: {said}");
        }
    }
}
RS
(
    cd cluster
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    go mod init finding 2>/dev/null
    go mod edit -require=sigs.k8s.io/yaml@v1.6.0
    go build -trimpath -o ../cluster-reader .
)
CARGO_PROFILE_DEV_DEBUG=0 cargo build --quiet --manifest-path rust/Cargo.toml
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check PyYAML==6.0.3
cat > read.py <<'PY'
import json, sys, yaml

for name in sys.argv[1:]:
    print(f"{name}: {json.dumps(yaml.safe_load(open(name)), separators=(',', ':'))}")
PY

files=(octal new-octal twice)
echo "== sigs.k8s.io/yaml v1.6.0"
./cluster-reader "${files[@]}" | tee got
echo "== serde-saphyr 2.1.1"
rust/target/debug/reader "${files[@]}" | tee -a got
echo "== PyYAML 6.0.3"
env/bin/python read.py "${files[@]}" | tee -a got
cat > wanted <<'SAID'
octal: {"initialDelaySeconds":8}
new-octal: {"initialDelaySeconds":8}
twice: {"livenessProbe":{"periodSeconds":50}} (strictly: yaml: unmarshal errors: line 2: key "livenessProbe" already set in map)
octal: {"initialDelaySeconds":10.0}
octal, where an integer is wanted: error
new-octal: {"initialDelaySeconds":8}
new-octal, where an integer is wanted: 8
twice: error
octal: {"initialDelaySeconds":8}
new-octal: {"initialDelaySeconds":"0o10"}
twice: {"livenessProbe":{"periodSeconds":50}}
SAID
if ! cmp -s got wanted; then
    echo "the behaviour has changed"
    exit 1
fi
