# shellcheck shell=sh
# How a script that moves many bytes says how far it is.

# In megabytes, as people read them.
mega() { echo "$((($1 + 500000) / 1000000)) MB"; }

# tell WORD TOTAL COMMAND: says every few seconds how far the bytes are that COMMAND prints, of about TOTAL (0: nobody knows).
tell() {
    (
        seconds=0
        while sleep 3 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
            seconds=$((seconds + 3)) bytes=$($3 2>/dev/null) || continue
            [ "${bytes:-0}" -gt 0 ] || continue
            line="$1 $(mega "$bytes")"
            if [ "$2" -gt "$bytes" ]; then
                line="$line of $(mega "$2"), about $((($2 - bytes) * seconds / bytes + 1)) s left"
            fi
            echo "$line, $(mega $((bytes / seconds)))/s"
        done
    ) >&2 &
    teller=$!
}
told() { [ -z "${teller:-}" ] || { kill "$teller" 2>/dev/null || true; wait "$teller" 2>/dev/null || true; teller=; }; }
trap told EXIT
