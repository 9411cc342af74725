# shellcheck shell=sh disable=SC2154
# Removes containers that have been stopped for long. Their volumes stay, those without a name too.
#
# Given: containers (a line each: the id, the name), unused_for (seconds).

now=$(date +%s)
printf '%s\n' "$containers" | while read -r id name; do
    [ -n "$id" ] || continue
    if enough; then break; fi
    there=$(docker ps -aq --no-trunc --filter "id=$id")
    if [ -z "$there" ]; then
        left "$name" 'it is gone already'
        continue
    fi
    facts=$(docker inspect --type container --size \
        -f '{{.State.Status}} {{.State.FinishedAt}} {{.Created}} {{.SizeRw}} {{.LogPath}}' "$id" </dev/null) || {
        left "$name" 'it is gone already'
        continue
    }
    status=${facts%% *} facts=${facts#* }
    since=${facts%% *} facts=${facts#* }
    created=${facts%% *} facts=${facts#* }
    bytes=${facts%% *} log=${facts#* }
    case $status in
        created | exited | dead) ;;
        *) left "$name" "it is $status"; continue ;;
    esac
    # One that never ran has never ended.
    case $since in 0001-*) since=$created ;; esac
    since=${since%%[.Z+]*}
    since=$(date -u -d "${since%T*} ${since#*T}" +%s 2>/dev/null) || since=
    if [ -z "$since" ] || [ $((now - since)) -lt "$unused_for" ]; then
        left "$name" "it was in use ${since:+$((now - since)) s }ago"
        continue
    fi
    case $bytes in '' | *[!0-9]*) bytes=0 ;; esac
    if [ -f "$log" ]; then bytes=$((bytes + $(stat -c %b "$log" 2>/dev/null || echo 0) * 512)); fi
    # One that runs again by now is refused.
    if said=$(docker rm "$id" 2>&1 </dev/null); then
        removed container "$name" "$bytes"
    else
        why "$said"
        left "$name" "$reason"
    fi
done
