# shellcheck shell=sh disable=SC2154
# Within a container with the volumes of the live one: makes its data directory anew from a dump on standard input.
#
# Arguments: how many bytes that has, how much memory there is (in words), what the file is called, its checksum, the folder, and the
# settings dbfilename, appendonly, appendfilename and appenddirname (empty before Redis 7).

bytes=$1 memory=$2 file=$3 sum=$4 new=$5 dbfilename=$6 appendonly=$7 appendfilename=$8 appenddirname=$9
rm -rf "$new"
mkdir "$new"
set -- --appendfilename "$appendfilename"
[ -z "$appenddirname" ] || set -- "$@" --appenddirname "$appenddirname"
load "$new" "$dbfilename" "$bytes" "$memory" "$file" "$@"
counts() { ask info keyspace | tr -d '\r' | grep '^db[0-9]*:' || true; }
keyspace=$(counts)
[ -n "$keyspace" ] || { echo "$file holds no key" >&2; exit 1; }

# With an append-only file, Redis reads nothing else when it starts.
if [ "$appendonly" = yes ]; then
    [ "$(ask config set appendonly yes)" = OK ]
    state() { ask info persistence | tr -d '\r' | sed -n "s/^$1://p"; }
    while [ "$(state aof_rewrite_in_progress)$(state aof_rewrite_scheduled)" != 00 ]; do sleep 0.1; done
    log=$new/$appendfilename
    [ -z "$appenddirname" ] || log=$new/$appenddirname/$appendfilename.manifest
    if [ "$(state aof_enabled)$(state aof_last_bgrewrite_status)$(state aof_last_write_status)" != 1okok ] || [ ! -s "$log" ]; then
        tail -n 10 "$work/log" >&2
        echo "the append-only file was not written" >&2
        exit 1
    fi
fi
{
    printf 'sum %s\nappendonly %s\ndbfilename %s\nappendfilename %s\nappenddirname %s\n' \
        "$sum" "$appendonly" "$dbfilename" "$appendfilename" "$appenddirname"
    echo "$keyspace"
    echo "$keyspace" | sed 's/^db\([0-9]*\):.*/\1/' | while read -r number; do
        ask -n "$number" eval "$sample" 0 choose 20 </dev/null | sed -n "s/^\([0-9a-f][0-9a-f]* .*\)/sample $number \1/p"
    done
} >"$work/record"
[ "$(counts)" = "$keyspace" ] || { echo "the keys became others while the append-only file was written" >&2; exit 1; }
finish
[ "$(cat "$work/ended")" = 0 ] || { echo "the server did not end cleanly" >&2; exit 1; }
cp "$work/record" "$new/opsctl-record.part"
# Whoever has the folder has its files.
[ "$(id -u)" != 0 ] || chown -R "$(stat -c %u:%g "${new%/*}")" "$new"
sync
mv "$new/opsctl-record.part" "$new/opsctl-record"
sync
echo "$keyspace"
echo "it is in $new"
