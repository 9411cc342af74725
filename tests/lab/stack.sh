# shellcheck shell=bash
# The stack on an engine: its files put in place, everything started, and waited for until it is healthy.
#
# Sourced by `up` and `reset`. A place is `app` (the ssh host) or `local` (this machine's engine).

service_count=11

# The stack's folder for a place, as a tar on stdout.
stack_tar() {
    local folder where=$registry:5000 address=0.0.0.0 port=80
    if [[ $1 == local ]]; then where=127.0.0.1:$registry_port address=127.0.0.1 port=$local_http_port; fi
    folder=$(mktemp -d "$state/stack.XXXXXX")
    cp -r "$lab/stack/." "$folder"
    sed -e "s|@REGISTRY@|$where|; s|@PUBLIC_ADDRESS@|$address|; s|@HTTP_PORT@|$port|" "$folder/env" >"$folder/.env"
    rm "$folder/env"
    chmod -R u=rwX,go=rX "$folder"
    tar -C "$folder" --owner=0 --group=0 --mtime=@0 -c .
    rm -rf "$folder"
}

install_stack() {
    local place=$1 directory
    directory=$(directory_of "$place")
    at "$place" mkdir -p "$directory"
    stack_tar "$place" | at "$place" tar -C "$directory" --no-same-permissions -x
    [[ $place == local ]] || at "$place" sh -c 'chgrp -R docker /opt/opareta && chmod -R g+w /opt/opareta && find /opt/opareta -type d -exec chmod g+s {} +'
}

# Everything of the stack runs its version, restarts by itself, and is healthy; nginx knows everybody's present address.
start_stack() {
    local place=$1
    at "$place" bash -s "$(directory_of "$place")" "$compose_file" "$service_count" <<'SCRIPT'
set -euo pipefail
cd "$1"; file=$2 count=$3
mine() { docker ps -a --filter "label=com.docker.compose.project.working_dir=$1" "${@:2}"; }
here=$PWD

for id in $(mine "$here" -q --filter status=paused); do docker unpause "$id" >/dev/null; done
# `update --restart=no` is no part of what Compose compares, so `up` would leave it.
for id in $(mine "$here" -q); do
    [[ $(docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' "$id") == always ]] || docker update --restart=always "$id" >/dev/null
done

said=$(mktemp)
for try in 1 2 3; do
    docker compose -f "$file" up -d --remove-orphans --quiet-pull >"$said" 2>&1 </dev/null && break
    [[ $try != 3 ]] || { cat "$said" >&2; exit 1; }
    sleep 2
done
rm -f "$said"

# The node exporter has no check of its own; the others must say that they are healthy.
for _ in $(seq 300); do
    [[ $(mine "$here" --format '{{.Status}}' | grep -c '(healthy)') == $((count - 1)) ]] && break
    sleep 0.2
done
if [[ $(mine "$here" --format '{{.Status}}' | grep -c '(healthy)') != $((count - 1)) ]]; then
    mine "$here" --format '{{.Names}} {{.Status}}' >&2
    echo "the stack is not healthy after 60 s" >&2
    exit 1
fi
docker compose -f "$file" exec -T nginx nginx -s reload 2>/dev/null
SCRIPT
}
