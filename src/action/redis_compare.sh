# shellcheck shell=sh disable=SC2154,SC2086
# Whether a Redis that was started has what was prepared.
#
# Given: at, project, service, cache, sample (a program in Lua).

ready
places
record=$(docker exec "$id" cat "$dir/opsctl-aside-$at/opsctl-record" </dev/null) || refuse "nothing was swapped as $at in $dir"
told() { printf '%s\n' "$record" | sed -n "s/^$1 //p"; }

now=$(cli info keyspace | grep '^db[0-9]*:' || true)
# Keys with an expiry may have expired since.
{ printf '%s\n' "$record" | grep '^db[0-9]*:'; echo now; printf '%s\n' "$now"; } | awk -F '[:=,]' '
    $1 == "now" { is_now = 1; next }
    !is_now { keys[$1] = $3; least[$1] = $3 - $5; next }
    $1 != "" { has[$1] = $3; if (!($1 in keys)) keys[$1] = least[$1] = 0 }
    END {
        for (db in keys) {
            if (has[db] + 0 > keys[db] || has[db] + 0 < least[db]) {
                print db " has " has[db] + 0 " keys, and " keys[db] " were prepared" | "cat 1>&2"
                failed = 1
            }
        }
        exit failed
    }' || refuse "$cache does not have the keys that were prepared"

looked=0
for number in $(told sample | sed 's/ .*//' | sort -u); do
    then=$(told "sample $number" | sort)
    names=$(printf '%s\n' "$then" | sed 's/ .*//')
    answer=$(cli -n "$number" eval "$sample" 0 look $names | sort)
    case $answer in
    "$then") looked=$((looked + $(printf '%s\n' "$then" | wc -l))) ;;
    ERR* | NOPERM*) echo "the sample of db$number was not looked at: $answer" ;;
    *) refuse "of the sample of db$number, some keys hold something else than was prepared" ;;
    esac
done

is=$(setting appendonly)
if [ "$is" != "$(told appendonly)" ]; then
    echo "appendonly was $(told appendonly) by CONFIG SET alone, and is $is since it was started: redis-cli config set appendonly $(told appendonly)"
fi
echo "as prepared: $(printf '%s' "$now" | tr '\n' ' '), and $looked keys of a sample"
