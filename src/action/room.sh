# shellcheck shell=sh disable=SC2017,SC2046,SC2154
# Whether there is space for a second copy of the database beside the live one, and for a safety dump of that. Nothing is written.
#
# Given: file, folder (of the backups), safety (whether there is to be a dump), user, live.

ready
number() { sed -n "s/^  \"$1\": \([0-9]*\),\{0,1\}$/\1/p" "$2" 2>/dev/null | head -n 1; }
live_bytes=$(echo "SELECT coalesce(max(pg_database_size(datname)), 0) FROM pg_database WHERE datname = :'live'" | sql -d postgres)
copy=$(number database_bytes "$file.json")
[ -n "$copy" ] || copy=$live_bytes
# Compressed, it is at most what it takes in the database.
[ "$copy" -gt 0 ] || copy=$(($(wc -c <"$file") * 4))
log=$(echo "SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'max_wal_size'" | sql -d postgres)
copy=$((copy + copy / 10 + log))
bytes=$(number bytes "$file.json")
dump=$live_bytes
if [ -n "$bytes" ] && [ "$bytes" -gt 0 ] && [ -n "$(number database_bytes "$file.json")" ]; then
    dump=$((live_bytes / 1024 * (bytes / 1024 + 1) / ($(number database_bytes "$file.json") / 1024 + 1) * 1024 * 5 / 4))
fi
[ "$safety" = true ] || dump=0
data=$(echo 'SHOW data_directory' | sql -d postgres)
# The filesystem's name and size tell whether two folders share it.
place() { awk 'NR == 2 { printf "%s/%s %.0f\n", $1, $2, $4 * 1024 }'; }
set -- $(db df -Pk "$data" </dev/null | place) $(df -Pk "$folder" 2>/dev/null | place)
lacks() { echo "$1 needs $(mega "$2"), and there are $(mega "$3")" >&2; exit 1; }
echo "a second copy takes $(mega "$copy") of $(mega "$2")"
[ "$dump" = 0 ] || echo "a safety dump takes about $(mega "$dump") of $(mega "${4:-$2}")"
if [ "$1" = "${3:-}" ]; then
    [ "$((copy + dump))" -lt "$2" ] || lacks "a second copy of $live with a safety dump" "$((copy + dump))" "$2"
else
    [ "$copy" -lt "$2" ] || lacks "a second copy of $live" "$copy" "$2"
    [ "$dump" -lt "${4:-$dump}" ] || [ -z "${4:-}" ] || lacks "a safety dump of $live in $folder" "$dump" "$4"
fi
