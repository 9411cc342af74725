# shellcheck shell=sh disable=SC2034,SC2154
# How a PostgreSQL server is asked: by its own programs in its own container.
#
# Given: user, live (the name of the database in the engine).

export LC_ALL=C

sql() { db psql -X -w -q -A -t -v ON_ERROR_STOP=1 -U "$user" -v live="$live" "$@"; }

# A server that was started anew a moment ago is waited for.
ready() {
    tries=0
    until db pg_isready -q -U "$user" -d postgres </dev/null 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || { echo "the server does not accept connections" >&2; exit 1; }
        sleep 1
    done
}

# The kind of a file, by how it begins: archive (of pg_dump, also as tar), gzip, plain, or nothing where it is no dump at all.
kind_of() {
    case $(od -An -tx1 -N7 <"$1" | tr -d ' \n') in
    5047444d50* | 746f632e646174) echo archive ;;
    1f8b*) gzip -dc "$1" 2>/dev/null | is_plain && echo gzip ;;
    *) is_plain <"$1" && echo plain ;;
    esac
}
# It begins with a comment. In a tar, such a file comes after a head.
is_plain() { head -n 20 | awk 'NR == 1 && !/^--/ { exit } /^-- PostgreSQL database dump/ { is = 1 } END { exit !is }'; }
plain() { if [ "$form" = gzip ]; then gzip -dc "$@"; else cat "$@"; fi; }

# Plain SQL says at its end that it is the end.
is_ended() {
    awk '/PostgreSQL database dump complete/ { ended = 1 } /^-- it broke off$/ { ended = 0 } END { exit !ended }'
}
# Passes a stream on, whose last lines are in FILE.tail then: ending FILE. Reading it a second time would take as long as the first.
ending() {
    rm -f "$1.pipe"
    mkfifo "$1.pipe"
    tail -n 20 <"$1.pipe" >"$1.tail" &
    tee "$1.pipe"
    wait
    rm -f "$1.pipe"
}
whole() {
    form=$(kind_of "$1") || return 1
    case $form in
    archive) db pg_restore -f /dev/null <"$1" ;;
    gzip) { gzip -dc "$1" 2>/dev/null || echo '-- it broke off'; } | tail -n 20 | is_ended ;;
    *) tail -n 20 "$1" | is_ended ;;
    esac
}

# What counts as the rows of a database: those of every table that a dump has.
counts="SELECT format('SELECT %L || count(*) FROM ONLY %I.%I', to_json(format('%I.%I', n.nspname, c.relname)) || ': ', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname"
