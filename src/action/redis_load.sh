# shellcheck shell=sh
# Within a container: loads a dump from standard input in a server that nobody else can reach.
#
# As a replica without a primary: a primary leaves out what has expired since the dump was made, and its count would tell of another
# dump each time.

work=$(mktemp -d)
ask() { redis-cli -s "$work/socket" "$@"; }

# What began this may have been killed: then nobody else ends it.
trap 'exit 1' TERM
end_after() { (sleep "$1"; kill -TERM $$) >/dev/null 2>&1 & }

# begin FOLDER NAME OPTION...
begin() {
    (
        set +e
        folder=$1 name=$2
        shift 2
        redis-server --port 0 --unixsocket "$work/socket" --dir "$folder" --dbfilename "$name" --save '' --appendonly no \
            "$@" >"$work/log" 2>&1 </dev/null
        echo $? >"$work/ended"
    ) >/dev/null 2>&1 &
    until [ "$(ask ping 2>/dev/null)" = PONG ] || [ -e "$work/ended" ]; do sleep 0.1; done
    [ ! -e "$work/ended" ]
}

finish() {
    ask shutdown nosave >/dev/null 2>&1 || true
    until [ -e "$work/ended" ]; do sleep 0.1; done
}

# The format of what a dump, or a server of this version, writes.
format() { head -c 9 "$1" | tail -c 4 | sed 's/^0*//'; }
own_format() {
    rm -f "$work/ended"
    if begin "$work" own && ask save >/dev/null; then format "$work/own"; else echo 9999; fi
}

# load FOLDER NAME BYTES MEMORY FILE OPTION...; the last two before the options are for telling.
load() {
    folder=$1 name=$2 bytes=$3 memory=$4 file=$5
    shift 5
    end_after $((600 + bytes / 1000000))
    # In the background, so that the time limit holds here as well.
    exec 3<&0
    cat <&3 >"$folder/$name" &
    wait $! || { echo "there is no room for the $bytes bytes of $file in the container" >&2; exit 1; }
    arrived=$(($(wc -c <"$folder/$name")))
    [ "$arrived" -eq "$bytes" ] || { echo "only $arrived bytes of $bytes arrived of $file" >&2; exit 1; }
    begin "$folder" "$name" --replicaof 127.0.0.1 1 "$@" && return
    code=$(cat "$work/ended")
    grep ' # ' "$work/log" | grep -v ' # WARNING ' | sed 's/^.* # //' >"$work/said" || true
    tail -n 10 "$work/said" >&2
    theirs=$(format "$folder/$name") ours=$(own_format)
    if [ "$code" = 137 ]; then
        echo "the server that loaded $file was killed: it takes more than the $memory of memory that it may have" >&2
    elif [ "${theirs:-0}" -gt "$ours" ]; then
        echo "$file is of a newer server: its format is $theirs, and this one reads up to $ours" >&2
    else
        echo "$file cannot be loaded: $(tail -n 1 "$work/said" | sed 's/^.*-> //')" >&2
    fi
    exit 1
}
