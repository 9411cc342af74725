# The remote runner: a loop that takes a host's lease, begins commands once, and says what became of them.
#
# It is sent to `sh -c` as it stands here, without these lines. $1: the word it greets with. $2: the folder, or nothing.
# memory.sh, places.sh and leases.sh stand before it.
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

# --- runs: `id`, plan.json, journal.FENCE, and the receipts; see places.sh and leases.sh for where they are, and for the leases

# find_run RUN: `run`, its folder, and `id`. The id says where its receipts are written: what is in the other place stays there.
find_run() {
    run=$folder/runs/$1 id=
    { read -r id <"$run/id"; } 2>/dev/null && return
    if has_memory && { read -r id <"$memory/runs/$1/id"; } 2>/dev/null; then
        # That it is not in the folder must be so after a power cut as well.
        [ ! -d "$run" ] || sync "$run"
        run=$memory/runs/$1
        return
    fi
    return 1
}

# own RUN: finds it, or makes it with an `id`. Where receipts were lost or removed, others begin under another id.
own() { find_run "$1" || somewhere make_run "$1"; }

make_run() {
    run=$place/runs/$1
    [ -d "$run" ] || mkdir "$run" 2>/dev/null
    read -r id </proc/sys/kernel/random/uuid
    { printf '%s\n' "$id" >"$run/.id.$$" && sync "$run/.id.$$" && ln "$run/.id.$$" "$run/id"; } 2>/dev/null
    rm -f "$run/.id.$$"
    { read -r id <"$run/id"; } 2>/dev/null
}

# Receipts of the run are written in memory from here on. With them goes its id: a restart loses both, and then what was begun is not
# taken for what never began.
move_run() {
    set -- "$memory/runs/${run##*/}"
    [ "$run" != "$1" ] || return 0
    make_memory && mkdir -p "$1" 2>/dev/null || return
    # A command beside this one may do the same.
    { printf '%s\n' "$id" >"$1/.id.$$" && mv -f "$1/.id.$$" "$1/id"; } 2>/dev/null || [ -s "$1/id" ] || return
    if [ -d "$run" ]; then rm -f "$run/id" && sync "$run" || return; fi
    run=$1
}

# in_place WORDS: does that where the run is to be by now, in `place`. Whoever has it no more leaves it where it is.
in_place() {
    [ "$place" = "$folder" ] || { holds && move_run; } || return
    "$@"
}

# The copy of the journal counts as one once it is whole: `sync` gives it its name.
open_copy() {
    records=0 is_torn='' copy=$run/journal.$fence
    if [ -e "$copy" ]; then
        records=$(grep -c '' <"$copy")
        # A full disk may have cut the last line. What is there stays; nothing is put behind it.
        [ -z "$(tail -c 1 "$copy")" ] || is_torn=yes
    else
        somewhere in_place begin_copy || is_torn=yes
    fi
    if [ -e "$copy" ]; then exec 4>>"$copy"; fi
}

begin_copy() {
    copy=$run/copy.$fence
    { true >"$copy"; } 2>/dev/null
}

# record LINE
record() {
    append "$1" && return
    is_torn=yes
    somewhere in_place mend_copy "$1" && is_torn=
}

append() {
    if { printf '%s\n' "$1" >&4; } 2>/dev/null; then
        records=$((records + 1))
        return
    fi
    # Some of it may have got through, and be no line.
    dd of="$copy" bs=1 count=0 seek="$(head -n "$records" "$copy" | wc -c)" </dev/null 2>/dev/null
    return 1
}

# mend_copy LINE: the copy goes on with that line, where there is room for it.
mend_copy() {
    if [ "${copy%/*}" != "$run" ]; then
        cat "$copy" >"$run/${copy##*/}" 2>/dev/null || return
        copy=$run/${copy##*/}
        exec 4>>"$copy"
    fi
    append "$1"
}

sync_copy() {
    case $copy in */copy.*) mv "$copy" "${copy%/*}/journal.$fence" && copy=${copy%/*}/journal.$fence ;; esac
    set -- "$copy" "${copy%/*}" "${copy%/*/*}"
    [ ! -e "$run/plan.json" ] || set -- "$run/plan.json" "$@"
    sync "$@"
}

# plan LINE
plan() {
    has_memory
    [ -s "$folder/runs/${run##*/}/plan.json" ] || [ -s "$other/runs/${run##*/}/plan.json" ] || somewhere in_place keep_plan "$1"
}

keep_plan() {
    { printf %s "$1" >"$run/plan.json"; } 2>/dev/null && return
    rm -f "$run/plan.json"
    return 1
}

# The runs that it has the journal of.
list() {
    has_memory
    set +f
    for run in "$folder/runs"/* "$other/runs"/*; do
        set -f
        [ ! -s "$run/plan.json" ] || say "run ${run##*/}"
    done
    set -f
}

# fetch RUN: its plan, and its journal.
fetch() {
    has_memory
    for plan in "$folder/runs/$1/plan.json" "$other/runs/$1/plan.json"; do
        [ -s "$plan" ] || continue
        { printf 'plan ' && sed '$a\' "$plan"; } >&3
        break
    done
    copy "$1"
}

# copy RUN: its journal as the newest lease of it has it.
copy() {
    newest='' number=0
    has_memory
    set +f
    for file in "$folder/runs/$1"/journal.* "$other/runs/$1"/journal.*; do
        case ${file##*/journal.} in *[!0-9]*) continue ;; esac
        # What was mended is in memory.
        [ "${file##*/journal.}" -lt "$number" ] || newest=$file number=${file##*/journal.}
    done
    set -f
    [ -z "$newest" ] || sed 's/^/m /' "$newest" >&3
    # After a last line without its end, this ends it.
    say
}

# anchors RUN: which record of its journal each claim and each lease was made at.
anchors() {
    has_memory
    set +f
    for claim in "$folder/runs/$1"/*.claim "$other/runs/$1"/*.claim; do
        set -f
        { read -r _ _ _ _ _ _ sequence digest _ <"$claim"; } 2>/dev/null || continue
        name=${claim##*/}
        say "claim ${name%.claim} $sequence $digest"
    done
    set +f
    for file in "$folder/leases"/[0-9]* "$other/leases"/[0-9]*; do
        set -f
        case ${file##*/} in *[!0-9]*) continue ;; esac
        say "lease ${file##*/}"
        sed -n 2p "$file" >&3
    done
    set -f
}

# --- receipts: NAME.claim, .exit, .out, .err in the run's folder

# Ends a command that has claimed its place, and never began.
unstarted() {
    printf '%s\n' "$1" 1<>"$base.exit"
    exit 0
}

# seek NAME: `base`, where its receipt is, or else would be.
seek() {
    # Another runner for this lease may have found the folder full.
    [ -e "$run/id" ] || find_run "${run##*/}"
    base=$run/$1 twin=$folder/runs/${run##*/}/$1
    has_memory || return 0
    [ "$base" != "$twin" ] || twin=$memory/runs/${run##*/}/$1
    if [ -e "$twin.claim" ]; then base=$twin; fi
}

# Claims the place of `name`, or ends where somebody else has; fails when it cannot be written.
claim() {
    seek "$name"
    set -C
    { true >"$base.claim"; } 2>/dev/null
    set -- $?
    set +C
    if [ "$1" != 0 ]; then
        [ ! -e "$base.claim" ] || exit 0
        return 1
    fi
    # Who finds the other place claimed goes back: never do both stay.
    if has_memory && [ -e "$twin.claim" ]; then rm -f "$base.claim"; exit 0; fi
    # The place for the exit code is made now: a disk may be full by then. On one that is nearly full there has to be room for as much
    # as most commands write, which is tried where nobody takes it for output.
    {
        printf '%s %s %s %s %s %s %s %s\n' 1 "$fence" "$boot" "$pid" "$start" "$parent" "$head" "$mine" >"$base.claim" &&
            { [ "$room" -gt 1048576 ] || printf '%16384s' '' >"$base.exit"; } &&
            printf '%9s\n' '' >"$base.exit" && true >"$base.out" && true >"$base.err"
    } 2>/dev/null && return
    rm -f "$base.claim" "$base.exit" "$base.out" "$base.err"
    return 1
}

# Becomes the command: its process is the one that claims.
begin() {
    trap - HUP PIPE
    exec 3>&- 4>&-
    birth
    place=${run%/runs/*}
    somewhere in_place claim || exit 0
    # First the claim, then the look at the fence: a newer holder makes its lease first, and then looks for claims. The copy of
    # the journal may lag behind after a power cut: what it lacks is claimed all the same.
    sync "$base.claim" "${base%/*}" || unstarted unsynced
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
    seek "$name"
    claim=
    { read -r claim <"$base.claim"; } 2>/dev/null
    case $claim in
        *" $mine") ;;
        '')
            if [ -e "$base.claim" ]; then watch; elif holds; then say "failed $tag"; else say "end $tag fenced"; fi
            return
            ;;
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
say "$greeting ready $(id -u) $ownership $folder"
while read -r verb tag a b c d e; do
    case $verb in
        take) take "$tag" "$a" ;;
        join) join "$tag" "$a" "$b" ;;
        lease) lease; say done ;;
        break) break_lease "$tag" ;;
        list) list; say done ;;
        fetch) fetch "$tag"; say done ;;
        anchors) anchors "$tag"; say done ;;
        where) where; say "where $place" ;;
        plan)
            IFS= read -r line || exit 1
            plan "$line"
            ;;
        record)
            # A line that the connection cut is none.
            IFS= read -r line || exit 1
            if holds && [ -z "$is_torn" ]; then record "$line"; fi
            ;;
        run)
            name=$a head="$b $c"
            text "$d"
            script=$text has_input=$e input=
            if [ -n "$has_input" ]; then text "$e"; input=$text; fi
            seek "$name"
            supervise &
            ;;
        look)
            seek "$a"
            look
            say "look $tag $state $word"
            ;;
        watch) seek "$a"; watch & ;;
        finish) seek "$a"; finish & ;;
        holds) if holds; then say "holds $tag yes"; else say "holds $tag no"; fi ;;
        sync) sync_copy; say "synced $tag" ;;
        release) give_back "$tag" ;;
    esac
done
