# Gives what commands have written so far. $1: the word it greets with. $2: the folder. memory.sh stands before it.
# A request is a file and an offset; the answer is a count on a line, and so many bytes.
exec 2>/dev/null
set -f
folder=$2
name_memory
printf '%s\n' "$1"
while read -r file offset; do
    path=$folder/$file
    if [ ! -e "$path" ] && has_memory; then path=$memory/$file; fi
    size=$(wc -c <"$path") || size=0
    count=$((size - offset))
    [ "$count" -le 262144 ] || count=262144
    [ "$count" -ge 0 ] || count=0
    printf '%s\n' "$count"
    [ "$count" = 0 ] || tail -c "+$((offset + 1))" "$path" | head -c "$count"
done
