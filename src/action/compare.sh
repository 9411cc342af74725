# shellcheck shell=sh disable=SC2154
# Whether a loaded backup is what it should be: its rows by its manifest, its owners by the live database, and what the inventory asks.
#
# Given: file, user, live, new, check (a query, or nothing).

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ready
wrong=0
say() { printf '%s\n' "$1" >&2; wrong=1; }
# differ ONE OTHER CHANGED MISSING: what is in ONE, by its name, and otherwise or not at all in OTHER; nothing is said in empty words.
differ() {
    told=$(awk -v changed="$3" -v missing="$4" '
        { name = $0; sub(/ [^ ]*$/, "", name); value = $NF }
        NR == FNR { known[name] = value; next }
        !(name in known) { if (missing != "") print name, missing; next }
        known[name] != value && changed != "" { print name, changed, value }' "$2" "$1")
    [ -z "$told" ] || say "$told"
}
{ echo "$counts"; echo '\gexec'; } | sql -d "$new" | sort >"$work/has"
rows=$(awk '{ sub(/.*: /, ""); rows += $0 } END { printf "%.0f", rows }' "$work/has")
echo "$(($(wc -l <"$work/has"))) tables, $rows rows"
if [ -f "$file.json" ] && grep -q '^  "tables": {' "$file.json"; then
    sed -n '/^  "tables": {/,/^  }/p' "$file.json" | sed -n 's/^    //; s/,$//; /^"/p' | sort >"$work/should"
    if cmp -s "$work/has" "$work/should"; then
        echo "as its manifest says"
    else
        differ "$work/should" "$work/has" 'has not the rows of the manifest, which are' 'is not in it, but in the manifest'
        differ "$work/has" "$work/should" '' 'is not in the manifest'
    fi
    echo "SELECT coalesce(json_agg(extname ORDER BY extname)::text, '[]') FROM pg_extension" | sql -d "$new" >"$work/extensions"
    grep -qF -e "  \"extensions\": $(cat "$work/extensions")," "$file.json" ||
        say "its extensions are $(cat "$work/extensions"), and the manifest has others"
fi
owners="SELECT c.oid::regclass || ' ' || quote_ident(pg_get_userbyid(c.relowner)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
echo "$owners" | sql -d "$new" | sort >"$work/owns"
# The live one may be damaged, or not there.
if echo "$owners" | sql -d "$live" 2>/dev/null | sort >"$work/owned" && [ -s "$work/owned" ]; then
    differ "$work/owned" "$work/owns" "does not belong to whom it belongs to in $live:" ''
    awk -v live="$live" '
        { name = $0; sub(/ [^ ]*$/, "", name) }
        NR == FNR { known[name]; next }
        name in known { common = 1; next }
        { print "not in it, but in " live ": " name }
        END { exit !common }' "$work/owns" "$work/owned" || say "it has nothing in common with $live: it is of another database"
fi
if [ -n "$check" ]; then
    told=$(printf '%s\n' "$check" | sql -d "$new") || { echo "the inventory's \`check\` could not be asked" >&2; exit 1; }
    if [ "$told" = t ]; then echo "the inventory's \`check\` is true"; else say "the inventory's \`check\` is not true, but \`$told\`"; fi
fi
exit "$wrong"
