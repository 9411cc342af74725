# shellcheck shell=sh disable=SC2015,SC2154,SC2164
# Removes the backups that are needed no more. Kept are the newest, the young, all that are newer than the newest verified one and that
# one itself, some more verified ones, what may not be lost, and those that were made for a reason, until they are old.
#
# Given: directory, kind, of, keep (how many), keep_for (seconds; 0: age keeps nothing), verified (how many of those that are stay,
# whatever else), rpo (seconds; what is not older stays).

cd "$directory"
field() { sed -n "s/^  \"$1\": \"\(.*\)\",\{0,1\}$/\1/p" "$2" | head -n 1; }
now=$(date +%s)
count=0 safe=0
# The newest first; a name cannot have a newline in it, since opsctl made it.
for manifest in *.json; do
    file=${manifest%.json}
    [ -f "$manifest" ] && [ -f "$file" ] || continue
    grep -qxF "  \"of\": \"$of\"," "$manifest" && grep -qxF "  \"kind\": \"$kind\"," "$manifest" || continue
    printf '%s %s\n' "$(field at "$manifest")" "$file"
done | sort -r | while read -r taken file; do
    manifest=$file.json
    reason=$(field reason "$manifest")
    age=$((now - $(date -u -r "$file" +%s)))
    is_old=
    if [ "$keep_for" -gt 0 ] && [ "$age" -gt "$keep_for" ]; then is_old=yes; fi
    [ -n "$reason" ] || count=$((count + 1))
    removed=
    bytes=$(($(wc -c <"$file")))
    # One that is not what it was then, or not of the live one, stands for nothing.
    is_verified=
    if [ -z "$reason" ] && [ "$bytes" -gt 0 ] && grep -q '^  "verified": {' "$manifest" && grep -qxF "  \"bytes\": $bytes," "$manifest"; then
        is_verified=yes
    fi
    # One without a run was made by somebody else.
    if [ "$safe" -gt 0 ] && [ -n "$(field run "$manifest")" ] &&
        { [ "$rpo" = 0 ] || [ "$age" -gt "$rpo" ]; } && { [ -z "$is_verified" ] || [ "$safe" -ge "$verified" ]; }; then
        if [ -n "$reason" ]; then
            removed=$is_old
        elif [ "$count" -gt "$keep" ] && { [ "$keep_for" = 0 ] || [ -n "$is_old" ]; }; then
            removed=yes
        fi
    fi
    [ -z "$is_verified" ] || safe=$((safe + 1))
    [ -n "$removed" ] || continue
    # Before it goes: nothing is gone that was not named.
    echo "removed $directory/$file of $taken, $bytes bytes"
    rm -f "$file" "$manifest"
done
sync .
freed
