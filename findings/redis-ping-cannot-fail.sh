#!/usr/bin/env bash
# Claim:   `redis-cli ping` exits 0 whatever Redis answers: a password is wanted, the disk is full
#          (writes refused), a replica without its master. As an exec probe it fails only where
#          nobody listens. With -e it exits 1 for all of them, and so makes a liveness probe that
#          kills a Redis for a wrong password or a full disk. A Redis that cannot save its data
#          moreover refuses SIGTERM, and so ends with 137 when the grace period is over.
# Guess:   "it prints PONG and exits 0, or else exits 1"; "Redis obeys SIGTERM".
# Version: Debian's redis 7.0.15 (redis-server, redis-tools)
# Source:  redis-cli.c (config.set_errcode), server.c (processCommand, prepareForShutdown)
# Takes:   10 s. Linux on a machine with apt and its lists.
set -euo pipefail
folder=$(mktemp -d)
servers=()
finish() {
    for server in "${servers[@]}"; do kill -KILL "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
apt-get download --quiet=2 redis-server redis-tools liblzf1 libjemalloc2 2>log || { cat log; exit 1; }
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
usr/bin/redis-server --version | cut -d ' ' -f 1-3

# start NAME OPTION…: a server at the socket NAME.
start() {
    local name=$1
    shift
    mkdir "data-$name"
    usr/bin/redis-server --port 0 --unixsocket "$folder/$name" --dir "data-$name" --save '' "$@" > "$name.log" &
    servers+=($!)
    for _ in $(seq 100); do
        [ ! -S "$name" ] || return 0
        sleep 0.1
    done
    cat "$name.log"
    return 1
}

start healthy
start password --requirepass secret
start replica --replicaof 127.0.0.1 1 --replica-serve-stale-data no
start disk
# A snapshot that cannot be put in its place, as on a full disk.
mkdir -p data-disk/dump.rdb/occupied
usr/bin/redis-cli -s disk config set save '1000 1' > answer
usr/bin/redis-cli -s disk set key value > answer
usr/bin/redis-cli -s disk bgsave > answer
for _ in $(seq 100); do
    usr/bin/redis-cli -s disk info persistence | grep -q 'rdb_last_bgsave_status:err' && break
    sleep 0.1
done

wrong=0
# expect NAME WORD CODE: what a ping answers, and the exit code with -e.
expect() {
    local code=0 strict=0
    usr/bin/redis-cli -s "$1" ping > answer || code=$?
    usr/bin/redis-cli -e -s "$1" ping > strictly 2>&1 || strict=$?
    printf '%-9s exit %d, with -e %d: %s\n' "$1" "$code" "$strict" "$(head -n 1 answer)"
    grep -q "^$2" answer && [ "$code/$strict" = "0/$3" ] || wrong=1
}
expect healthy PONG 0
expect password NOAUTH 1
expect replica MASTERDOWN 1
expect disk MISCONF 1
# ended NAME PID: what became of a server three seconds after SIGTERM.
ended() {
    kill -TERM "$2"
    for _ in $(seq 30); do
        if ! kill -0 "$2" 2>/dev/null; then echo "$1 ended on SIGTERM"; return; fi
        sleep 0.1
    done
    echo "$1 goes on after SIGTERM: $(grep -o "can't exit" "$1.log" | head -n 1)"
}
healthy=$(ended healthy "${servers[0]}")
disk=$(ended disk "${servers[3]}")
printf '%s\n' "$healthy" "$disk"
[ "$healthy" = 'healthy ended on SIGTERM' ] && [ "$disk" = "disk goes on after SIGTERM: can't exit" ] || wrong=1
if [ "$wrong" = 1 ]; then
    echo "the behaviour has changed"
    exit 1
fi
