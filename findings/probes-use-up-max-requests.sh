#!/usr/bin/env bash
# Claim:   `uvicorn --limit-max-requests N` ends the whole server after N requests, exit code 0, and
#          probes are requests. An idle pod thus ends again and again after N/2 periods (liveness
#          and readiness each ask once a period): a constant uptime, on the lattice of the probes,
#          exit code 0 right after a probe that passed. From status alone that looks like a probe
#          kill of an app that obeys SIGTERM. gunicorn's --max-requests recycles only a worker.
# Guess:   "it recycles a worker, the server goes on; and only real traffic counts".
# Version: uvicorn 0.54.0, gunicorn 27.0.1 (PyPI)
# Source:  uvicorn/server.py (on_tick), gunicorn/workers/base.py
# Takes:   20 s.
set -euo pipefail
folder=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check uvicorn==0.54.0 gunicorn==27.0.1
env/bin/pip list --format freeze | grep -E '^(uvicorn|gunicorn)=='

cat > app.py <<'PY'
async def serve(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]
PY

# Prints the port, once the server says where it listens.
listening() {
    for _ in $(seq 300); do
        port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\).*|\1|p' log | head -n 1)
        if [ -n "$port" ]; then return; fi
        sleep 0.1
    done
    cat log
    return 1
}

# Both probes once a period of half a second, as the kubelet asks, for at most ten periods; prints
# in which period the server was gone.
probe() {
    for period in $(seq 10); do
        for _ in liveness readiness; do
            curl -s -o answer -A kube-probe/1.37 -H 'Connection: close' "http://127.0.0.1:$port/health" || true
        done
        sleep 0.5
        if ! kill -0 "$server" 2>/dev/null; then echo "$period"; return; fi
    done
    echo never
}

wrong=0
for run in 1 2; do
    env/bin/uvicorn app:serve --lifespan off --port 0 --limit-max-requests 8 > log 2>&1 &
    server=$!
    listening
    gone=$(probe)
    code=0
    wait "$server" || code=$?
    server=
    echo "uvicorn, run $run: two probes a period, limit 8: gone in period $gone, exit code $code: $(grep -o 'Maximum request.*' log)"
    [ "$gone/$code" = 4/0 ] || wrong=1
done

env/bin/gunicorn --bind 127.0.0.1:0 --max-requests 8 app:wsgi > log 2>&1 &
server=$!
listening
gone=$(probe)
workers=$(grep -c 'Booting worker' log)
echo "gunicorn: two probes a period, limit 8: gone in period $gone, workers started: $workers"
[ "$gone" = never ] && [ "$workers" -gt 1 ] || wrong=1
if [ "$wrong" = 1 ]; then
    echo "the behaviour has changed"
    exit 1
fi
