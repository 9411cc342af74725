# shellcheck shell=sh disable=SC2154
# Takes tables out of a loaded backup into a schema of their own in the live database, in one transaction. Without their indexes, keys and
# triggers, and not as parts of other tables: nothing of the live tables hangs on them.
#
# Given: user, live, new (the database that the backup was loaded into), schema, tables (with commas between).

ready
mine="opsctl ${OPSCTL_RUN:-}"
of_schema() { echo "SELECT coalesce(obj_description(oid, 'pg_namespace'), '-') FROM pg_namespace WHERE nspname = :'schema'" | sql -d "$live" -v schema="$schema"; }
case $(of_schema) in
'') ;;
"$mine") echo "they are there"; exit 0 ;;
*) echo "there is a schema $schema already" >&2; exit 1 ;;
esac
# Those that a call before this one has moved already are found in the schema.
wrong=$(sql -d "$new" -v schema="$schema" -v tables="$tables" <<'SQL'
SELECT CASE WHEN c.oid IS NULL THEN 'there is no table ' || trim(name) || ' in the backup'
        ELSE trim(name) || ' is partitioned: name its partitions' END
    FROM unnest(string_to_array(:'tables', ',')) name
    LEFT JOIN pg_class c ON c.relkind IN ('r', 'p') AND c.oid = coalesce(to_regclass(trim(name)),
        to_regclass(format('%I.%I', :'schema', (parse_ident(trim(name)))[array_upper(parse_ident(trim(name)), 1)])))
    WHERE c.oid IS NULL OR c.relkind = 'p'
SQL
)
[ -z "$wrong" ] || { printf '%s\n' "$wrong" >&2; exit 1; }
sql -d "$new" -v schema="$schema" -v tables="$tables" >/dev/null <<'SQL'
CREATE SCHEMA IF NOT EXISTS :"schema";
-- Else they would become parts of the live ones.
SELECT format(CASE WHEN c.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s' ELSE 'ALTER TABLE %1$s NO INHERIT %2$s' END,
        i.inhrelid::regclass, i.inhparent::regclass)
    FROM unnest(string_to_array(:'tables', ',')) name
    JOIN pg_inherits i ON i.inhrelid = to_regclass(trim(name)) JOIN pg_class c ON c.oid = i.inhrelid
\gexec
SELECT format('ALTER TABLE %s SET SCHEMA %I', to_regclass(trim(name)), :'schema')
    FROM unnest(string_to_array(:'tables', ',')) name
    WHERE to_regclass(format('%I.%I', :'schema', (parse_ident(trim(name)))[array_upper(parse_ident(trim(name)), 1)])) IS NULL
\gexec
SQL
{
    echo 'BEGIN;'
    db pg_dump -w -U "$user" -d "$new" --section=pre-data --section=data -n "\"$schema\"" || echo 'the dump broke off;'
    echo 'COMMENT ON SCHEMA :"schema" IS :'"'mine'"'; COMMIT;'
} | db psql -X -w -q -o /dev/null -v ON_ERROR_STOP=1 -v schema="$schema" -v mine="$mine" -U "$user" -d "$live"
echo "SELECT format('SELECT %L || count(*) FROM %I.%I', format('%I.%I: ', schemaname, tablename), schemaname, tablename)
    FROM pg_tables WHERE schemaname = :'schema' ORDER BY tablename \\gexec" | sql -d "$live" -v schema="$schema"
