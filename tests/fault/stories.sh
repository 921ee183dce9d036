# The stories of the fault lab: what the real command line and daemon are made to do while a preload
# library looks on. Source it after setting `root` and PRELOAD (what stands before a program);
# story NAME runs one and leaves its homes below $root/town.

. tests/support/township.sh

# From here on every sidan and sidan-node runs with the preload library.
story_wrap() { # variables to set, one word each
    local program
    for program in sidan sidan-node; do
        printf '#!/bin/sh\nexec env %s %s "$@"\n' "$*" "$PWD/${BUILD:-build}/$program" >"$lab/$program"
        chmod 700 "$lab/$program"
    done
    SIDAN=$lab/sidan SIDAN_NODE=$lab/sidan-node
}

story_row() { # village, number
    printf '{"village":"%s","received":"2026-11-20 09:%02d","channel":"visit","nature":"help","category":"0302","urgency":1,"name":"村民甲","content":"第%d件: 路灯不亮"}\n' \
        "$1" $(($2 % 60)) "$2"
}
story_import() { # node, village, from, to
    local i
    for ((i = $3; i <= $4; i++)); do story_row "$2" "$i"; done >"$lab/rows.ndjson"
    on "$1" import "$lab/rows.ndjson" --as requests >>"$lab/out" 2>&1
}
story_accept() { # at the hub, all that waits
    on hub requests -n 100 --json |
        jq -c '.requests[] | select(.state == "registered" and .no != "01A-0004") | {kind: "request.accept", subject, scope: ("village:" + .village), body: {class: "general"}}' |
        on hub record -q >>"$lab/out" 2>&1
}
story_say() { "$@" >>"$lab/out" 2>&1 || { echo "story: exit $?: $*"; tail -n 5 "$lab/out"; return 1; }; }

story_link() { # first start, join, record, sync in and out, erase, new keys
    township_found 1 || return
    village=${villages[0]}
    village_join "$village" || return
    story_import "$village" "$village" 1 3 || return
    story_say on "$village" register --channel visit --nature consult --category 0302 --urgency 1 \
        --name 村民乙 --content 咨询一件事 || return
    story_say on "$village" sync --timeout 20 || return
    story_accept || return
    story_say on "$village" sync --timeout 20 || return
    story_say on hub actor add 甲经办 --role dispatcher || return
    story_say on hub actor add 乙复核 --role clerk || return
    story_say on hub answer 01A-0004 --by 甲经办 --reply 已答复 --method phone || return
    story_say on hub close 01A-0004 --by 甲经办 --result explained || return
    story_say on hub subject erase 01A-0004 --by 甲经办 --second 乙复核 --basis withdrawn || return
    story_say on "$village" sync --timeout 20 || return
    story_say on "$village" rotate device || return
    story_import "$village" "$village" 4 5 || return
    story_say on "$village" sync --timeout 20 || return
    node_stop hub
}

story_joins_by_hand() {
    village=${villages[0]}
    story_say on hub invite "$village" -o "$root/invite" || return
    on "$village" join "$root/invite" --offline -o "$root/request" --json >"$lab/join" || return
    story_say on hub admit "$root/request" -o "$root/answer" \
        --words "$(jq -r '.words | join(" ")' "$lab/join")" --json || return
    story_say on "$village" join "$root/answer" --json
}
story_carry() { # from, to, flags of the export
    mkdir -p "$root/stick"
    on "$1" bundle export -o "$root/stick" "${@:3}" --json >"$lab/export" || return
    story_say on "$2" bundle import "$(jq -r .file "$lab/export")" --json
}
story_stick() { # a village without a link: bundles out and in, then an old backup is put back
    township_found 1 || return
    node_stop hub
    story_joins_by_hand || return
    story_import "$village" "$village" 1 4 || return
    story_carry "$village" hub || return
    story_accept || return
    story_carry hub "$village" --to "$village" || return
    story_say on "$village" backup -o "$root/old.backup" || return
    story_import "$village" "$village" 5 6 || return
    story_say on "$village" restore "$root/old.backup" --replace || return
    story_import "$village" "$village" 7 8 || return
    story_carry "$village" hub || return
    story_carry hub "$village" --to "$village"
}
