# shellcheck shell=sh
# Within a container with the volumes of a Redis: removes what was prepared, and nothing else.
#
# Arguments: a stamp, and the places of the volumes, one a line.

printf '%s\n' "$2" | while read -r mount; do
    find "$mount" -maxdepth 3 -type d -name "opsctl-new-$1" 2>/dev/null || true
done | while read -r folder; do
    rm -rf "$folder"
    echo "removed $folder"
done
