# shellcheck shell=sh disable=SC2154
# What has to hold before a Redis is restored.
#
# Given: file, of, directory (of the backups; may be empty), project, service, cache.

ready
is_a_dump "$file"
places
[ "$(said replication role)" = master ] || refuse "$cache is a replica of $(said replication master_host):$(said replication \
    master_port), and takes over what that one has: restore that one"
[ "$(said cluster cluster_enabled)" != 1 ] || refuse "$cache is part of a cluster, where each has only some of the keys"
watchers=$(cli pubsub numsub __sentinel__:hello | sed -n 2p)
if [ "${watchers:-0}" -gt 0 ]; then
    echo "take it from each Sentinel before (redis-cli -p 26379 sentinel remove NAME), and give it back afterwards (sentinel monitor)" >&2
    refuse "$watchers Sentinels watch $cache: they would give the turn to a replica with what is to be replaced while it is stopped"
fi
replicas=$(said replication connected_slaves)
[ "${replicas:-0}" = 0 ] || echo "$replicas replicas follow it: they take over what is restored by themselves"

# A folder in no volume would be another one in every container, and one without a name is lost with its container.
mount=$(docker inspect -f '{{range .Mounts}}{{printf "%s\t%s\n" .Destination .Type}}{{end}}' "$id" | awk -F '\t' -v path="$dir" '
    ($1 == path || index(path, $1 "/") == 1 || $1 == "/") && length($1) > longest { longest = length($1); type = $2 } END { print type }')
case $mount in
volume | bind) ;;
*) refuse "$cache keeps its data in $dir, which is in no volume" ;;
esac

# One that was turned off while it ran is read again if the configuration says that it is on.
if [ "$(setting appendonly)" != yes ]; then
    for log in "$(setting appenddirname)" "$(setting appendfilename)"; do
        [ -n "$log" ] || continue
        docker exec "$id" test -e "$dir/$log" </dev/null || continue
        refuse "$cache has appendonly off and a $dir/$log of before, which it would read if it is configured to: turn it on, or move that away"
    done
fi

# What a dump takes when it is loaded, its manifest says; else by experience.
loaded=$(told_of database_bytes "$file" 2>/dev/null || true)
loaded=${loaded:-$((3 * bytes))}
live=$(said memory used_memory)
available=$(awk '/^MemAvailable:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)
if [ "$memory" -gt 0 ] && [ "$loaded" -gt "$memory" ]; then
    refuse "$file takes about $(megabytes "$loaded") of memory, and $cache may have $(megabytes "$memory")"
fi
[ "$available" -gt "$loaded" ] || refuse "a second server needs about $(megabytes "$loaded") of memory, and the host has $(megabytes \
    "$available") left"
most=$(setting maxmemory)
[ "${most:-0}" = 0 ] || [ "$loaded" -le "$most" ] ||
    echo "it takes about $(megabytes "$loaded") of memory, more than its maxmemory of $(megabytes "$most"): what is written then may push out other keys"

# The copy and its append-only file, and the dump of the live one that is made before. That one is about as large as its memory at most.
room() { awk 'NR == 2 { printf "%.0f", $4 * 1024 }'; }
needed=$(((2 * bytes + live) * 11 / 10))
free=$(docker exec "$id" df -Pk "$dir" </dev/null | room)
[ "$free" -gt "$needed" ] || refuse "$dir needs $(megabytes "$needed") of room, and has $(megabytes "$free")"
echo "memory: about $(megabytes "$loaded") of $(megabytes "$available"); room in $dir: $(megabytes "$needed") of $(megabytes "$free")"
if [ -d "$directory" ]; then
    free=$(df -Pk "$directory" | room)
    [ "$free" -gt "$live" ] || refuse "$directory needs $(megabytes "$live") of room for a dump of what is there now, and has $(megabytes "$free")"
fi
