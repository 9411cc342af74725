# Gives what commands have written so far. $1: the word it greets with. $2: the folder.
# A request is a file and an offset; the answer is a count on a line, and so many bytes.
exec 2>/dev/null
cd -- "$2" || exit 1
printf '%s\n' "$1"
while read -r file offset; do
    size=$(wc -c <"$file") || size=0
    count=$((size - offset))
    [ "$count" -le 262144 ] || count=262144
    [ "$count" -ge 0 ] || count=0
    printf '%s\n' "$count"
    [ "$count" = 0 ] || tail -c "+$((offset + 1))" "$file" | head -c "$count"
done
