# Where paths really lead: a path a line of standard input, a path a line of the answer; an empty one where it leads nowhere.

while IFS= read -r path; do
    printf '%s\n' "$(readlink -f -- "$path" 2>/dev/null)"
done
