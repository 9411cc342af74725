# shellcheck shell=bash disable=SC2034
# What every command of the lab shares: its names, its ports and its state folder. How to say something and
# to install a package is said for the whole project in tests/lib.sh.
#
# Sourced, never run. A name that another file relies on is set here and nowhere else.
# shellcheck source=../lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "${OPSCTL_LAB_STATE:-$lab/.state}"
state=$(cd "${OPSCTL_LAB_STATE:-$lab/.state}" && pwd)

host=opsctl-lab-app                # the host container, and its name on the lab's network
registry=opsctl-lab-registry       # the registry container, and its name on the lab's network
dns=opsctl-lab-dns                 # serves the names of the stack, where a second host stands by
network=opsctl-lab
images=opsctl-lab                  # prefix of the images that are not part of the stack

# Published on 127.0.0.1 only. A host has a port for its sshd and one for its nginx.
ssh_port=22022
http_port=22080
spare_ssh_port=22023
spare_http_port=22083
small_ssh_port=22024
small_http_port=22085
twin_ssh_port=22025
twin_http_port=22086
registry_port=22050
dns_port=22053
dns_api_port=22054
app_address=127.0.0.2              # by which the stack is found: as with two real hosts, the port is the same
spare_address=127.0.0.3
name_port=22080
local_http_port=22081              # nginx of the local stack; its other ports are the document's own
local_https_port=22444
fleet_http_port=22084              # nginx of the fleet
fleet_argus_port=22090             # argus-1 of the fleet is at the port after it, and so on
fleet_hermes_port=22100

small_disk=$state/small.disk       # the whole disk of the small host
small_bytes=3g
small_inodes=262144

versions=(v1.0.0 v1.1.0 v1.2.0 v1.3.0-bad)
stack_directory=/opt/opareta/infrastructure/docker
local_directory=$state/local/docker
compose_file=docker-compose.prod.yml
project=docker                     # nobody named it, so Compose took the folder's name
fleet_directory=$state/fleet
fleet_file=docker-compose.yml
fleet_project=fleet

filler=opareta-filler             # in the words of a process that takes memory on purpose

export DOCKER_CLI_HINTS=false COMPOSE_STATUS_STDOUT=0

# Waits until a command succeeds: until SECONDS WHAT COMMAND...
until_true() {
    local limit=$1 what=$2 start=$SECONDS
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS - start < limit)) || die "$what: not after $limit s"
        sleep 0.2
    done
}

# One command of the lab at a time, or one at a place; the lock ends with the process. Who wants both asks for the place first.
one_at_a_time() {
    local turn
    exec {turn}>>"${TMPDIR:-/tmp}/opsctl-lab${1:+-$1}.lock"
    if ! flock -n "$turn"; then
        say "waiting for another lab command"
        flock "$turn"
    fi
}

# Whether a place is a host, and not this machine's own engine.
is_host() { case $1 in app | twin | spare | small) true ;; *) false ;; esac }

# Another host than the first one: its name and ports in place of those. A place that is no host has none.
as_host() {
    case $1 in twin | spare | small) ;; *) return 0 ;; esac
    local ssh=$1_ssh_port http=$1_http_port
    host=opsctl-lab-$1 ssh_port=${!ssh} http_port=${!http}
}

# Whether nobody has the disk of the small host.
disk_is_free() { [[ -z $(losetup -j "$small_disk") ]]; }

# Runs a command where the stack's engine is: at PLACE COMMAND...
at() {
    local place=$1
    shift
    case $place in
        app | twin | spare | small) docker exec -i "opsctl-lab-$place" "$@" ;;
        local | fleet) "$@" ;;
        *) die "no such place: $place" ;;
    esac
}

directory_of() {
    case $1 in
        local) echo "$local_directory" ;;
        fleet) echo "$fleet_directory" ;;
        *) echo "$stack_directory" ;;
    esac
}

file_of() { if [[ $1 == fleet ]]; then echo "$fleet_file"; else echo "$compose_file"; fi; }
project_of() { if [[ $1 == fleet ]]; then echo "$fleet_project"; else echo "$project"; fi; }

# The ids of the containers of one Compose service, whatever they are called.
container_of() {
    at "$1" docker ps -aq --filter "label=com.docker.compose.project=$(project_of "$1")" \
        --filter "label=com.docker.compose.service=$2"
}
