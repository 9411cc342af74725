# shellcheck shell=sh disable=SC1003,SC2034,SC2154
# What every cleanup does: it looks how much room there is, says what goes and what stays, and in the end what that has given.
#
# Given: at (any path on the filesystem that is to get room), until_free (how much of it, in hundredths of a percent).
#
# All of it works where no byte and no inode is left: nothing is written to a disk, and nothing is read from a here-document, for which
# some shells write a file.

export LC_ALL=C
unset CDPATH
fields=$IFS

# measure OPTION: what the filesystem has, `used` and `free`, in kilobytes (-k) or in inodes (-i). Nothing of either: there is no end of them.
measure() {
    set -f
    # shellcheck disable=SC2046
    set -- $(df -P "$1" -- "$at" 2>/dev/null)
    set +f
    # Neither the words of the heading nor a device with a blank in its name are numbers.
    while [ $# -ge 4 ]; do
        case $2$3$4 in *[!0-9]*) shift ;; *) break ;; esac
    done
    used=${3:-0} free=${4:-0}
}

# has_room: whether so much is free of what was measured. What the shares are of is what people can use: what is kept for root is neither.
has_room() { [ $((used * 10000)) -lt $(((10000 - until_free) * (used + free))) ]; }

# enough: whether the goal is reached, in bytes and in inodes. It says so.
enough() {
    measure -k
    has_room || return 1
    share=$((free * 100 / (used + free)))
    measure -i
    if [ $((used + free)) -gt 0 ]; then
        has_room || return 1
        [ $((free * 100 / (used + free))) -ge "$share" ] || share=$((free * 100 / (used + free)))
    fi
    printf '%s\n' "enough: $share% free"
}

# show NAME: `shown` is the name in letters that can be printed, so that each is one line, whatever it is called.
show() {
    case $1 in
        *[!\ -~]* | *\\*) ;;
        *) shown=$1; return ;;
    esac
    format=
    for code in $(printf %s "$1" | od -A n -v -t o1); do
        case $code in
            011) format=$format'\\t' ;;
            012) format=$format'\\n' ;;
            134) format=$format'\\\\' ;;
            045) format=$format'%%' ;;
            04? | 05? | 06? | 07? | 1[0-6]? | 17[0-6]) format=$format'\'$code ;;
            *) format=$format'\\'$code ;;
        esac
    done
    # shellcheck disable=SC2059
    shown=$(printf "$format")
}

# removed KIND NAME BYTES [REST]
removed() {
    show "$2"
    printf '%s\n' "removed $1 $shown${4:-}, $3 bytes${5:-}"
}

# left NAME WHY
left() {
    show "$1"
    name_shown=$shown
    show "$2"
    printf '%s\n' "left $name_shown: $shown"
}

measure -k
if [ $((used + free)) = 0 ]; then
    echo "nobody knows how much room there is at $at" >&2
    exit 1
fi
used_before=$used
measure -i
inodes_before=$used

# freed: how much less is in use than before.
freed() {
    measure -k
    bytes=$(((used_before - used) * 1024))
    measure -i
    inodes=$((inodes_before - used))
    # Others write meanwhile.
    [ "$bytes" -ge 0 ] || bytes=0
    [ "$inodes" -ge 0 ] || inodes=0
    printf '%s\n' "freed $bytes bytes, $inodes inodes"
}
