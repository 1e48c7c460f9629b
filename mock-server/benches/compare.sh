#!/bin/sh
# Loads the mock, plain wiremock and plain hyper with wrk, one after the other, and prints a table:
# requests a second, latency, processor time for each 1,000 requests, memory; then a million
# requests at the mock alone, with its memory on the way.
#
# Usage: mock-server/benches/compare.sh [seconds] [connections] [requests for the memory part]
# Needs wrk (https://github.com/wg/wrk; Debian: apt-get install wrk) and Linux's /proc.
set -eu

seconds=${1:-8}
connections=${2:-32}
million=${3:-1000000}
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(mktemp -d)
pid=
trap 'test -z "$pid" || kill "$pid" 2>/dev/null; exec 3>&- || true; rm -rf "$out"' EXIT
command -v wrk >/dev/null || { echo "failed to find wrk: install it first" >&2; exit 2; }
# The mock needs three files for each connection.
ulimit -n "$(ulimit -Hn)"

cd "$root"
cargo build --quiet --release -p mock-server --examples
bin=${CARGO_TARGET_DIR:-target}/release/examples
ticks=$(getconf CLK_TCK)

cpu_ms() { # user and system time of the server so far
    awk -v ticks="$ticks" '{ print int(($14 + $15) * 1000 / ticks) }' "/proc/$pid/stat"
}
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }

start() { # name, command: waits for the line that names the address
    name=$1
    shift
    : >"$out/$name"
    rm -f "$out/stdin"
    mkfifo "$out/stdin"
    "$@" <"$out/stdin" >"$out/$name" &
    pid=$!
    exec 3>"$out/stdin"
    until test -s "$out/$name"; do
        kill -0 "$pid" || { echo "failed to start $name" >&2; exit 1; }
        sleep 0.1
    done
    read -r url key <"$out/$name" || true
}
finish() {
    exec 3>&-
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    pid=
}
load() { # seconds, connections: leaves wrk's words in $out/wrk
    wrk -t1 -c"$2" -d"$1s" --latency -H "Authorization: Bearer ${key:-none}" \
        "$url/v1/profiles/tail-0001" >"$out/wrk"
    if grep -E 'Non-2xx|Socket errors' "$out/wrk"; then
        echo "failed to measure: not every answer was right" >&2
        exit 1
    fi
}
requests() { awk '/requests in/ { print $1 }' "$out/wrk"; }
word() { awk -v name="$1" '$1 == name { print $2 }' "$out/wrk"; }

row() { # name, command
    start "$@"
    for many in 1 "$connections"; do
        load 1 "$many" # warms up, and is not counted
        cpu=$(cpu_ms) rss=$(rss_kb)
        load "$seconds" "$many"
        cpu=$(($(cpu_ms) - cpu)) count=$(requests)
        printf '%-9s %5d %9d %10s %9s %9s %13s %8d %8d\n' "$1" "$many" "$count" \
            "$(word Requests/sec:)" "$(word 50%)" "$(word 99%)" \
            "$(awk -v ms="$cpu" -v n="$count" 'BEGIN { printf "%.1f", ms * 1000 / n }')" \
            "$rss" "$(rss_kb)"
    done
    finish
}

start mock "$bin/serve"
curl -sS -H "Authorization: Bearer $key" "$url/v1/profiles/tail-0001" >"$out/body"
finish
echo "body: $(wc -c <"$out/body") bytes; $(nproc) cores, shared by wrk (one thread) and server;" \
    "load average before: $(cut -d' ' -f1 /proc/loadavg)"
printf '%-9s %5s %9s %10s %9s %9s %13s %8s %8s\n' server conns requests req/s p50 p99 \
    "cpu ms/1000" "rss KB" after
row hyper "$bin/plain" hyper "$out/body"
row wiremock "$bin/plain" wiremock "$out/body"
row mock "$bin/serve"

echo
echo "the mock's memory over $million requests on $connections connections:"
start mock "$bin/serve"
printf '%10s requests %8s KB\n' 0 "$(rss_kb)"
sum=0
until test "$sum" -ge "$million"; do
    load 5 "$connections"
    sum=$((sum + $(requests)))
    printf '%10d requests %8s KB\n' "$sum" "$(rss_kb)"
done
echo count >&3
sleep 0.5
tail -n 1 "$out/mock"
finish
