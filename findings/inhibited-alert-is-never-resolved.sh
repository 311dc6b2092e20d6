#!/usr/bin/env bash
# Claim:   an alert that a receiver was told of, and that ends while it is inhibited, is never told
#          as resolved, neither then nor when the inhibition is over. Where the severity is a label
#          and critical inhibits warning (the usual rule), an escalation does just that: the warning
#          ends and is inhibited in the same moment, and stays open at its receiver for ever.
# Guess:   "send_resolved tells the end of all that was told; inhibition only holds back new alerts".
# Version: github.com/prometheus/alertmanager v0.35.0
# Source:  notify/notify.go (MuteStage), dispatch/dispatch.go (aggrGroup.flush)
# Takes:   some minutes while Go's build cache is cold, else a minute. Needs Python.
set -euo pipefail
version=v0.35.0
folder=$(mktemp -d)
started=()
finish() {
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; wait "$process" 2>/dev/null || true; done
    chmod -R u+w "$folder"
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"

# The pages of its user interface are no part of the module, but have to be there to be compiled in.
source=$(go mod download -json "github.com/prometheus/alertmanager@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$source" source
chmod -R u+w source
mkdir -p source/ui/app/dist/elm source/ui/app/dist/mantine
touch source/ui/app/dist/elm/index.html source/ui/app/dist/mantine/index.html
(cd source && GOFLAGS=-mod=mod CGO_ENABLED=0 go build -trimpath -o ../alertmanager ./cmd/alertmanager)
echo "github.com/prometheus/alertmanager $version"

cat > receive.py <<'PY'
import http.server, json, sys

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in said["alerts"]:
            labels = alert["labels"]
            print(said["receiver"], labels["workload"], labels["severity"], alert["status"], flush=True)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, file=open(sys.argv[1], "w"), flush=True)
server.serve_forever()
PY
python3 receive.py receiver > told &
started+=($!)
for _ in $(seq 100); do [ ! -s receiver ] || break; sleep 0.1; done

cat > alertmanager.yml <<YAML
route:
  receiver: team
  group_by: [alertname, workload]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 12h
  routes:
    - receiver: oncall
      matchers: [severity = critical]
inhibit_rules:
  - source_matchers: [severity = critical]
    target_matchers: [severity = warning]
    equal: [alertname, workload]
receivers:
  - name: team
    webhook_configs: [{url: "http://127.0.0.1:$(cat receiver)", send_resolved: true}]
  - name: oncall
    webhook_configs: [{url: "http://127.0.0.1:$(cat receiver)", send_resolved: true}]
YAML
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
./alertmanager --config.file alertmanager.yml --storage.path data --cluster.listen-address '' \
    --web.listen-address "127.0.0.1:$port" > log 2>&1 &
started+=($!)
for _ in $(seq 300); do curl -sf "http://127.0.0.1:$port/-/ready" > answer && break; sleep 0.1; done

# alert WORKLOAD SEVERITY [over]: one alert as JSON.
alert() {
    local ends=''
    [ $# -lt 3 ] || ends=", \"endsAt\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\""
    printf '{"labels": {"alertname": "Looping", "workload": "%s", "severity": "%s"}, "startsAt": "%s"%s}' \
        "$1" "$2" "$begin" "$ends"
}
post() { curl -sf -H 'Content-Type: application/json' -d "[$1]" "http://127.0.0.1:$port/api/v2/alerts"; }
# heard WORDS: waits until a receiver was told so.
heard() {
    for _ in $(seq 200); do
        ! grep -qx "$1" told || return 0
        sleep 0.1
    done
    echo "never told: $1"
}

begin=$(date -u -d '-1 minute' +%Y-%m-%dT%H:%M:%SZ)
post "$(alert plain warning), $(alert escalates warning)"
heard 'team plain warning firing'
heard 'team escalates warning firing'
post "$(alert plain warning over), $(alert escalates warning over), $(alert escalates critical)"
heard 'team plain warning resolved'
heard 'oncall escalates critical firing'
sleep 6
post "$(alert escalates critical over)"
heard 'oncall escalates critical resolved'
sleep 10
cat told
sort told > got
sort > wanted <<'TOLD'
team plain warning firing
team plain warning resolved
team escalates warning firing
oncall escalates critical firing
oncall escalates critical resolved
TOLD
if ! cmp -s got wanted; then
    echo "the behaviour has changed"
    exit 1
fi
