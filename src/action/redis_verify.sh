# shellcheck shell=sh disable=SC2154
# Reads a dump of Redis to its end, as a server does that is restored from it.
#
# Given: file, of (the name in the inventory, as JSON has it between quotes), project, service, cache.

begun=$(date +%s)
is_a_dump "$file"
loads "$file"
if [ -n "$keys_told" ] && [ "$keys" != "$keys_told" ]; then
    refuse "$file holds the keys $keys, and its manifest says $keys_told"
fi
echo "$file"
echo "$all_keys keys $keys, $(megabytes "$loaded_bytes") of memory in Redis $server, loaded in $(($(date +%s) - begun)) s"
