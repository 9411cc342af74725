# shellcheck shell=sh disable=SC2034,SC2154
# How a Redis is made to write what it holds into its dump.

busy() { cli info persistence | grep -qE '^(rdb_bgsave_in_progress|aof_rewrite_in_progress|aof_rewrite_scheduled):1'; }

# Sets now to LASTSAVE, of the same process: one that was started anew says when that was.
look() {
    [ "$(said server run_id)" = "$process" ] || refuse "$cache was started anew meanwhile"
    now=$(cli lastsave)
    case $now in '' | *[!0-9]*) refuse "$cache does not say when it saved: $now" ;; esac
}

# Sets at, the moment that the dump shows.
save() {
    process=$(said server run_id)
    # What somebody else had begun shows an earlier moment.
    while [ "$(said persistence rdb_bgsave_in_progress)" = 1 ]; do sleep 0.5; done
    look
    last=$now
    # It counts in whole seconds, and has to become another one.
    while [ "$(cli time | head -n 1)" -le "$last" ]; do sleep 0.2; done
    at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    answer=$(cli bgsave schedule)
    case $answer in
    Background*) ;;
    *) [ "$(said persistence rdb_bgsave_in_progress)" = 1 ] || refuse "$cache does not save: $answer" ;;
    esac
    idle=0
    while look; [ "$now" = "$last" ]; do
        if busy; then idle=0; else idle=$((idle + 1)); fi
        # One that has to wait for a rewrite of the append-only file begins within moments, or after a failure within five seconds.
        [ "$idle" -lt 30 ] || refuse "$cache could not save: its log says why"
        sleep 0.3
    done
    look
    [ "$(said persistence rdb_last_bgsave_status)" = ok ] || refuse "$cache could not save: its log says why"
}
