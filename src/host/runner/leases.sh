# Leases: one file for each number, which is the fence; the highest is in force, whether it is in the folder or in memory.
#
# No number is given in both. Whoever has made one looks for its twin in the other place, and takes it back where there is one. So the
# one that looked second has certainly seen the other; and that both see each other costs no more than another try. Of two that a
# runner left behind that was killed just then, the one in memory counts if it was confirmed: its first word is `want` until then.

exists() { [ -e "$folder/leases/$1" ] || { has_memory && [ -e "$memory/leases/$1" ]; }; }

holds() { [ -e "$lease" ] && ! exists $((fence + 1)); }

highest() {
    fence=0
    has_memory
    set +f
    for file in "$folder/leases"/[0-9]* "$other/leases"/[0-9]*; do
        file=${file##*/}
        case $file in *[!0-9]*) continue ;; esac
        [ "$file" -le "$fence" ] || fence=$file
    done
    set -f
}

# read_lease NUMBER: `lease`, its file; `word`, `holder` and `seat`, and the runner that took it: `at`, `by`, `since`.
read_lease() {
    word='' holder='' seat='' at='' by='' since='' lease=$folder/leases/$1
    if has_memory; then
        { read -r word holder seat at by since <"$memory/leases/$1"; } 2>/dev/null
        case $word in
            '') ;;
            want)
                word=held
                [ -n "$holder" ] || word=free
                [ -e "$lease" ] || { lease=$memory/leases/$1; return 0; }
                ;;
            *) lease=$memory/leases/$1; return 0 ;;
        esac
    fi
    { read -r word holder seat at by since <"$lease"; } 2>/dev/null
}

# next WORDS JSON: makes the lease after `fence`. 1: somebody else has made it. 2: it cannot be written.
next() {
    fence=$((fence + 1)) is_made=
    somewhere make_lease "$@" || return 2
    [ -n "$is_made" ]
}

make_lease() {
    exists "$fence" && return
    lease=$place/leases/$fence draft=$place/leases/.new.$$ word=${1%"${1#????}"}
    if [ "$place" != "$folder" ]; then set -- "want${1#????}" "$2"; fi
    { printf '%s\n%s\n' "$1" "$2" >"$draft" && sync "$draft" && ln "$draft" "$lease"; } 2>/dev/null && is_made=yes
    rm -f "$draft"
    [ -n "$is_made" ] || { exists "$fence"; return; }
    has_memory
    if [ "$place" = "$folder" ]; then twin=$other/leases/$fence; else twin=$folder/leases/$fence; fi
    if [ -e "$twin" ]; then
        is_made=
        rm -f "$lease"
        return
    fi
    [ "$place" = "$folder" ] || printf %s "$word" 1<>"$lease"
    sync "$place/leases"
}

# Whether the runner of the lease that was read may still be at work.
is_attended() {
    [ "$at" = "$boot" ] && alive "$by" -eq "$since" && return
    has_memory
    for file in "$folder/leases/$fence.by" "$other/leases/$fence.by"; do
        { read -r at by since <"$file"; } 2>/dev/null || continue
        [ "$at" = "$boot" ] && alive "$by" -eq "$since" && return
    done
    return 1
}

# take RUN SEAT, then a line that describes the holder. SEAT: the store that has the journal of the run, and locks it: what
# else held the lease for this run from there is no more at it.
take() {
    IFS= read -r json || exit 1
    choose_place
    while :; do
        highest
        read_lease "$fence"
        if [ "$word" = held ] && { [ "$holder" != "$1" ] || { [ "$seat" != "$2" ] && is_attended; }; }; then
            say "held $fence"
            sed -n 2p "$lease" >&3
            return
        fi
        if ! own "$1"; then say "failed cannot write to \`$folder/runs/$1\`"; return; fi
        next "held $1 $2 $boot $runner" "$json"
        case $? in
            0) break ;;
            2) say "failed cannot write a lease to \`$folder\`"; return ;;
        esac
    done
    # With a lease in memory goes the id of the receipts: after a restart neither is there, and nobody goes on under this number.
    if [ "$place" != "$folder" ] && ! move_run; then say "failed cannot write to \`$run\`"; return; fi
    say "taken $fence $id ${run%/runs/*}"
    copy "$1"
    say copied
    open_copy
    prune "$1"
    keep_reserve
}

# The folder, unless there is no room for a run to begin there.
choose_place() {
    place=$folder
    [ "$room" -le 65536 ] || return 0
    is_full || return 0
    give_reserve
    if is_full && make_memory; then place=$memory; fi
}

# where: `place`, in which a run that begins now would be kept.
where() {
    place=$folder
    if [ ! -d "$folder/reserve" ] && is_full && make_memory; then place=$memory; fi
}

# join RUN FENCE ID: a new runner for a lease that was taken before.
join() {
    find_run "$1"
    if [ "$id" != "$3" ]; then say lost; return; fi
    fence=$2
    read_lease "$fence"
    if holds && [ "$word $holder" = "held $1" ]; then
        place=$folder
        somewhere attend
        place=${run%/runs/*}
        open_copy
        say "joined $fence $records"
    else
        say fenced
    fi
}

attend() {
    { printf '%s %s\n' "$boot" "$runner" >"$place/leases/$fence.by"; } 2>/dev/null
}

# lease: the one in force, who has it, and what of it runs.
lease() {
    highest
    if [ "$fence" = 0 ]; then say 'lease 0'; return; fi
    read_lease "$fence"
    attended=no
    if [ "$word" = held ] && is_attended; then attended=yes; fi
    say "lease $fence $attended"
    sed -n 2p "$lease" >&3
    [ "$word" = held ] || return 0
    set +f
    for claim in "$folder/runs/$holder"/*.claim "$other/runs/$holder"/*.claim; do
        set -f
        base=${claim%.claim}
        look
        [ "$state" != running ] || say "running ${base##*/}"
    done
    set -f
}

# break_lease FENCE, then a line that says why: makes the next lease one of nobody, if that one is still in force.
break_lease() {
    IFS= read -r json || exit 1
    highest
    place=$folder
    if [ "$fence" != "$1" ]; then say moved; return; fi
    next free "$json"
    case $? in
        0) say "broken $fence" ;;
        1) say moved ;;
        *) say "failed cannot write a lease to \`$folder\`" ;;
    esac
}

# give_back TAG, then a line that says by whom.
give_back() {
    IFS= read -r json || exit 1
    if ! holds; then say "released $1"; return; fi
    case $copy in */copy.*) ;; *) sync_copy ;; esac
    # The number that follows belongs to nobody; ours is the older one from here on.
    ours=$fence place=$folder
    next free "$json"
    if [ $? = 2 ]; then say "failed $1"; else say "released $1"; fi
    fence=$ours
}

# What is older than a month goes, but never the lease in force nor the run that holds it.
prune() {
    has_memory
    for parts in "$folder" "$other"; do
        [ -d "$parts/runs" ] || continue
        find "$parts/runs" -mindepth 1 -maxdepth 1 -mtime +30 ! -name "$1" 2>/dev/null | while IFS= read -r old; do
            # The id first: receipts that are gone must not be taken for commands that never began.
            rm -f "$folder/runs/${old##*/}/id" "$other/runs/${old##*/}/id"
            rm -rf "$old"
        done
    done
    number=1
    # From the lowest on and without a gap: a holder whose own lease is gone counts as fenced.
    while [ "$number" -lt "$fence" ]; do
        if exists "$number"; then
            [ -n "$(find "$folder/leases/$number" "$other/leases/$number" -mtime +30 2>/dev/null)" ] || break
            rm -f "$folder/leases/$number" "$folder/leases/$number.by" "$other/leases/$number" "$other/leases/$number.by"
        fi
        number=$((number + 1))
    done
}
