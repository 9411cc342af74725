# shellcheck shell=sh disable=SC2154
# Loads a backup into a database of its own, wholly or not at all. That has the owner, encoding, locale, settings and rights of the live one.
#
# Given: file, user, live, new (the database that it is loaded into).

[ -f "$file" ] || { echo "there is no file $file" >&2; exit 1; }
form=$(kind_of "$file") || { echo "$file is not a dump of a PostgreSQL database: nothing was loaded" >&2; exit 1; }
if [ "$form" != archive ]; then
    if plain "$file" 2>/dev/null | head -n 500 | grep -q '^\\connect'; then
        echo "$file says itself which database it goes to, as with \`pg_dump --create\`: nothing was loaded" >&2
        exit 1
    fi
fi
ready
sql -d postgres -v new="$new" >/dev/null <<'SQL'
SET client_min_messages = warning;
DROP DATABASE IF EXISTS :"new" WITH (FORCE);
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L TABLESPACE %I CONNECTION LIMIT %s',
        :'new', pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, t.spcname, d.datconnlimit)
    || CASE j ->> 'datlocprovider'
        WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(j ->> 'datlocale', j ->> 'daticulocale'))
            || coalesce(format(' ICU_RULES %L', j ->> 'daticurules'), '')
        WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j ->> 'datlocale')
        ELSE '' END
    FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace, LATERAL to_jsonb(d) j
    WHERE d.datname = :'live'
UNION ALL SELECT format('CREATE DATABASE %I', :'new') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'live')
\gexec
SELECT format(CASE s.setrole WHEN 0 THEN 'ALTER DATABASE %1$I SET %3$I TO %4$s' ELSE 'ALTER ROLE %2$I IN DATABASE %1$I SET %3$I TO %4$s' END,
        :'new', pg_get_userbyid(s.setrole), split_part(c, '=', 1),
        CASE WHEN split_part(c, '=', 1) IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
            THEN substr(c, strpos(c, '=') + 1) ELSE quote_literal(substr(c, strpos(c, '=') + 1)) END)
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c
    WHERE d.datname = :'live'
UNION ALL SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'new') FROM pg_database WHERE datname = :'live' AND datacl IS NOT NULL
\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :'new',
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = :'live'
UNION ALL SELECT format('COMMENT ON DATABASE %I IS %L', :'new', shobj_description(oid, 'pg_database'))
    FROM pg_database WHERE datname = :'live' AND shobj_description(oid, 'pg_database') IS NOT NULL
\gexec
SQL
begun=$(date +%s)
# All readers of descriptor 3 share the place that they are at.
exec 3<"$file"
read_so_far() { sed -n 's/^pos:[[:space:]]*//p' /proc/$$/fdinfo/3; }
tell 'read' "$(($(wc -c <"$file")))" read_so_far
# An archive that breaks off is told by pg_restore. A stream that does must not end in a commit: what stands in for its rest is no SQL, wherever
# it broke off.
if [ "$form" = archive ]; then
    db pg_restore -w --exit-on-error --single-transaction -U "$user" -d "$new" <&3
else
    work=$(mktemp -d)
    trap 'told; rm -rf "$work"' EXIT
    { plain <&3 || echo '-- it broke off'; } |
        { ending "$work/end"; is_ended <"$work/end.tail" || printf '\n\\.\nthe backup broke off;\n'; } |
        db psql -X -w -q -o /dev/null -v ON_ERROR_STOP=1 -v VERBOSITY=terse --single-transaction -U "$user" -d "$new" || {
        is_ended <"$work/end.tail" || echo "$file is not whole: nothing was loaded" >&2
        exit 1
    }
fi
told
# Without it the first queries would be planned without knowing anything of the data.
echo 'ANALYZE' | sql -d "$new"
tables=$(echo "select count(*) from pg_stat_user_tables" | sql -d "$new")
[ "$tables" -gt 0 ] || { echo "$file holds no table" >&2; exit 1; }
echo "$tables tables from $file are in $new"
echo "loaded in $(($(date +%s) - begun)) s"
