# shellcheck shell=sh disable=SC2154
# Removes what the journal of systemd has archived, as far as all of it is older than what is kept.
#
# Given: directory (where it is), keep (seconds).

journals() { find "$directory" -xdev -type f -exec stat -c '%b %n' {} + 2>/dev/null || true; }

if ! command -v journalctl >/dev/null; then
    left journal 'there is no journalctl'
elif ! enough; then
    before=$(journals)
    if ! said=$(journalctl --vacuum-time="${keep}s" 2>&1); then
        left journal "${said##*
}"
    fi
    printf '%s\n' "$before" | while read -r blocks path; do
        [ -z "$path" ] || [ -e "$path" ] || removed journal "$path" $((blocks * 512))
    done
fi
