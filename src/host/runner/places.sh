# Where leases and receipts are kept: in the folder; and on a host that has no room left, in memory.
#
# A full disk must not keep anybody from making room on it. So the folder has a reserve, which is given away when something cannot be
# written; and where that does not help, what this run needs is kept in memory.

usable() { [ -d "$1" ] && [ -w "$1" ] && [ -x "$1" ]; }

# lacks_room WORDS: whether they are those of a program that found no room. They are the system's own, in English.
lacks_room() {
    case $1 in *'o space left'* | *'uota exceeded'*) ;; *) return 1 ;; esac
}

# has_place FOLDER: whether it can be used, or could be if there were room for it.
has_place() {
    usable "$1" && return
    said=$(LC_ALL=C mkdir -p -m 700 "$1" 2>&1)
    usable "$1" || lacks_room "$said"
}

find_folder() {
    if [ -n "$folder" ]; then
        has_place "$folder" || refuse "folder cannot write to \`$folder\`"
        return
    fi
    folder=/var/lib/opsctl
    usable "$folder" && return
    if [ ! -e "$folder" ]; then
        group=docker
        if said=$(LC_ALL=C mkdir -m 700 "$folder" 2>&1); then
            # Who may use Docker may do anything, and shares the leases with root.
            chgrp docker "$folder" 2>/dev/null && chmod 2770 "$folder"
            return
        fi
        lacks_room "$said" && return
        usable "$folder" && return
        group=
    fi
    folder=${XDG_STATE_HOME:-${HOME:?}/.local/state}/opsctl/host
    has_place "$folder" || refuse "folder cannot write to \`/var/lib/opsctl\` nor to \`$folder\`"
}

# Makes `folder` its whole path, also where it is missing: the place in memory goes by it. `above`: what there is of it.
resolve_folder() {
    case $folder in /*) ;; *) folder=$PWD/$folder ;; esac
    above=$folder
    until [ -d "${above:-/}" ]; do above=${above%/*}; done
    missing=${folder#"$above"}
    above=$(cd -- "${above:-/}" && pwd -P)
    folder=${above%/}
    IFS=/
    for part in $missing; do
        case $part in '' | .) ;; ..) folder=${folder%/*} ;; *) folder=$folder/$part ;; esac
    done
    unset IFS
}

open_folder() {
    [ -r /proc/self/stat ] && read -r boot </proc/sys/kernel/random/boot_id || refuse 'tool there is no `/proc`'
    for tool in setsid sync ln sed find df id ls; do
        command -v "$tool" >/dev/null 2>&1 || refuse "tool there is no \`$tool\`"
    done
    group='' stranger='' run=''
    find_folder
    resolve_folder
    name_memory
    said=$(LC_ALL=C df -P -k "$above" 2>/dev/null)
    case $said in
        *[!A-Za-z]tmpfs* | *[!A-Za-z]ramfs*) refuse "folder \`$folder\` does not survive a restart of the host: it is in memory" ;;
    esac
    # In KiB, for those who are not root; what root alone may have comes to light when it is tried.
    set -- $said
    room=${11:-0}
    case $room in *[!0-9]*) room=0 ;; esac
    umask 077
    [ -z "$group" ] || umask 007
    if [ ! -d "$folder" ]; then
        make_memory || refuse "room there is no room to make \`$folder\`, and $(no_memory)"
        set -- $(ls -ldn "$memory")
    else
        set -- $(ls -ldn "$folder")
    fi
    ownership="$1 $3 $4"
    case $1 in
        d???????w*) refuse "folder everybody can write to \`$folder\`" ;;
        d????-*) umask 077; group='' ;;
        *) umask 007; group=$4 ;;
    esac
    place=$folder
    somewhere make_parts || refuse "folder cannot write to \`$folder\`"
    birth
    runner="$pid $start"
}

make_parts() {
    [ -d "$place/leases" ] && [ -d "$place/runs" ] || mkdir -p "$place/leases" "$place/runs" 2>/dev/null
}

# make_memory: where it is missing, with the rights that the folder has, or would have.
make_memory() {
    if ! has_memory; then
        mkdir -m 700 "$memory" 2>/dev/null && [ -n "$group" ] && chgrp "$group" "$memory" 2>/dev/null && chmod 2770 "$memory"
        has_memory || return
    fi
    [ -d "$memory/leases" ] && [ -d "$memory/runs" ] || mkdir -p "$memory/leases" "$memory/runs" 2>/dev/null
}

no_memory() {
    if [ -n "$stranger" ]; then
        printf '%s' "\`$stranger\` belongs to somebody else"
    else
        printf '%s' "\`$memory\` cannot be made"
    fi
}

# try_room: whether the folder has as much as a run begins with; `found` is enough, full, or denied.
try_room() {
    found=full
    [ -d "$folder" ] || return 0
    said=$(
        LC_ALL=C
        { for number in 1 2 3 4 5 6 7 8; do true >"$folder/.room.$number" || exit; done; } 2>&1
        { printf '%262144s' '' >"$folder/.room.1"; } 2>/dev/null && echo enough
    )
    set --
    for number in 1 2 3 4 5 6 7 8; do set -- "$@" "$folder/.room.$number"; done
    rm -f "$@"
    case $said in
        enough) found=enough ;;
        '') ;;
        *) lacks_room "$said" || found=denied ;;
    esac
    for part in leases runs "runs/${run##*/}"; do
        [ ! -d "$folder/$part" ] || [ -w "$folder/$part" ] || found=denied
    done
}

is_full() { try_room; [ "$found" = full ]; }

# somewhere WORDS: does that, which writes to `place`. Where the folder has no room for it, once more without the reserve, and then in
# memory.
somewhere() {
    "$@" && return
    [ "$place" = "$folder" ] || return
    try_room
    [ "$found" != denied ] || return
    give_reserve
    "$@" && return
    make_memory && place=$memory && "$@"
}

# A megabyte and 64 inodes, made when there is plenty of both.
keep_reserve() {
    [ ! -e "$folder/reserve/bytes" ] || return 0
    [ "$room" -gt 65536 ] || return 0
    set -- $(LC_ALL=C df -P -i "$folder" 2>/dev/null)
    # Filesystems that make inodes as they are needed count none.
    case ${11:-} in '' | *[!0-9]*) ;; *) [ "$9" = 0 ] || [ "${11}" -gt 1000 ] || return 0 ;; esac
    {
        mkdir -p "$folder/reserve" && number=64
        while [ "$number" -gt 0 ] && true >"$folder/reserve/$number"; do number=$((number - 1)); done
        # Not of zeros: some filesystems would keep nothing of those.
        head -c 1048576 /dev/urandom >"$folder/reserve/.$$" && mv "$folder/reserve/.$$" "$folder/reserve/bytes"
    } 2>/dev/null
}

give_reserve() {
    [ -d "$folder/reserve" ] || return 0
    rm -rf "$folder/reserve" 2>/dev/null
    # Where a journal is kept, what was removed is free when that is written.
    sync "$folder"
}
