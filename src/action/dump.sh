# shellcheck shell=sh disable=SC2154,SC2016
# Dumps a database into a file on the host, and counts its rows in the same snapshot.
#
# Given: file, kind, of, by, reason (see backup.sh), user, live, name (the database that is dumped).

if is_there; then echo "it is there"; exit 0; fi
ready
# Those of dumps that were broken off; only one is under way at a time.
find "$folder" -maxdepth 1 -type f -name ".${of}_*.part*" -exec rm -f {} +
sweep() { rm -f "$part" "$part.told" "$part.more" "$part.json" "$part.pipe" "$part.tail"; }
sweep
# A disk that is full must not stay so by what is no backup.
trap 'told; sweep' EXIT

# Zstandard where the server's programs have it: it is several times as fast, and smaller. Only asking tells.
how='-Fc'
case $file in
*.gz | *.sql) how='-Fp' ;;
*) if db pg_dump -w -Fc -Z zstd -s -U "$user" -d "$name" </dev/null >/dev/null 2>&1; then how='-Fc -Z zstd'; fi ;;
esac
passed() { if [ "$how" = -Fp ]; then ending "$part"; else cat; fi; }
squeeze() { case $file in *.gz) gzip ;; *) cat ;; esac; }

# Of about the size of the last one.
last=$(find "$folder" -maxdepth 1 -type f -name '*.json' -exec grep -lF "\"of\": \"$of\"" {} + | sort | tail -n 1)
about=$(sed -n 's/^  "bytes": \([0-9]*\),$/\1/p' "${last:-/dev/null}")
written() { wc -c <"$part"; }
tell written "${about:-0}" written
broke=
begun=$(date +%s)
# psql holds the snapshot that pg_dump reads, and counts in it. What it says itself goes to standard error.
db psql -X -w -q -A -t -v ON_ERROR_STOP=1 -v how="$how" -U "$user" -d "$name" <<SQL 2>"$part.told" | passed | squeeze >"$part" || broke=yes
SELECT set_config(name, '0', false) AS none FROM pg_settings WHERE name = 'transaction_timeout' \\gset
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\gset
\\setenv OPSCTL_SNAPSHOT :snapshot
\\setenv OPSCTL_HOW :how
\\setenv OPSCTL_USER :USER
\\setenv OPSCTL_DATABASE :DBNAME
\\o |cat >&2
SELECT 'at|' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
\\! pg_dump -w \$OPSCTL_HOW --snapshot="\$OPSCTL_SNAPSHOT" -U "\$OPSCTL_USER" -d "\$OPSCTL_DATABASE"; echo "ended|\$?" >&2
SELECT 'server|' || current_setting('server_version');
SELECT '  "database_bytes": ' || pg_database_size(current_database()) || ',';
SELECT '  "encoding": "' || pg_encoding_to_char(encoding) || '",' FROM pg_database WHERE datname = current_database();
SELECT '  "extensions": ' || coalesce(json_agg(extname ORDER BY extname)::text, '[]') || ',' FROM pg_extension;
$counts \\gexec
SELECT 'counted|';
COMMIT;
SQL
seconds=$(($(date +%s) - begun))
told
field() { sed -n "s/^$1|//p" "$part.told" | head -n 1; }
if [ -n "$broke" ] || [ "$(field ended)" != 0 ] || ! grep -q '^counted|' "$part.told"; then
    why=$(grep -v '^[a-z]*|\|^ *"' "$part.told") || true
    [ -z "$broke" ] || why="it could not be written to $folder"
    printf '%s\n' "$name was not dumped: $why" >&2
    exit 1
fi
if [ "$how" = -Fp ] && ! is_ended <"$part.tail"; then
    echo "the dump of $name has no end" >&2
    exit 1
fi
{
    grep '^  "' "$part.told"
    tables=$(grep '^"' "$part.told" | sed 's/^/    /; $!s/$/,/')
    if [ -n "$tables" ]; then printf '  "tables": {\n%s\n  }\n' "$tables"; else echo '  "tables": {}'; fi
} >"$part.more"
keep "$(field at)" "$seconds" "$(field server)" <"$part.more"
rows=$(grep '^"' "$part.told" | sed 's/.*: //' | awk '{ rows += $1 } END { printf "%.0f", rows }')
echo "$file"
echo "$(mega "$(($(wc -c <"$file")))"), $rows rows, in $seconds s"
