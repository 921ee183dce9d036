# End-to-end tests with real processes. A test is a function test_*, named as a sentence; it runs
# with an empty folder in $root, in a shell of its own, and fails at the first `expect` or `is` that
# does not hold. Source this, define tests, call tests_run at the end.

cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}

# A day is the township's, wherever the test runs and whatever its hour.
date() { TZ=UTC-8 command date "$@"; }

fail() {
    echo "    $*"
    tail -n 3 "$root"/*.log 2>/dev/null | sed 's/^/      /'
    exit 1
}

# This machine has not what the test needs.
skip() { # why
    echo "    $*"
    exit 77
}

# Runs a command and compares its exit status; what it printed stays in $root/out and $root/err.
expect() { # status, command...
    local want=$1 got
    shift
    "$@" >"$root/out" 2>"$root/err" </dev/null
    got=$?
    [ "$got" = "$want" ] && return
    sed 's/^/      /' "$root/err" | head -n 10
    fail "exit $got instead of $want: $*"
}

is() { # actual, expected, what
    [ "$1" = "$2" ] || fail "$3: \"$1\" instead of \"$2\""
}

# What a refusal must read like: something on stderr, nothing of our insides.
explained() {
    [ -s "$root/err" ] || fail "no message"
    ! grep -qE 'ERR_[A-Z]|Assertion|Sanitizer' "$root/err" || fail "raw message: $(cat "$root/err")"
}

# The files of a home and their content, locks apart: to see that nothing changed.
fingerprint() { # node
    (cd "$root/$1" && find . -type f ! -name '*lock*' ! -name reserve | sort | xargs sha256sum | sha256sum)
}

tests_run() {
    local name passed=0 failed=0 skipped=0 base
    base=$(mktemp -d "${TMPDIR:-/tmp}/sidan-e2e.XXXXXX") || exit 2
    for name in $(declare -F | awk '$3 ~ /^test_/ {print $3}'); do
        [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
        (
            root=$base/$name
            mkdir "$root"
            # shellcheck source=tests/support/township.sh
            . tests/support/township.sh
            trap township_stop EXIT
            trap 'exit 143' TERM INT
            "$name"
        )
        case $? in
        0) echo "ok      $name"; passed=$((passed + 1)) ;;
        77) echo "skipped $name"; skipped=$((skipped + 1)) ;;
        *) echo "FAILED  $name"; failed=$((failed + 1)) ;;
        esac
        rm -rf "${base:?}/$name"
    done
    rm -rf "$base"
    [ $skipped = 0 ] && skipped='' || skipped=", $skipped skipped"
    echo "$passed passed, $failed failed$skipped"
    [ $failed = 0 ]
}

# --- events in short --------------------------------------------------------------------------

row() { # village, number: one request as `import` takes it
    printf '{"village":"%s","received":"2026-11-20 09:%02d","channel":"visit","nature":"help","category":"0302","urgency":1,"name":"村民甲","content":"第%d件: 路灯不亮"}\n' \
        "$1" $(($2 % 60)) "$2"
}
rows() { local i; for ((i = $2; i <= $3; i++)); do row "$1" "$i"; done; } # village, from, to
import_rows() { # node, village, from, to
    rows "$2" "$3" "$4" >"$root/rows.$1.ndjson"
    expect 0 on "$1" import "$root/rows.$1.ndjson" --as requests
}
requests_at() { on "$1" requests -n 100000 --json | jq '.requests | length'; }
agree() { [ -z "$(differing)" ]; }
