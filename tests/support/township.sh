# A township of real processes on loopback, for the demo and the end-to-end tests. Source it from
# bash after setting `root` (an empty folder). Every process that it starts is known by its pid and
# is stopped by township_stop.
#
#   root/hub, root/NAME      homes; NAME is the village's code
#   root/*.log               what each node logged

SIDAN=${BUILD:-build}/sidan
SIDAN_NODE=${BUILD:-build}/sidan-node
LINK=${BUILD:-build}/link
VILLAGES_CSV=${VILLAGES_CSV:-tests/demo/langtang-villages.csv}
export LC_ALL=C.UTF-8 SIDAN_LANG=${SIDAN_LANG:-zh}

declare -A node_pid=() node_port=()
hub_port='' link_answer=''

# The first of COUNT successive ports that nobody listens on or is connected from.
ports_free() { # count
    local base try used
    used=$(awk 'FNR > 1 {split($2, a, ":"); print a[2]}' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        while read -r hex; do echo $((16#$hex)); done | sort -un | tr '\n' ' ')
    for try in {1..50}; do
        base=$((12000 + RANDOM % 18000))
        awk -v used=" $used" -v base="$base" -v count="$1" 'BEGIN {
            for (i = base; i < base + count; i++) if (index(used, " " i " ")) exit 1 }' || continue
        echo "$base"
        return
    done
    echo "no free ports" >&2
    return 1
}

on() { # node, verb...: the command line on a node's home
    local home=$root/$1
    shift
    "$SIDAN" --home "$home" --no-input "$@"
}

node_start() { # node
    "$SIDAN_NODE" --home "$root/$1" 2>>"$root/$1.log" >&2 </dev/null &
    node_pid[$1]=$!
}

node_running() { [ -n "${node_pid[$1]:-}" ] && kill -0 "${node_pid[$1]}" 2>/dev/null; }

node_end() { # node, signal
    local pid=${node_pid[$1]:-}
    [ -n "$pid" ] || return 0
    kill "-$2" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "node_pid[$1]"
}
node_stop() { node_end "$1" TERM; }
node_kill() { node_end "$1" KILL; }

# As a supervisor would: whoever was killed from outside is started again.
nodes_revive() {
    local node status
    for node in "${!node_pid[@]}"; do
        node_running "$node" && continue
        wait "${node_pid[$node]}" 2>/dev/null
        status=$?
        [ $status = 8 ] && continue # somebody else runs it
        node_start "$node"
    done
}

# Each village reaches the hub over a link of its own, tests/lab/link.c.
links_start() { # [KEY=VALUE...] hub port, listening ports...
    mkfifo "$root/link.in" "$root/link.out"
    "$LINK" "$@" <"$root/link.in" >"$root/link.out" 2>"$root/link.log" &
    exec {link_in}>"$root/link.in" {link_out}<"$root/link.out"
}
links_stop() { exec {link_in}>&- {link_out}<&-; } # no node that was started since may run
link() { # cut|hole|freeze|up|set|mark|stats, node, KEY=VALUE...: sets link_answer
    local verb=$1 port=${node_port[$2]}
    shift 2
    echo "$verb $port${*:+ $*}" >&"$link_in"
    read -r -t 5 link_answer <&"$link_out" && [[ $link_answer != "not understood"* ]] ||
        { echo "the link does not $verb $port $*: $link_answer" >&2; return 1; }
}

# Founds a township with the first COUNT villages of the list; the hub runs, nobody has joined.
township_found() { # count
    local count=$1 base
    mkdir -p "$root"
    base=$(ports_free $((count + 1))) || return 1
    hub_port=$base
    echo 演示口令 >"$root/passphrase"
    chmod 600 "$root/passphrase"
    export SIDAN_PASSPHRASE_FILE=$root/passphrase
    villages_list "$count" >"$root/villages.csv"
    mapfile -t villages < <(tail -n +2 "$root/villages.csv" | cut -d, -f1)
    for i in "${!villages[@]}"; do node_port[${villages[i]}]=$((base + 1 + i)); done
    on hub init --township 琅塘镇 --villages "$root/villages.csv" \
        --listen "tcp://127.0.0.1:$hub_port" >"$root/init.out" || return 1
    links_start "$hub_port" "${node_port[@]}"
    node_start hub
    wait_for 10 listening "$hub_port"
}

# The real villages first; a larger township gets made-up ones behind them.
villages_list() { # count
    head -n "$(($1 + 1))" "$VILLAGES_CSV"
    local i
    for ((i = $(wc -l <"$VILLAGES_CSV"); i <= $1; i++)); do
        printf '431322111%03d,示例%d村,示例%d,Shili%d,village\n' $((399 - i + 27)) "$i" "$i" "$i"
    done
}

listening() {
    grep -qi ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp /proc/net/tcp6
}

wait_for() { # seconds, command...
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

village_join() { # code
    [ -e "$root/$1.invite" ] || on hub invite "$1" -o "$root/$1.invite" >/dev/null || return
    on "$1" join "$root/$1.invite" --hub "tcp://127.0.0.1:${node_port[$1]}" --timeout 6 \
        >"$root/$1.join" 2>&1 || return
    on "$1" config set retry_min_s 1 >/dev/null && on "$1" config set retry_max_s 2 >/dev/null &&
        touch "$root/$1.joined"
}

# How many villages are done: the hub sees them as synced with equal digests, and they themselves
# have nothing to send; what was recorded a moment ago only they know.
villages_synced() {
    local village count=0 seen
    seen=$(on hub status --all --json 2>/dev/null |
        jq -r '.villages[] | select(.state == "synced" and .digest_ok == true) | .code')
    for village in $seen; do
        [ "$(on "$village" status --json 2>/dev/null | jq -r '.unsent + .behind')" = 0 ] &&
            count=$((count + 1))
    done
    echo "$count"
}
all_synced() { [ "$(villages_synced)" = "${#villages[@]}" ]; }

# The proof: every scope that a village holds has the digests that the hub has for it.
differing() { # prints the villages that do not agree with the hub
    local village
    on hub verify --json >"$root/hub.verify" || { echo hub; return; }
    for village in "${villages[@]}"; do
        on "$village" verify --json >"$root/$village.verify" || { echo "$village"; continue; }
        jq -e --slurpfile hub "$root/hub.verify" --arg village "village:$village" '
            [.scopes[] | {scope, events_digest, views_digest}]
            == [$hub[0].scopes[] | select(.scope == "town" or .scope == $village)
                | {scope, events_digest, views_digest}]' "$root/$village.verify" >/dev/null ||
            echo "$village"
    done
}

# A job and what it started: a command line in the middle of something has a shell above it.
job_stop() { # pid
    local child
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do job_stop "$child"; done
    kill -TERM "$1" 2>/dev/null
}

township_stop() {
    local pid
    for pid in $(jobs -p); do job_stop "$pid"; done
    for pid in $(jobs -p); do
        for _ in {1..50}; do kill -0 "$pid" 2>/dev/null && sleep 0.1 || break; done
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    node_pid=()
}
