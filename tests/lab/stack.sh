# shellcheck shell=bash disable=SC2034,SC2154
# The stack on an engine: its files put in place, everything started, and waited for until it is healthy.
#
# Sourced by `up` and `reset`. A place is a host (`app`, its `twin`, the `spare` and the `small` one), `local` (this machine's engine) or
# `fleet` (the other kind of stack, on this machine's engine too).

# How many services say of themselves that they are healthy. The node exporter has no check of its own.
healthy_count() { if [[ $1 == fleet ]]; then echo 16; else echo 10; fi; }

# The stack's folder for a place, as a tar on stdout.
stack_tar() {
    local folder from=$lab/stack where=$registry:5000 address=0.0.0.0 port=80 https_port=443 primary=
    # By its address: the names of the hosts are not known inside their containers.
    if [[ $1 == spare ]]; then
        primary=$(docker container inspect -f "{{(index .NetworkSettings.Networks \"$network\").IPAddress}}" opsctl-lab-app)
    fi
    case $1 in
        local) where=127.0.0.1:$registry_port address=127.0.0.1 port=$local_http_port https_port=$local_https_port ;;
        fleet) from=$lab/fleet where=127.0.0.1:$registry_port port=$fleet_http_port ;;
    esac
    folder=$(mktemp -d "$state/stack.XXXXXX")
    cp -r "$from/." "$folder"
    sed -e "s|@REGISTRY@|$where|; s|@PUBLIC_ADDRESS@|$address|; s|@HTTP_PORT@|$port|; s|@HTTPS_PORT@|$https_port|; s|@PRIMARY@|$primary|" \
        -e "s|@ARGUS_PORTS@|${fleet_argus_port%0}|; s|@HERMES_PORTS@|${fleet_hermes_port%00}|" \
        "$folder/env" >"$folder/.env"
    rm "$folder/env"
    if [[ $1 != fleet ]]; then
        mkdir "$folder/acme" "$folder/certificates"
        certificate 90 "$folder/certificates"
    fi
    chmod -R u=rwX,go=rX "$folder"
    [[ $1 == fleet ]] || chmod 0600 "$folder/certificates/opareta.key"
    tar -C "$folder" --owner=0 --group=0 -c .
    rm -rf "$folder"
}

# A certificate that lasts so many days, and its key, in a folder.
certificate() {
    need openssl openssl
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$1" -subj /CN=opareta.test \
        -addext subjectAltName=DNS:opareta.test -keyout "$2/opareta.key" -out "$2/opareta.pem" 2>/dev/null
}

# Puts a certificate that lasts so many days where the stack's nginx reads it, which is not told.
put_certificate() {
    local place=$1 days=$2 folder
    folder=$(mktemp -d "$state/certificate.XXXXXX")
    certificate "$days" "$folder"
    tar -C "$folder" --owner=0 --group=0 -c opareta.key opareta.pem |
        at "$place" tar -C "$(directory_of "$place")/certificates" -x
    rm -rf "$folder"
}

install_stack() {
    local place=$1 directory
    directory=$(directory_of "$place")
    at "$place" mkdir -p "$directory"
    forget_releases "$place"
    # Written in place: a container that has a file by itself would keep the one that was replaced.
    stack_tar "$place" | at "$place" tar -C "$directory" --no-same-permissions --overwrite -x
    checks_of_old_engines "$place" "$directory"
    ! is_host "$place" || at "$place" sh -c 'chgrp -R docker /opt/opareta && chmod -R g+w /opt/opareta && find /opt/opareta -type d -exec chmod g+s {} +'
}

# Before version 25 an engine has one interval for its checks, also for those of what starts.
checks_of_old_engines() {
    local place=$1 directory=$2
    at "$place" bash -s "$directory" <<'SCRIPT'
set -euo pipefail
version=$(docker version --format '{{.Server.Version}}')
((${version%%.*} < 25)) || exit 0
sed -i -e '/^ *start_interval:/d' -e 's/^\( *interval:\).*/\1 3s/' "$1"/docker-compose*.yml
SCRIPT
}

# What deployments left: the override with their images, files that were still being written, and the history of releases.
forget_releases() {
    local place=$1
    at "$place" bash -s "$place" "$(directory_of "$place")" "$(project_of "$place")" <<'SCRIPT'
set -euo pipefail
shopt -s nullglob
rm -rf "$2/docker-compose.opsctl.yml" "$2"/.*.opsctl-* "$2"/nginx/.*.opsctl-* /var/lib/opsctl/releases/"$3"
# Who may not write there has one of their own.
case $1 in
    local | fleet) rm -rf "${XDG_STATE_HOME:-$HOME/.local/state}/opsctl/host/releases/$3" ;;
    *) rm -rf ~deploy/.local/state/opsctl/host/releases/"$3" ~ops/.local/state/opsctl/host/releases/"$3" ;;
esac
SCRIPT
}

# The host as it should be: running, on its network, its engine up.
wake_host() {
    case $(docker container inspect -f '{{.State.Status}}' "$host") in
        running) ;;
        paused) say "waking the host"; docker unpause "$host" >/dev/null ;;
        *) say "starting the host"; docker start "$host" >/dev/null ;;
    esac
    # The small one is there once it is on its disk.
    until_true 60 "the host" at "$place" test ! -e /lab/disk
    # A host that was fenced off is not started by its engine any more.
    [[ $(docker container inspect -f '{{.HostConfig.RestartPolicy.Name}}' "$host") == unless-stopped ]] ||
        docker update --restart=unless-stopped "$host" >/dev/null
    if [[ -z $(docker container inspect -f "{{with index .NetworkSettings.Networks \"$network\"}}{{.NetworkID}}{{end}}" "$host") ]]; then
        say "connecting the host"
        docker network connect "$network" "$host"
    fi
    at "$place" sh -c 'umount /var/cache/apt/archives 2>/dev/null || true'
    at "$place" lab-engine start
    at "$place" sh -c 'while iptables -D OUTPUT -j REGISTRY 2>/dev/null; do :; done'
}

# Tags of the lab move when its images are built anew. A host that pulled the older ones lets go of them.
fresh_images() {
    local now
    now=$(sort "$state/pushed" | sha256sum | cut -c 1-16)
    at "$place" bash -s "$now" "$stack_directory" "$compose_file" <<'SCRIPT'
set -euo pipefail
mark=/var/lib/docker/lab-images
[[ $(cat "$mark" 2>/dev/null) != "$1" ]] || exit 0
echo "up: pulling the stack's images" >&2
cd "$2"
docker image ls --format '{{.Repository}}:{{.Tag}}' '*/opareta/*' | xargs -r docker image rm -f >/dev/null 2>&1 || true
docker compose -f "$3" pull --quiet 2>/dev/null </dev/null
echo "$1" >"$mark"
SCRIPT
}

# The stack without its data; the next start begins with empty volumes.
empty_stack() {
    local place=$1 backups=/var/backups/opareta
    is_host "$place" || backups=$state/local/backups
    say "emptying the stack's data"
    at "$place" docker compose --project-directory "$(directory_of "$place")" -f "$(directory_of "$place")/$(file_of "$place")" \
        down --volumes >/dev/null 2>&1
    [[ $place == fleet ]] || at "$place" find "$backups" -mindepth 1 -delete
}

# Everything of the stack runs its version, restarts by itself, and is healthy; nginx knows everybody's present address.
start_stack() {
    local place=$1
    # This machine sees the processes of every container: those of the other stacks stay.
    at "$place" pkill -KILL -f "[${filler:0:1}]${filler:1}-$place" || true
    at "$place" bash -s "$(directory_of "$place")" "$(file_of "$place")" "$(healthy_count "$place")" "$(project_of "$place")" "$filler" <<'SCRIPT'
set -euo pipefail
cd "$1"
file=$2 count=$3 project=$4 filler=$5
mine() { docker ps -a --filter "label=com.docker.compose.project=$project" "$@"; }

for id in $(mine -q --filter status=paused); do docker unpause "$id" >/dev/null; done
for volume in $(docker volume ls -q --filter "label=com.docker.compose.project=$project"); do
    folder=$(docker volume inspect -f '{{.Mountpoint}}' "$volume")
    # Nobody waits for a replica that nobody has brought up.
    if grep -qs '^synchronous_standby_names' "$folder/pgdata/postgresql.auto.conf"; then
        sed -i '/^synchronous_standby_names/d' "$folder/pgdata/postgresql.auto.conf"
        mine -q --filter volume="$volume" --filter status=running | xargs -r docker kill --signal HUP >/dev/null
    fi
    wholes=$(find "$folder" -name '*.whole')
    [[ -n $wholes || -n $(find "$folder" -maxdepth 1 -name 'opsctl-aside*') ]] || continue
    mine -q --filter volume="$volume" | xargs -r docker stop >/dev/null
    rm -rf "$folder"/opsctl-aside*
    for whole in $wholes; do [[ ! -e $whole ]] || mv "$whole" "${whole%.whole}"; done
done
for id in $(mine -q --filter status=running --filter 'label=com.docker.compose.service=postgres-argus') \
    $(mine -q --filter status=running --filter 'label=com.docker.compose.service=postgres-hermes'); do
    nsenter -t "$(docker inspect -f '{{.State.Pid}}' "$id")" -n iptables -F INPUT
done
# `update --restart=no` is no part of what Compose compares, so `up` would leave it.
for id in $(mine -q | xargs -r docker inspect -f '{{if ne .HostConfig.RestartPolicy.Name "always"}}{{.Id}}{{end}}'); do
    docker update --restart=always "$id" >/dev/null
done

said=$(mktemp)
for try in 1 2 3; do
    docker compose -f "$file" up -d --quiet-pull >"$said" 2>&1 </dev/null && break
    [[ $try != 3 ]] || { cat "$said" >&2; exit 1; }
    # After a power cut an engine may hold a port for a container that it could not start, until it is started anew itself.
    if command -v lab-engine >/dev/null; then lab-engine restart; else sleep 2; fi
done
rm -f "$said"

# Compose takes a container that was cut off from its network for one that is up. It is started anew, too: it may come back
# with another address, and a connection that it made with the old one hangs for minutes.
names='{{.Id}} {{.HostConfig.NetworkMode}} {{index .Config.Labels "com.docker.compose.service"}}'
endpoint='{{with index .NetworkSettings.Networks (printf "%s" .HostConfig.NetworkMode)}}{{.NetworkID}}{{end}}'
back=()
while read -r id network service connected; do
    [[ -z $connected ]] || continue
    docker network connect --alias "$service" "$network" "$id"
    back+=("$id")
done < <(mine -q | xargs -r docker inspect -f "$names $endpoint")
[[ ${#back[@]} == 0 ]] || docker restart "${back[@]}" >/dev/null

# A restore that nobody brought to its end keeps everybody out of the database that it swaps.
for id in $(mine -q --filter label=com.docker.compose.service=postgres-argus) $(mine -q --filter label=com.docker.compose.service=postgres-hermes); do
    for _ in $(seq 50); do
        ! docker exec "$id" sh -c 'psql -qXU "$POSTGRES_USER" -d postgres -c "ALTER DATABASE $POSTGRES_DB ALLOW_CONNECTIONS true"' >/dev/null 2>&1 || break
        sleep 0.2
    done
done

redis=$(mine -q --filter label=com.docker.compose.service=redis)
for _ in $(seq 50); do
    [[ $(docker exec "$redis" redis-cli ping 2>/dev/null) != PONG ]] || break
    sleep 0.2
done
docker exec "$redis" redis-cli config set maxmemory 0 >/dev/null
docker exec "$redis" redis-cli eval "for _, key in ipairs(redis.call('keys', '$filler:*')) do redis.call('unlink', key) end" 0 >/dev/null

# A file that is mounted by itself stays the one that it was when the container started, whatever has its name now.
if [[ -f nginx.conf ]]; then
    nginx=$(mine -q --filter label=com.docker.compose.service=nginx)
    docker exec "$nginx" cat /etc/nginx/conf.d/default.conf 2>/dev/null | cmp -s - nginx.conf || docker restart "$nginx" >/dev/null
fi

# nginx took its configuration and everybody's address when it started, and either may have changed since.
reload() { docker compose -f "$file" exec -T nginx nginx -s reload >/dev/null 2>&1 </dev/null || true; }
reload
docker compose -f "$file" kill --signal HUP prometheus alertmanager >/dev/null 2>&1 </dev/null || true

for _ in $(seq 300); do
    [[ $(mine --format '{{.Status}}' | grep -c '(healthy)') == "$count" ]] && break
    sleep 0.2
done
if [[ $(mine --format '{{.Status}}' | grep -c '(healthy)') != "$count" ]]; then
    mine --format '{{.Names}} {{.Status}}' >&2
    echo "the stack is not healthy after 60 s" >&2
    exit 1
fi
reload
SCRIPT
}
