# shellcheck shell=sh disable=SC2154
# Removes the steps of image builds that nothing refers to.

# amount SIZE: `bytes` of what Docker writes as `62.91MB`.
amount() {
    number=${1%%[!0-9.]*} unit=${1##*[0-9.]}
    case $unit in
        B) power=1 ;;
        [kK]B) power=1000 ;;
        MB) power=1000000 ;;
        GB) power=1000000000 ;;
        TB) power=1000000000000 ;;
        *) number=0 power=1 ;;
    esac
    whole=${number%%.*} part=
    case $number in *.*) part=${number#*.} ;; esac
    bytes=$((${whole:-0} * power))
    while [ -n "$part" ]; do
        power=$((power / 10))
        bytes=$((bytes + ${part%"${part#?}"} * power))
        part=${part#?}
    done
}

if ! enough; then
    if said=$(docker builder prune --force 2>&1 </dev/null); then
        # A line each: the id, whether it could go, the size. Older ones say the id alone.
        printf '%s\n' "$said" | while read -r id _ size _; do
            case ${id%\*} in
                *[!0-9a-z]*) continue ;;
                ????????????????????*) ;;
                *) continue ;;
            esac
            amount "${size:-0B}"
            removed build "${id%\*}" "$bytes"
        done
    else
        left builds "${said##*
}"
    fi
fi
