# shellcheck shell=sh disable=SC2154
# Lets a Redis write a dump, copies it out of its container, and counts its keys by loading it.
#
# Given: file, kind, of, by, reason (see backup.sh), project, service, cache.

if is_there; then echo "it is there"; exit 0; fi
ready
places
# Those of backups that were broken off; only one is under way at a time.
find "$folder" -maxdepth 1 -type f -name ".${of}_*.part*" -exec rm -f {} +
trap 'told; rm -f "$part"' EXIT

begun=$(date +%s)
save

written() { wc -c <"$part"; }
tell copied "$(docker exec "$id" sh -c 'wc -c <"$1"' sh "$dir/$dbfilename" </dev/null)" written
docker exec "$id" cat "$dir/$dbfilename" </dev/null >"$part" || refuse "the dump of $cache was not copied wholly to $folder"
told
loads "$part"
printf '  "database_bytes": %s,\n  "keys": %s\n' "$loaded_bytes" "$keys" | keep "$at" "$(($(date +%s) - begun))" "$server"
echo "$file"
echo "$(megabytes "$(($(wc -c <"$file")))"), $all_keys keys $keys, in $(($(date +%s) - begun)) s"
