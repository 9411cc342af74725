# Counts the files below a folder, and those of them that a rule takes.
#
# Given: directory; names, a pattern a line; old, the last second of Unix time at which a file that goes was written, or nothing; whole, `yes`
# where that is to be true of its name and owner as well; spare, what is left whole, a pattern for `find -path` a line. Prints `N` where there
# is no such folder, `L` and where it leads where it is reached by links, `W` where it cannot be entered, else `F`: files and bytes that
# go, files and bytes in all.

export LC_ALL=C
[ -d "$directory" ] || { echo N; exit 0; }
real=$(cd -P -- "$directory" 2>/dev/null && pwd -P) || { echo W; exit 0; }
[ "$real" = "$directory" ] || { printf 'L\t%s\n' "$real"; exit 0; }

# The files that a process has open, as far as it can be seen.
opened() { find /proc/[0-9]*/fd -type l -exec stat -L -c 'open %d:%i' '{}' + 2>/dev/null; }

# A line a file: whether its name is one of those that go, where it is, its links, the blocks that it takes, and when it was changed.
files() {
    is='%d:%i %h %b %Y %Z'
    set -f
    IFS='
'
    set -- "$directory" -xdev
    for path in $spare; do set -- "$@" -path "$path" -prune -o; done
    set -- "$@" -type f
    either='('
    for name in $names; do
        set -- "$@" "$either" -name "$name"
        either=-o
    done
    # BusyBox forgets what `+` has gathered within brackets.
    find "$@" ')' -exec stat -c "goes $is" '{}' + -o -type f -exec stat -c "stays $is" '{}' +
}

{
    opened || :
    files || :
} | awk -v old="$old" -v whole="$whole" '
    $1 == "open" { open[$2] = 1; next }
    NF == 6 {
        files++
        # What has another name as well takes its room with that one.
        bytes = $3 == 1 ? $4 * 512 : 0
        all += bytes
        is_old = old == "" || ($5 <= old + 0 && (whole == "" || $6 <= old + 0))
        if ($1 == "goes" && is_old && !($2 in open)) { going++; gone += bytes }
    }
    END { printf "F\t%.0f\t%.0f\t%.0f\t%.0f\n", going, gone, files, all }'
