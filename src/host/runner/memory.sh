# The place in memory for what the folder has no room for: below /dev/shm, under the folder's name. It is lost with a restart.
# These lines stand before those of the runner and of the stream. `folder` is a whole path.

name_memory() {
    IFS=/
    set -- $folder
    IFS=-
    memory="/dev/shm/opsctl$*" is_judged=
    unset IFS
}

# has_memory: whether it is there; `other` is where to look for it then. /dev/shm is open to everybody: what somebody else has put
# in its place is nothing to us, and is told by `stranger`.
has_memory() {
    other=/dev/null/nothing
    [ -e "$memory" ] || return 1
    if [ -z "$is_judged" ]; then
        if ! is_ours; then
            stranger=$memory memory=$other
            return 1
        fi
        is_judged=yes
    fi
    other=$memory
}

# Whether it was made by us, by root, or by whoever may write to the folder as well.
is_ours() {
    me=$(id -u)
    set -- $(ls -ldn "$memory" 2>/dev/null)
    case $1 in d???????[!w]*) ;; *) return 1 ;; esac
    case $3 in 0 | "$me") return ;; esac
    case $1 in d????w*) theirs=$4 ;; *) return 1 ;; esac
    set -- $(ls -ldn "$folder" 2>/dev/null)
    case $1 in d????w*) [ "$4" = "$theirs" ] ;; *) return 1 ;; esac
}
