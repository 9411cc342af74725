# shellcheck shell=sh disable=SC2086,SC2154
# Takes servers out of an nginx upstream, or puts them back: the line of each is marked as down in the file that it stands in, the
# configuration is tested, and nginx takes it up without breaking off a request.
#
# Given: project, proxy (its Compose service), upstream, servers (Compose services), mode (out or in), drain (seconds).

only() {
    docker ps -q --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" | head -n 1
}
nginx=$(only "$proxy")
[ -n "$nginx" ] || { echo "$proxy does not run" >&2; exit 1; }
config() { docker exec "$nginx" nginx -T 2>/dev/null; }
config >/dev/null || { docker exec "$nginx" nginx -t >&2; exit 1; }

# An instance may be listed by its service, its container, or an alias of it.
names=' '
for service in $servers; do
    ids=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$service")
    [ -n "$ids" ] || { echo "there is no container of $service" >&2; exit 1; }
    for name in $(docker inspect -f '{{.Name}}{{range .NetworkSettings.Networks}}{{range .Aliases}} {{.}}{{end}}{{end}}' $ids); do
        names="$names${name#/}=$service "
    done
    names="$names$service=$service "
done

# The file in the container, and where it is on the host.
path=$(config | awk -v upstream="$upstream" '
    /^# configuration file / { path = substr($0, 22); sub(/:$/, "", path) }
    $1 == "upstream" && ($2 == upstream || $2 == upstream "{") { print path; exit }')
[ -n "$path" ] || { echo "$proxy has no upstream $upstream" >&2; exit 1; }
file=$(docker inspect -f '{{range .Mounts}}{{printf "%s\t%s\n" .Destination .Source}}{{end}}' "$nginx" | awk -F '\t' -v path="$path" '
    ($1 == path || index(path, $1 "/") == 1) && length($1) > longest { longest = length($1); file = $2 substr(path, longest + 1) }
    END { print file }')
[ -n "$file" ] || { echo "$path is in the image of $proxy, and cannot be changed from the host: mount it" >&2; exit 1; }
file=$(readlink -f "$file")
[ -f "$file" ] || { echo "there is no $file on the host, which $proxy has as $path" >&2; exit 1; }
# A file that is mounted by itself has to stay the same file, or the container goes on with the old one.
alone=$(docker inspect -f '{{range .Mounts}}{{println .Destination}}{{end}}' "$nginx" | grep -cxF -e "$path" || true)

# Prints what it reads with the servers marked, or with the mark taken off; fails when one of them is not listed.
edit() {
    awk -v upstream="$upstream" -v names="$names" -v servers="$servers" -v mode="$1" '
    BEGIN {
        pairs = split(names, pair, " ")
        for (i = 1; i <= pairs; i++) { split(pair[i], part, "="); service[part[1]] = part[2] }
    }
    !within && $1 == "upstream" && ($2 == upstream || $2 == upstream "{") { within = 1 }
    within && $1 == "server" {
        name = $2
        sub(/;.*$/, "", name)
        sub(/:[0-9]+$/, "", name)
        if (name in service) {
            listed[service[name]] = 1
            if (mode == "out" && $0 !~ /[ \t]down[ \t;]/) sub(/;/, " down; # opsctl took it out")
            if (mode == "in") sub(/ down; # opsctl took it out/, ";")
        }
    }
    within && /}/ { within = 0 }
    { print }
    END {
        missing = split(servers, wanted, " ")
        for (i = 1; i <= missing; i++) if (!(wanted[i] in listed)) { print wanted[i] | "cat 1>&2"; failed = 1 }
        exit failed
    }'
}

folder=${file%/*}
old=$folder/.${file##*/}.opsctl-old
new=$folder/.${file##*/}.opsctl-new
put() {
    if [ "$alone" -gt 0 ]; then cat "$1" >"$file"; sync "$file"; rm -f "$1"; else mv "$1" "$file"; fi
}
# A call that was cut short may have left half a file.
if [ -f "$old" ] && [ -f "$new" ] && [ "$(wc -c <"$file")" -lt "$(wc -c <"$new")" ] &&
    head -c "$(wc -c <"$file")" "$new" | cmp -s - "$file"; then
    put "$old"
fi
cp -p "$file" "$old"
cp -p "$file" "$new"
edit "$mode" <"$old" >"$new" || { rm -f "$old" "$new"; echo "the upstream $upstream in $file does not list them, each on a line of its own" >&2; exit 1; }
sync "$new"
if cmp -s "$old" "$new"; then rm -f "$new"; else put "$new"; fi
back() { [ ! -f "$old" ] || put "$old"; }
docker exec "$nginx" nginx -t 2>/dev/null || { docker exec "$nginx" nginx -t >&2 || true; back; exit 1; }
# What nginx reads has to be what was written.
before=$(config | cksum) after=$(config | edit "$mode" | cksum)
[ "$before" = "$after" ] || { back; echo "$proxy does not see $file as it is on the host now" >&2; exit 1; }

workers() {
    docker exec "$nginx" sh -c 'for process in /proc/[0-9]*; do
        title=$(tr "\0" " " <"$process/cmdline" 2>/dev/null) || continue
        case $title in "nginx: worker process"*) echo "${process#/proc/}" ;; esac
    done'
}
former=" $(workers | tr '\n' ' ')"
docker exec "$nginx" nginx -s reload 2>/dev/null
start=$(date +%s)
while :; do
    fresh=0 left=0
    for worker in $(workers); do
        case $former in *" $worker "*) left=$((left + 1)) ;; *) fresh=$((fresh + 1)) ;; esac
    done
    waited=$(($(date +%s) - start))
    if [ "$fresh" -eq 0 ]; then
        if [ "$waited" -ge 15 ]; then back; echo "$proxy has not taken up its configuration: look at its log" >&2; exit 1; fi
    elif [ "$mode" = in ] || [ "$left" -eq 0 ]; then
        break
    elif [ "$waited" -ge "$drain" ]; then
        echo "after $drain s there are still requests in flight: it goes on without them" >&2
        break
    fi
    sleep 0.2
done
rm -f "$old"
echo "$upstream: $servers $mode"
