# shellcheck shell=sh disable=SC2154
# Removes networks that no container is on, be it one that is stopped: that could not start any more.
#
# Given: networks (a line each: the id, the name).

printf '%s\n' "$networks" | while read -r id name; do
    [ -n "$id" ] || continue
    there=$(docker network ls -q --no-trunc --filter "id=$id")
    if [ -z "$there" ]; then
        left "$name" 'it is gone already'
        continue
    fi
    # One that has never run knows it only by its name.
    users=$(docker ps -a --filter "network=$id" --filter "network=$name" --format '{{.Names}}')
    if [ -n "$users" ]; then
        left "$name" "the container ${users%%
*} is on it"
    elif said=$(docker network rm "$id" 2>&1 </dev/null); then
        removed network "$name" 0
    else
        why "$said"
        left "$name" "$reason"
    fi
done
echo 'freed 0 bytes, 0 inodes'
