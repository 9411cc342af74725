# The files that have no name any more, and that a process has open: each once, whoever else has it open, too.
#
# Prints lines of fields with tabs between: `P` where the files of other users' processes are not seen; and `H`: the process, its name, its
# control groups with blanks between, the path as the process had it, the bytes, and the device and the kind of the file system.

export LC_ALL=C
[ "$(id -u)" = 0 ] || echo P

find /proc/[0-9]*/fd -type l -exec stat -L -c '%h %f %d:%i %b %n' '{}' + 2>/dev/null |
    awk '$1 == 0 && $2 ~ /^8/ && !seen[$3]++ { printf "%.0f %s\n", $4 * 512, $5 }' |
    while read -r bytes link; do
        process=${link#/proc/}
        process=${process%%/*}
        path=$(readlink "$link" 2>/dev/null | tr '\t\n' '  ')
        [ -n "$path" ] || continue
        name=$(tr '\t\n' '  ' 2>/dev/null <"/proc/$process/comm") || continue
        groups=$(tr '\t\n' '  ' 2>/dev/null <"/proc/$process/cgroup") || groups=
        # Which of the process's file systems it is on: its kind and its device stand behind a dash.
        on=$(sed -n 's/^mnt_id:[[:space:]]*//p' "/proc/$process/fdinfo/${link##*/}" 2>/dev/null) || on=
        system=$(sed -n "s/^${on:-none} .* - \\([^ ]*\\) \\([^ ]*\\) .*/\\2	\\1/p" "/proc/$process/mountinfo" 2>/dev/null) || system=
        printf 'H\t%s\t%s\t%s\t%s\t%s\t%s\n' "$process" "$name" "$groups" "$path" "$bytes" "${system:-	}"
    done
