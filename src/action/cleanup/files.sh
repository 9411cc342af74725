# shellcheck shell=sh disable=SC2154
# Removes the files of a folder that a rule takes, and of those below it: what is old, not open, and not spared. Folders stay.
#
# Each folder is entered, and only when it is certain which one that is, files are removed from it by their own names. So nothing that is
# made a symbolic link, or moved to somewhere else, leads out of it. What is not a regular file stays, and so does what is on another
# filesystem, or mounted there once more.
#
# Given: directory, older_than (seconds), by_change (yes: a file is as young as its last change of any kind, its name included; else as
# what is in it), spare (paths that stay, a line each), takes (a function: whether the rule takes a file of that name).

for tool in stat readlink od find; do
    command -v "$tool" >/dev/null || { echo "there is no \`$tool\`" >&2; exit 1; }
done

limit=$(($(date +%s) - older_than))
# So much may be let go of between two looks at how much is free.
measure -k
step=$(((used + free) * 1024 / 100))

# Each as it is written, and as it is reached.
spared="
$(printf '%s\n' "$spare" | while IFS= read -r path; do
    [ -n "$path" ] || continue
    printf '%s\n' "$path"
    readlink -f -- "$path" 2>/dev/null || true
done)
"
is_spared() {
    case $spared in *"
$1
"*) return 0 ;; esac
    return 1
}

# look_at_open DEVICE: `opened` are the files of that device that some process has open, or runs, as far as that may be seen. It looks
# again after two seconds, and asks for the time once for some files.
opened='' opened_on='' opened_at=0 asked=''
look_at_open() {
    if [ "$opened_on" = "$1" ] && [ -n "$asked" ]; then return; fi
    asked=$(date +%s)
    if [ "$opened_on" = "$1" ] && [ $((asked - opened_at)) -lt 2 ]; then return; fi
    opened=" $(find /proc/[0-9]*/fd /proc/[0-9]*/exe -type l -exec stat -L -c '%f:%d:%i' -- {} + 2>/dev/null |
        sed -n "s/^8...:$1://p" | sort -u | tr '\n' ' ')"
    opened_on=$1 opened_at=$asked
}

# is_wanted NAME FACT: whether it goes; then `bytes` is what that gives.
is_wanted() {
    name=$1
    IFS=:
    # shellcheck disable=SC2086
    set -- $2
    IFS=$fields
    case $1 in 8???) ;; *) return 1 ;; esac
    takes "${name#./}" || return 1
    [ "$6" -le "$limit" ] || return 1
    [ -z "$by_change" ] || [ "$7" -le "$limit" ] || return 1
    if is_spared "$folder/${name#./}"; then return 1; fi
    look_at_open "$2"
    case $opened in *" $3 "*) left "$folder/${name#./}" 'it is open'; return 1 ;; esac
    # What has another name stays where that is.
    bytes=0
    [ "$4" != 1 ] || bytes=$(($5 * 512))
}

stop_if_enough() { if enough; then exit 3; fi; }

# go NAME BYTES, before it goes: whatever ends this, nothing is gone that was not named.
go() { removed file "$folder/${1#./}" "$2"; }

# stays NAME: says so if it does.
stays() { if [ -e "$1" ] || [ -L "$1" ]; then left "$folder/${1#./}" 'it could not be removed'; fi; }

# sweep FILE ...: those of the current folder, `facts` of each.
sweep() {
    total=0 sizes='' asked=''
    for fact in $facts; do
        if is_wanted "$1" "$fact"; then
            set -- "$@" "$1"
            total=$((total + bytes)) sizes="$sizes $bytes"
        fi
        shift
    done
    [ $# -gt 0 ] || return 0
    if [ "$total" -gt "$step" ]; then
        for bytes in $sizes; do
            stop_if_enough
            go "$1" "$bytes"
            rm -f -- "$1" 2>/dev/null || stays "$1"
            shift
        done
        return
    fi
    stop_if_enough
    for bytes in $sizes; do
        go "$1" "$bytes"
        set -- "$@" "$1"
        shift
    done
    rm -f -- "$@" 2>/dev/null || for name; do stays "$name"; done
}

# The mode, the device, the inode, the number of names, the blocks of 512 bytes, and when it was written and when changed.
form=%f:%d:%i:%h:%b:%Y:%Z

# some NAME ...: a few of the current folder; first its files, then the folders.
some() {
    facts=$(stat -c "$form" -- "$@" 2>/dev/null) ||
        facts=$(for name; do stat -c "$form" -- "$name" 2>/dev/null || echo gone; done)
    sweep "$@"
    for fact in $facts; do
        case $fact in 4???:*) descend "$1" ;; esac
        shift
    done
}

# all: the whole of the current folder, which is `folder`.
all() {
    set --
    for name in ./* ./.[!.]* ./..?*; do
        # A pattern that nothing matches stands for itself.
        if [ -e "$name" ] || [ -L "$name" ]; then set -- "$@" "$name"; fi
        if [ $# -ge 100 ]; then
            some "$@"
            set --
        fi
    done
    [ $# = 0 ] || some "$@"
}

# descend NAME: into a folder of the current one.
depth=0
descend() {
    path=$folder/${1#./}
    if is_spared "$path"; then
        left "$path" 'it is spared'
        return
    fi
    (
        depth=$((depth + 1))
        if [ "$depth" -gt 64 ]; then left "$path" 'it is too deep'; exit; fi
        if ! cd -P "$1" 2>/dev/null; then left "$path" 'it cannot be entered'; exit; fi
        find_mount
        if ! is_at "$path"; then left "$path" 'another has taken its place'; exit; fi
        if [ "$mount" != "$root_mount" ]; then left "$path" 'it is another filesystem'; exit; fi
        folder=$path
        all
        exit 0
    ) || exit $?
}

begin() {
    if ! cd -P -- "$directory" 2>/dev/null; then left "$directory" 'it cannot be entered'; exit; fi
    if ! is_at "$directory"; then left "$directory" 'it is a symbolic link, or below one'; exit; fi
    find_mount
    root_mount=$mount
    if [ -z "$mount" ]; then left "$directory" 'the kernel does not say what is mounted there'; exit; fi
    path=$directory
    while [ -n "$path" ]; do
        if is_spared "$path"; then left "$directory" 'it is spared'; exit; fi
        path=${path%/*}
    done
    stop_if_enough
    folder=$directory
    all
    exit 0
}
(begin) || [ $? = 3 ]
