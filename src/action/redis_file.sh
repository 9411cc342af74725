# shellcheck shell=sh disable=SC2034,SC2094,SC2154
# Whether a file can be a dump of Redis at all, and is the one that its manifest tells of.
#
# Given: of (the name in the inventory, as JSON has it between quotes).

# told KEY FILE: what the manifest of a file says.
told_of() { sed -n "s/^  \"$1\": \(.*[^,]\),\{0,1\}\$/\1/p" "$2.json" | head -n 1; }

# Sets bytes and sum.
is_a_dump() {
    [ -e "$1" ] || refuse "there is no file $1"
    [ -f "$1" ] || refuse "$1 is not a file"
    [ -r "$1" ] || refuse "$1 cannot be read by $(id -un)"
    bytes=$(($(wc -c <"$1")))
    [ "$bytes" -gt 0 ] || refuse "$1 is empty"
    case $(od -An -tx1 -N5 <"$1" | tr -d ' \n') in
    5245444953) ;;
    1f8b*) refuse "$1 is compressed, and has to be unpacked first" ;;
    *) refuse "$1 is not a dump of Redis: it does not begin with REDIS" ;;
    esac
    sum=$(sha256sum <"$1") sum=${sum%% *} keys_told=
    [ -f "$1.json" ] || return 0
    [ "$(told_of of "$1")" = "\"$of\"" ] || refuse "$1 is a backup of $(told_of of "$1"), as its manifest says"
    wanted=$(told_of bytes "$1")
    [ "$bytes" -ge "${wanted:-0}" ] || refuse "$1 is truncated: it has $bytes bytes of $wanted"
    wanted=$(told_of sha256 "$1")
    [ "\"$sum\"" = "${wanted:-none}" ] || refuse "$1 is not as it was written: its checksum is not that of its manifest"
    keys_told=$(told_of keys "$1")
}

# loads FILE: loads it in a server beside the live one, which is thrown away. Sets keys, all_keys, loaded_bytes and server.
loads() {
    options=
    limit
    trial=$(beside "$trial_script" "$(($(wc -c <"$1")))" "$(megabytes "$memory")" "$1" <"$1") || exit 1
    field() { printf '%s\n' "$trial" | tr -d '\r' | sed -n "s/^$1://p"; }
    server=$(field redis_version) loaded_bytes=$(field used_memory)
    keyspace=$(printf '%s\n' "$trial" | tr -d '\r' | grep '^db[0-9]*:' || true)
    keys=$(printf '%s\n' "$keyspace" | sed -n 's/^\(db[0-9]*\):keys=\([0-9]*\),.*/"\1": \2/p' | tr '\n' ',' | sed 's/,$//; s/,/, /g')
    keys="{$keys}"
    all_keys=$(printf '%s\n' "$keyspace" | sed -n 's/^db[0-9]*:keys=\([0-9]*\),.*/\1/p' | awk '{ all += $1 } END { printf "%.0f", all }')
}
