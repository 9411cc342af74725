# shellcheck shell=sh disable=SC2154
# Lets a Redis write what it holds, where it would not when it is stopped.

ready
if [ "$(setting appendonly)" = yes ] || [ -n "$(setting save)" ]; then
    echo "it does so by itself"
    exit 0
fi
save
echo "it did at $at"
