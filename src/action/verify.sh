# shellcheck shell=sh disable=SC2154
# Whether a file is a whole backup of this database that this server can read. Nothing is written.
#
# Given: file, of, user, live.

refuse() { echo "$1" >&2; exit 1; }
[ -e "$file" ] || refuse "there is no file $file"
[ -f "$file" ] || refuse "$file is not a file"
[ -r "$file" ] || refuse "$file cannot be read by $(id -un)"
[ -s "$file" ] || refuse "$file is empty"
known=
if [ -f "$file.json" ]; then
    grep -qxF "  \"of\": \"$of\"," "$file.json" || refuse "$file is a backup of another database, as $file.json says"
    sum=$(sha256sum <"$file")
    grep -qxF "  \"sha256\": \"${sum%% *}\"," "$file.json" ||
        refuse "$file is not what was written: its checksum is not that of its manifest"
    known=yes
fi
form=$(kind_of "$file") || refuse "$file is not a dump of a PostgreSQL database"
ready
if [ "$form" = archive ]; then
    head=$(db pg_restore -l <"$file" 2>&1) || refuse "$file cannot be read by the server's pg_restore: $(printf '%s\n' "$head" | tail -n 1)"
    from=$(printf '%s\n' "$head" | sed -n 's/^; *Dumped from database version: *//p')
    name=$(printf '%s\n' "$head" | sed -n 's/^; *dbname: *//p')
else
    head=$(plain "$file" 2>/dev/null | head -n 500) || true
    from=$(printf '%s\n' "$head" | sed -n 's/^-- Dumped from database version //p' | head -n 1)
    name=
    if printf '%s\n' "$head" | grep -q '^\\connect'; then
        refuse "$file says itself which database it goes to, as with \`pg_dump --create\`"
    fi
fi
has=$(echo 'SHOW server_version_num' | sql -d postgres)
if [ "${from%%[!0-9]*}" -gt "$((has / 10000))" ] 2>/dev/null; then
    refuse "$file is from PostgreSQL $from, and this server is PostgreSQL $((has / 10000)): a newer dump may not be understood"
fi
case $known$name in
yes* | '' | "$live" | "$live"_until_* | "$live"_taken_back_*) ;;
*) refuse "$file is a dump of the database $name, and this one is $live" ;;
esac
# What has its checksum is what pg_dump wrote to its end.
[ -n "$known" ] || whole "$file" || refuse "$file is not whole"
echo "$file"
echo "$form of PostgreSQL ${from:-of a version that it does not say}, $(wc -c <"$file") bytes, of $(date -u -r "$file" +%Y-%m-%dT%H:%M:%SZ)"
if [ -n "$known" ]; then echo "its checksum is that of its manifest"; else echo "it has no manifest: its rows cannot be compared"; fi
