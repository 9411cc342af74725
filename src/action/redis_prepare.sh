# shellcheck shell=sh disable=SC2094,SC2154
# Makes a whole data directory from a dump, in a folder beside the live one's files, while that one serves.
#
# Given: file, of, at (a stamp), project, service, cache.

ready
is_a_dump "$file"
places
appendonly=$(setting appendonly) appendfilename=$(setting appendfilename) appenddirname=$(setting appenddirname)
new=$dir/opsctl-new-$at
record=$(docker exec "$id" cat "$new/opsctl-record" </dev/null 2>/dev/null || true)
if [ "$(printf '%s\n' "$record" | sed -n 's/^sum //p')" = "$sum" ] && [ "$(printf '%s\n' "$record" | sed -n 's/^appendonly //p')" = "$appendonly" ]; then
    echo "it is there"
    exit 0
fi
name=opsctl-$project-$service-$at
# That of a call that was cut short would write into the same folder.
docker rm -f "$name" >/dev/null 2>&1 || true
limit
options="$options --name $name --volumes-from $id"
beside "$prepare_script" "$bytes" "$(megabytes "$memory")" "$file" "$sum" "$new" "$dbfilename" "$appendonly" "$appendfilename" \
    "$appenddirname" <"$file"
