# shellcheck shell=sh disable=SC2154
# Lets one database take the name of another, in one transaction: at no time is there no database of that name for anybody who looks.
# Nobody may connect before, since a database that somebody uses cannot be renamed.
#
# Given: user, live, from (what becomes the live one), to (what the live one is called then), back (true: takes an earlier swap back), new
# (what a restore loads into).

ready
there=$(sql -d postgres -v from="$from" -v to="$to" -v new="$new" <<'SQL'
SELECT string_agg(CASE WHEN EXISTS (SELECT FROM pg_database WHERE datname = name) THEN 'yes' ELSE 'no' END, ' ' ORDER BY number)
    FROM (VALUES (1, :'live'), (2, :'from'), (3, :'to'), (4, :'new')) AS names (number, name)
SQL
)
open='ALTER DATABASE :"to" ALLOW_CONNECTIONS true; ALTER DATABASE :"live" ALLOW_CONNECTIONS true;'
case $there in
'yes yes no '*)
    sql -d postgres -v from="$from" -v to="$to" >/dev/null <<SQL
ALTER DATABASE :"live" ALLOW_CONNECTIONS false;
ALTER DATABASE :"from" ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN (:'live', :'from');
BEGIN;
ALTER DATABASE :"live" RENAME TO :"to";
ALTER DATABASE :"from" RENAME TO :"live";
COMMIT;
$open
SQL
    echo "$live is what was $from; what it was is $to"
    ;;
'yes no yes '*)
    echo "$open" | sql -d postgres -v to="$to"
    echo "it was swapped before"
    ;;
'yes no no yes')
    [ "$back" = true ] || { echo "there is no $from" >&2; exit 1; }
    echo 'ALTER DATABASE :"live" ALLOW_CONNECTIONS true' | sql -d postgres
    echo "there is nothing to swap back"
    ;;
'yes no no no')
    echo "there is no $from any more: it was released" >&2
    exit 1
    ;;
*)
    echo "there are not the databases that a swap needs: $live and $from, and no $to" >&2
    exit 1
    ;;
esac
