# shellcheck shell=sh disable=SC2154
# How a backup gets its name: it is written beside it, synced, and has its manifest before it is there.
#
# Given: file (its whole path), kind, of (the name in the inventory), by, reason; the last three as JSON has them between quotes.

folder=${file%/*}
part=$folder/.${file##*/}.part
umask 077
mkdir -p "$folder"
is_there() { [ -f "$file" ] && [ -f "$file.json" ]; }

# keep AT SECONDS SERVER, with the further lines of the manifest on standard input, as JSON has them: what was written to $part is a
# backup from now on.
keep() {
    sync "$part"
    sum=$(sha256sum <"$part")
    {
        printf '{\n  "kind": "%s",\n  "of": "%s",\n  "at": "%s",\n  "seconds": %s,\n' "$kind" "$of" "$1" "$2"
        printf '  "run": "%s",\n  "by": "%s",\n  "reason": "%s",\n' "${OPSCTL_RUN:-}" "$by" "$reason"
        printf '  "server": "%s",\n  "bytes": %s,\n  "sha256": "%s",\n  "verified": null' "$3" "$(($(wc -c <"$part")))" "${sum%% *}"
        more=$(cat)
        [ -z "$more" ] || printf ',\n%s' "$more"
        printf '\n}\n'
    } >"$part.json"
    sync "$part.json"
    mv "$part.json" "$file.json"
    mv "$part" "$file"
    sync "$folder"
}
