# shellcheck shell=sh disable=SC2154
# Removes one volume, of exactly that name, that no container uses.
#
# Given: volume.

all=$(docker volume ls -q)
if printf '%s\n' "$all" | grep -qxF -e "$volume"; then
    users=$(docker ps -a --filter "volume=$volume" --format '{{.Names}}')
    if [ -n "$users" ]; then
        echo "the container ${users%%
*} uses $volume" >&2
        exit 1
    fi
    # Only root may look inside.
    folder=$(docker volume inspect -f '{{.Mountpoint}}' "$volume")
    bytes=$(du -sk -- "$folder" 2>/dev/null | sed 's/[^0-9].*//')
    docker volume rm "$volume" >/dev/null
    removed volume "$volume" $((${bytes:-0} * 1024))
else
    left "$volume" 'it is gone already'
fi
