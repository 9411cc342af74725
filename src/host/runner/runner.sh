# The remote runner: a loop that takes a host's lease, begins commands once, and says what became of them.
#
# It is sent to `sh -c` as it stands here, without these lines. $1: the word it greets with. $2: the folder, or nothing.
# Requests come as lines on standard input and answers go as lines to descriptor 3; an answer is one write of less than
# PIPE_BUF bytes, so that the commands under way can answer beside each other. Descriptor 4 is the copy of the journal.
#
# What is relied on: POSIX sh (dash, bash, BusyBox ash), /proc, and the programs setsid, sync, ln, sleep, and those of every
# system. Where a program can be done without, it is: a fork costs as much as everything else in a step.

set -f
umask_before=$(umask)
trap '' HUP PIPE
exec 3>&1 </dev/stdin
greeting=$1 folder=$2

say() { printf '%s\n' "$*" >&3; }
refuse() { say "$greeting refused $*"; exit 0; }

# The pid, the parent and the start time of whoever calls it, a subshell included.
birth() {
    read -r stat </proc/self/stat
    pid=${stat%% *}
    set -- ${stat##*) }
    parent=$2 start=${20}
}

# alive PID TEST START: a process, no zombie, whose start time stands so to the other: -eq, -le.
alive() {
    { read -r stat </proc/"$1"/stat; } 2>/dev/null || return 1
    set -- "$2" "$3" ${stat##*) }
    case $3 in Z | X) return 1 ;; esac
    test "${22}" "$1" "$2"
}

# same PID START: whether the process of that number is the one that began then. A zombie is, too.
same() {
    { read -r stat </proc/"$1"/stat; } 2>/dev/null || return 1
    set -- "$2" ${stat##*) }
    [ "${21}" = "$1" ]
}

# group_alive GROUP: whether it has a member that is no zombie. Any error but "no such process" counts as one.
group_alive() {
    case $(LC_ALL=C kill -0 "-$1" 2>&1) in *'o such process'*) return 1 ;; esac
    set +f
    for member in /proc/[0-9]*/stat; do
        { read -r stat <"$member"; } 2>/dev/null || continue
        set -- "$1" ${stat##*) }
        case $2 in Z | X) continue ;; esac
        if [ "$4" = "$1" ]; then set -f; return 0; fi
    done
    set -f
    return 1
}

# --- the folder

usable() { [ -d "$1" ] && [ -w "$1" ] && [ -x "$1" ]; }

make_folder() {
    if [ -n "$folder" ]; then
        usable "$folder" || mkdir -p -m 700 "$folder" 2>/dev/null
        usable "$folder" || refuse "folder cannot write to \`$folder\`"
        return
    fi
    folder=/var/lib/opsctl
    usable "$folder" && return
    if [ ! -e "$folder" ] && mkdir -m 700 "$folder" 2>/dev/null; then
        # Who may use Docker may do anything, and shares the leases with root.
        chgrp docker "$folder" 2>/dev/null && chmod 2770 "$folder"
        return
    fi
    folder=${XDG_STATE_HOME:-${HOME:?}/.local/state}/opsctl/host
    usable "$folder" || mkdir -p -m 700 "$folder" 2>/dev/null
    usable "$folder" || refuse "folder cannot write to \`/var/lib/opsctl\` nor to \`$folder\`"
}

open_folder() {
    [ -r /proc/self/stat ] && read -r boot </proc/sys/kernel/random/boot_id || refuse 'tool there is no `/proc`'
    for tool in setsid sync ln sed find df id ls; do
        command -v "$tool" >/dev/null 2>&1 || refuse "tool there is no \`$tool\`"
    done
    make_folder
    folder=$(cd -- "$folder" && pwd -P)
    case $(ls -ld "$folder") in
        d???????w*) refuse "folder everybody can write to \`$folder\`" ;;
        d????-*) umask 077 ;;
        *) umask 007 ;;
    esac
    case $(df -P "$folder" 2>/dev/null) in
        *[!A-Za-z]tmpfs* | *[!A-Za-z]ramfs*) refuse "folder \`$folder\` does not survive a restart of the host: it is in memory" ;;
    esac
    leases=$folder/leases runs=$folder/runs
    mkdir -p "$leases" "$runs" 2>/dev/null || refuse "folder cannot write to \`$folder\`"
    birth
    runner="$pid $start"
}

# --- leases: one file for each number, which is the fence; the highest is in force

highest() {
    fence=0
    set +f
    for file in "$leases"/[0-9]*; do
        file=${file##*/}
        case $file in *[!0-9]*) continue ;; esac
        [ "$file" -le "$fence" ] || fence=$file
    done
    set -f
}

# next WORDS JSON: makes the lease after `fence`; fails when somebody else has made it.
next() {
    fence=$((fence + 1))
    printf '%s\n%s\n' "$1" "$2" >"$leases/.new.$$" && sync "$leases/.new.$$" &&
        ln "$leases/.new.$$" "$leases/$fence" 2>/dev/null
    set -- $?
    rm -f "$leases/.new.$$"
    [ "$1" = 0 ] && sync "$leases"
}

# Whether the runner of the lease in force may still be at work.
is_attended() {
    { read -r _ _ _ at by since <"$leases/$fence"; } 2>/dev/null || return 1
    [ "$at" = "$boot" ] && alive "$by" -eq "$since" && return 0
    { read -r at by since <"$leases/$fence.by"; } 2>/dev/null || return 1
    [ "$at" = "$boot" ] && alive "$by" -eq "$since"
}

# take RUN SEAT, then a line that describes the holder. SEAT: the store that has the journal of the run, and locks it: what
# else held the lease for this run from there is no more at it.
take() {
    IFS= read -r json || exit 1
    while :; do
        highest
        word=free holder='' seat=''
        if [ "$fence" -gt 0 ]; then read -r word holder seat _ <"$leases/$fence"; fi
        if [ "$word" = held ] && { [ "$holder" != "$1" ] || { [ "$seat" != "$2" ] && is_attended; }; }; then
            say "held $fence"
            sed -n 2p "$leases/$fence" >&3
            return
        fi
        run=$runs/$1
        if ! own "$run"; then say "failed cannot write to \`$run\`"; return; fi
        next "held $1 $2 $boot $runner" "$json" && break
        if [ ! -e "$leases/$fence" ]; then say 'failed cannot write a lease'; return; fi
    done
    say "taken $fence $id"
    copy "$1"
    say copied
    open_copy
    prune "$1"
}

# own FOLDER: makes it with an `id`, if it is not there. Where receipts were lost or removed, others begin under another id.
own() {
    mkdir -p "$1" 2>/dev/null
    if [ ! -s "$1/id" ]; then
        read -r id </proc/sys/kernel/random/uuid
        { printf '%s\n' "$id" >"$1/.id.$$" && sync "$1/.id.$$" && ln "$1/.id.$$" "$1/id"; } 2>/dev/null
        rm -f "$1/.id.$$"
    fi
    { read -r id <"$1/id"; } 2>/dev/null
}

# join RUN FENCE ID: a new runner for a lease that was taken before.
join() {
    run=$runs/$1 fence=$2 word='' holder='' id=''
    { read -r id <"$run/id"; } 2>/dev/null
    if [ "$id" != "$3" ]; then say lost; return; fi
    { read -r word holder _ <"$leases/$fence"; } 2>/dev/null
    if holds && [ "$word $holder" = "held $1" ]; then
        printf '%s %s\n' "$boot" "$runner" >"$leases/$fence.by"
        open_copy
        say "joined $fence $count"
    else
        say fenced
    fi
}

# The copy of the journal counts as one once it is whole: `sync` gives it its name.
open_copy() {
    count=0 is_torn=
    if [ -e "$run/journal.$fence" ]; then
        count=$(grep -c '' <"$run/journal.$fence")
        exec 4>>"$run/journal.$fence"
        # A full disk may have cut the last line. What is there stays; nothing is put behind it.
        [ -z "$(tail -c 1 "$run/journal.$fence")" ] || is_torn=yes
    else
        exec 4>"$run/copy.$fence"
    fi
}

sync_copy() {
    [ ! -e "$run/copy.$fence" ] || mv "$run/copy.$fence" "$run/journal.$fence"
    sync "$run/journal.$fence" "$run/plan.json" "$run" "$runs"
}

holds() { [ -e "$leases/$fence" ] && [ ! -e "$leases/$((fence + 1))" ]; }

# --- for those who only look

# lease: the one in force, who has it, and what of it runs.
lease() {
    highest
    if [ "$fence" = 0 ]; then say 'lease 0'; return; fi
    read -r word holder _ <"$leases/$fence"
    attended=no
    if [ "$word" = held ] && is_attended; then attended=yes; fi
    say "lease $fence $attended"
    sed -n 2p "$leases/$fence" >&3
    [ "$word" = held ] || return 0
    set +f
    for claim in "$runs/$holder"/*.claim; do
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
    if [ "$fence" = "$1" ] && next free "$json"; then say "broken $fence"; else say moved; fi
}

# The runs that it has the journal of, and how old that is.
list() {
    set +f
    for run in "$runs"/*; do
        set -f
        [ ! -s "$run/plan.json" ] || say "run ${run##*/}"
    done
    set -f
}

# newest_copy RUN: of its journal.
newest_copy() {
    newest=
    set +f
    for file in "$runs/$1"/journal.*; do
        file=${file##*/journal.}
        case $file in *[!0-9]*) continue ;; esac
        [ "$file" -le "${newest:-0}" ] || newest=$file
    done
    set -f
}

# copy RUN: its journal as the newest lease of it has it.
copy() {
    newest_copy "$1"
    [ -z "$newest" ] || sed 's/^/m /' "$runs/$1/journal.$newest" >&3
    # After a last line without its end, this ends it.
    say
}

# anchors RUN: which record of its journal each claim and each lease was made at.
anchors() {
    set +f
    for claim in "$runs/$1"/*.claim; do
        set -f
        { read -r _ _ _ _ _ _ sequence digest _ <"$claim"; } 2>/dev/null || continue
        name=${claim##*/}
        say "claim ${name%.claim} $sequence $digest"
    done
    set +f
    for file in "$leases"/[0-9]*; do
        set -f
        case ${file##*/} in *[!0-9]*) continue ;; esac
        say "lease ${file##*/}"
        sed -n 2p "$file" >&3
    done
    set -f
}

# What is older than a month goes, but never the lease in force nor the run that holds it.
prune() {
    # The id first: receipts that are gone must not be taken for commands that never began.
    find "$runs" -mindepth 1 -maxdepth 1 -mtime +30 ! -name "$1" -exec rm -f '{}/id' \; -exec rm -rf '{}' \; 2>/dev/null
    set +f
    number=1
    # From the lowest on and without a gap: a holder whose own lease is gone counts as fenced.
    while [ "$number" -lt "$fence" ]; do
        if [ -e "$leases/$number" ]; then
            [ -n "$(find "$leases/$number" -mtime +30 2>/dev/null)" ] || break
            rm -f "$leases/$number" "$leases/$number.by"
        fi
        number=$((number + 1))
    done
    set -f
}

# --- receipts: NAME.claim, .exit, .out, .err in the run's folder

# Ends a command that has claimed its place, and never began.
unstarted() {
    printf '%s\n' "$1" 1<>"$base.exit"
    exit 0
}

# Becomes the command: its process is the one that claims.
begin() {
    trap - HUP PIPE
    exec 3>&- 4>&-
    birth
    set -C
    { true >"$base.claim"; } 2>/dev/null || exit 0
    set +C
    # The place for the exit code is made now: a disk may be full by then.
    { printf '%s %s %s %s %s %s %s %s\n' 1 "$fence" "$boot" "$pid" "$start" "$parent" "$head" "$mine" >"$base.claim" &&
        printf '%9s\n' '' >"$base.exit"; } 2>/dev/null || { rm -f "$base.claim" "$base.exit"; exit 0; }
    # First the claim, then the look at the fence: a newer holder makes its lease first, and then looks for claims. The copy of
    # the journal may lag behind after a power cut: what it lacks is claimed all the same.
    sync "$base.claim" "$run" || unstarted unsynced
    holds || unstarted fenced
    exec >"$base.out" 2>"$base.err" || unstarted unwritten
    umask "$umask_before"
    set +f
    eval "$script"
}

supervise() {
    mine="$runner $tag"
    if [ -n "$has_input" ]; then printf %s "$input" 2>/dev/null | begin; else (begin) </dev/null; fi
    code=$?
    claim=
    { read -r claim <"$base.claim"; } 2>/dev/null
    case $claim in
        *" $mine") ;;
        '') if [ -e "$base.claim" ]; then watch; else say "failed $tag"; fi; return ;;
        *) watch; return ;;
    esac
    word=
    read -r word <"$base.exit"
    if [ -z "$word" ]; then
        word=$code
        printf '%s\n' "$word" 1<>"$base.exit"
    fi
    report
    # Nothing comes after it.
    [ ! -e "$base.err" ] || exec sync "$base.exit" "$base.out" "$base.err"
}

# Says how a command ended, with what it wrote where that is short.
report() {
    rest=
    inline "$base.out" o
    inline "$base.err" e
    say "end $tag $word $rest"
}

inline() {
    [ -s "$1" ] || return 0
    count=0
    while IFS= read -r line; do
        count=$((count + 1))
        if [ "$count" -gt 16 ] || [ "${#line}" -gt 500 ]; then rest=more; return; fi
        printf '%s %s %s\n' "$2" "$tag" "$line" >&3
    done <"$1"
    [ -z "$line" ] || rest=more
}

# What is known of a command: `state`, and `word` when it has ended.
look() {
    state=none word=
    [ -e "$base.claim" ] || return 0
    { read -r word <"$base.exit"; } 2>/dev/null
    if [ -n "$word" ]; then state=ended; return; fi
    claim=
    { read -r claim <"$base.claim"; } 2>/dev/null
    if [ -z "$claim" ]; then
        # Between being made and being written; or a disk that was full, and then nothing began.
        sleep 1
        { read -r claim <"$base.claim"; } 2>/dev/null
        if [ -z "$claim" ]; then state=none; return; fi
    fi
    is_running $claim && state=running && return
    # It may have ended just now.
    { read -r word <"$base.exit"; } 2>/dev/null
    if [ -n "$word" ]; then state=ended; else state=cut; fi
}

# is_running VERSION FENCE BOOT PID START PARENT ...
is_running() {
    # The parent may be about to write down the end. Whoever has got its number since was started later.
    is_unfinished "$@" || { [ "$3" = "$boot" ] && alive "$6" -le "$5"; }
}

# is_unfinished VERSION FENCE BOOT PID START ...: whether a process of it runs.
is_unfinished() {
    [ "$3" = "$boot" ] || return 1
    alive "$4" -eq "$5" && return 0
    # Where the number belongs to another process by now, the group is gone. Its leader may be a zombie, or reaped just now.
    { same "$4" "$5" || [ ! -e "/proc/$4" ]; } && group_alive "$4"
}

watch() {
    while look && [ "$state" = running ]; do sleep 0.2 || sleep 1; done
    if [ "$state" = ended ]; then report; else say "$state $tag"; fi
}

# Asks the process group to end, then insists, and says whether it is gone.
finish() {
    claim=
    { read -r claim <"$base.claim"; } 2>/dev/null
    set -- $claim
    for signal in TERM TERM KILL KILL KILL; do
        if [ $# -lt 6 ] || ! is_unfinished "$@"; then say "gone $tag yes"; return; fi
        # Before it leads a group of its own it is a process like any other.
        kill "-$signal" "-$4" 2>/dev/null || kill "-$signal" "$4" 2>/dev/null
        for pause in 1 2 3 4 5; do
            is_unfinished "$@" || break
            sleep 0.2 || sleep 1
        done
    done
    say "gone $tag no"
}

# text COUNT: so many lines, joined.
text() {
    text=
    [ "$1" -gt 0 ] || return 0
    # What the connection cut is not begun.
    IFS= read -r text || exit 1
    count=1
    while [ "$count" -lt "$1" ]; do
        IFS= read -r line || exit 1
        text="$text
$line"
        count=$((count + 1))
    done
}

# --- the loop

open_folder
say "$greeting ready $(id -u) $(ls -ldn "$folder" | sed 's/^\([^ ]*\) *[^ ]* *\([^ ]*\) *\([^ ]*\).*/\1 \2 \3/') $folder"
while read -r verb tag a b c d e; do
    case $verb in
        take) take "$tag" "$a" ;;
        join) join "$tag" "$a" "$b" ;;
        lease) lease; say done ;;
        break) break_lease "$tag" ;;
        list) list; say done ;;
        fetch)
            [ ! -s "$runs/$tag/plan.json" ] || { printf 'plan ' && sed '$a\' "$runs/$tag/plan.json"; } >&3
            copy "$tag"
            say done
            ;;
        anchors) anchors "$tag"; say done ;;
        plan)
            IFS= read -r line || exit 1
            [ -s "$run/plan.json" ] || printf '%s' "$line" >"$run/plan.json"
            ;;
        record)
            # A line that the connection cut is none.
            IFS= read -r line || exit 1
            if holds && [ -z "$is_torn" ]; then printf '%s\n' "$line" >&4 || is_torn=yes; fi
            ;;
        run)
            base=$run/$a head="$b $c"
            text "$d"
            script=$text has_input=$e input=
            if [ -n "$has_input" ]; then text "$e"; input=$text; fi
            supervise &
            ;;
        look)
            base=$run/$a
            look
            say "look $tag $state $word"
            ;;
        watch) base=$run/$a; watch & ;;
        finish) base=$run/$a; finish & ;;
        holds) if holds; then say "holds $tag yes"; else say "holds $tag no"; fi ;;
        sync) sync_copy; say "synced $tag" ;;
        release)
            IFS= read -r line || exit 1
            if holds; then
                [ -e "$run/copy.$fence" ] || sync_copy
                # The number that follows belongs to nobody; ours is the older one from here on.
                ours=$fence
                next free "$line"
                fence=$ours
            fi
            say "released $tag"
            ;;
    esac
done
