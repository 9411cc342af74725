# shellcheck shell=sh disable=SC2154
# Shortens the logs of containers to their ends. Docker has each open, and goes on at the end of what is there.
#
# Where the filesystem can, the beginning is taken out of the file, at once, and whatever is written meanwhile stays behind the rest.
# Elsewhere the end is held in memory, the file is emptied, and the end is put back: what was held when that was broken off is put back
# by the next run. Between the last look and the emptying is a moment, of microseconds; what is written in it is lost.
#
# Given: logs (a line each: the id of the container, its name, the path), keep (bytes of the end).

for tool in stat readlink tail head dd; do
    command -v "$tool" >/dev/null || { echo "there is no \`$tool\`" >&2; exit 1; }
done
umask 077
in_memory=/dev/shm/opsctl-log-$(id -u)

# hold ID: the folder in memory for the log of a container, and its end.
hold() { memory=$in_memory-$1 held=$in_memory-$1/end; }

# is_ours: whether that folder is there, and nobody else can reach into it.
is_ours() { [ "$(stat -c %f:%u "$memory" 2>/dev/null)" = "41c0:$(id -u)" ]; }

# enter PATH: opens a log, as `file`, whatever its name is given to from then on.
enter() {
    file=./${1##*/}
    cd -P -- "${1%/*}" 2>/dev/null && is_at "${1%/*}" || return 1
    if [ ! -f "$file" ] || [ -L "$file" ] || [ ! -r "$file" ] || [ ! -w "$file" ]; then return 1; fi
    exec 9<>"$file"
    [ "$(stat -c %d:%i "$file")" = "$(stat -L -c %d:%i /proc/self/fd/9)" ] || return 1
    file=/proc/self/fd/9
}

# path_of ID: where Docker says that the log of a container is, if it is a file of JSON.
path_of() {
    docker inspect --type container -f '{{.HostConfig.LogConfig.Type}} {{.LogPath}}' "$1" 2>/dev/null </dev/null |
        sed -n 's/^json-file //p'
}

# begin_whole: fills what is left of a line at the beginning with blanks: nothing that reads the log takes those for a line.
begin_whole() {
    case $(head -n 1 "$file" | tr -d '\000 ' | head -c 7) in '' | '{"log":') return ;; esac
    length=$(head -n 1 "$file" | wc -c)
    head -c $((length - 1)) /dev/zero | tr '\000' ' ' | dd of="$file" conv=notrunc bs=65536 2>/dev/null
}

# put_back: adds what is held to the file, in one piece: no line comes between.
put_back() {
    [ -z "$(tail -c 1 "$file")" ] || echo >>"$file"
    dd bs="$(($(wc -c <"$held") + 1))" <"$held" >>"$file" 2>/dev/null && rm -rf "$memory"
}

# mend: goes on where another was broken off. The last line that is held is in the file when it was not emptied, and when all is back.
mend() {
    last=$(tail -n 1 "$held" 2>/dev/null)
    if [ -z "$last" ] || grep -qxF -e "$last" "$file"; then rm -rf "$memory"; else put_back; fi
}

# hold_end: puts the end of the file into memory.
hold_end() {
    exec 7<"$file"
    # What it begins with is no whole line.
    tail -c "$keep" <&7 | { IFS= read -r line || true; cat; } >"$held.part" && mv "$held.part" "$held" || return 1
    exec 8>>"$held"
    # What has come since. No other program takes part: each would take a thousand times as long as this.
    count=0
    while [ "$count" -lt 5000 ] && IFS= read -r line <&7; do
        printf '%s\n' "$line" >&8 || return 1
        count=$((count + 1))
    done
}

# through_memory: shortens a file that nothing can be taken out of. Else `reason`.
through_memory() {
    reason="there is no memory to hold its end in, as $held"
    mkdir "$memory" 2>/dev/null || is_ours || return 1
    if ! hold_end 2>/dev/null; then
        rm -rf "$memory"
        return 1
    fi
    : >"$file"
    reason="its end could not be put back yet, and is held as $held"
    put_back
}

shorten() {
    if [ "$(path_of "$id")" != "$path" ]; then left "log of $name" 'it is not its log any more'; return; fi
    if ! enter "$path"; then left "log of $name" 'it is no file there that can be written to'; return; fi
    begin_whole
    before=$(stat -L -c %s "$file")
    block=$(stat -L -f -c %S "$file" 2>/dev/null) || block=4096
    cut=$(((before - keep) / block * block))
    if [ "$cut" -le 0 ]; then left "log of $name" 'it is not longer than what is kept'; return; fi
    if fallocate -c -o 0 -l "$cut" "$file" 2>/dev/null; then
        begin_whole
    elif ! through_memory; then
        left "log of $name" "$reason"
        return
    fi
    bytes=$((before - $(stat -L -c %s "$file")))
    [ "$bytes" -ge 0 ] || bytes=0
    removed log "$name" "$bytes"
}

for memory in "$in_memory"-*; do
    is_ours || continue
    id=${memory##*-}
    hold "$id"
    path=$(path_of "$id")
    if [ -n "$path" ]; then (enter "$path" && mend) || true; fi
done
printf '%s\n' "$logs" | while IFS= read -r line; do
    [ -n "$line" ] || continue
    if enough; then break; fi
    id=${line%% *} line=${line#* }
    name=${line%% *} path=${line#* }
    hold "$id"
    (shorten)
done
