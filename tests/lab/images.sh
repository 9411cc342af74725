# shellcheck shell=bash disable=SC2034,SC2154
# The lab's images: the base from Debian packages, the ones built on it, and the registry that serves those of the stack.
#
# Sourced by `up`. An image carries the checksum of what it was built from as a label, and is built again only when that
# changed, so that a second call costs one question to the engine.

label=opsctl.lab.inputs
local_registry=127.0.0.1:$registry_port

# name on the engine | build context | further build arguments
image_list() {
    local name version
    echo "$images/registry|images/registry|"
    echo "$images/dns|images/dns|"
    for name in postgres:17 redis:8 nginx:1.26 monitoring:1; do
        echo "$local_registry/opareta/$name|images/${name%:*}|"
    done
    for name in argus hermes; do
        for version in "${versions[@]}"; do
            local health=good
            [[ $version != *-bad ]] || health=bad
            echo "$local_registry/opareta/$name:$version|app|SERVICE=$name VERSION=$version HEALTH=$health"
        done
    done
    echo "$images/host|images/host|"
    # Made anew when what it is built on is.
    echo "$images/small|images/small|HOST=$(checksum_of images/host)"
}

# The mirror of the machine's own apt sources; nothing where they name none, and then mmdebstrap's own default is used.
debian_mirror() {
    apt-get indextargets --format "\$(ORIGIN)|\$(LABEL)|\$(REPO_URI)" 'Created-By: Packages' 2>/dev/null |
        sed -n 's/^Debian|Debian|//p' | head -n 1
}

base_image() {
    docker image inspect debian:trixie-slim >/dev/null 2>&1 && return 0
    local tar=$state/base.tar mirror
    if [[ ! -s $tar ]]; then
        [[ $(id -u) == 0 ]] || die "only root can make the base image from packages"
        need mmdebstrap mmdebstrap
        mirror=$(debian_mirror)
        say "making debian:trixie-slim from packages"
        quietly mmdebstrap --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' \
            --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
            --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$state/base.new.tar" ${mirror:+"$mirror"}
        mv "$state/base.new.tar" "$tar"
    fi
    quietly docker import "$tar" debian:trixie-slim
}

checksum_of() { (cd "$lab/$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum; echo "${2:-}") | sha256sum | cut -c 1-16; }

build_images() {
    local have name context arguments sum list=()
    have=$(docker image ls -q --no-trunc --filter "label=$label" | sort -u |
        xargs -r docker image inspect -f "{{range .RepoTags}}{{.}}={{end}}{{index .Config.Labels \"$label\"}}")
    while IFS='|' read -r name context arguments; do
        [[ ${name##*/} == *:* ]] || name+=:latest
        sum=$(checksum_of "$context" "$arguments")
        grep -qxF "$name=$sum" <<<"$have" && continue
        list=()
        for argument in $arguments; do list+=(--build-arg "$argument"); done
        say "building $name"
        DOCKER_BUILDKIT=0 quietly docker build --network host --label "$label=$sum" "${list[@]}" -t "$name" "$lab/$context"
    done < <(image_list)
    # What a new build left without a name.
    docker image prune -f --filter "label=$label" >/dev/null
}

network_and_registry() {
    docker network inspect "$network" >/dev/null 2>&1 || docker network create "$network" >/dev/null
    local want is
    want=$(docker image inspect -f '{{.Id}}' "$images/registry")
    is=$(docker container inspect -f '{{.Image}} {{.State.Running}}' "$registry" 2>/dev/null || true)
    [[ $is != "$want true" ]] || return 0
    say "starting the registry"
    docker rm -f "$registry" >/dev/null 2>&1 || true
    docker run -d --name "$registry" --network "$network" --restart unless-stopped \
        -p "127.0.0.1:$registry_port:5000" -v "$registry:/var/lib/registry" "$images/registry" >/dev/null
    until_true 20 "the registry" curl -fsS "http://$local_registry/v2/"
}

# Pushes what the registry does not have yet. What it has is remembered with the volume that holds it.
push_images() {
    local volume name id pushed=$state/pushed
    volume=$(docker volume inspect -f '{{.CreatedAt}}' "$registry")
    touch "$pushed"
    while read -r name id; do
        grep -qxF "$volume $name $id" "$pushed" && continue
        say "pushing ${name#*/}"
        quietly docker push "$name"
        echo "$volume $name $id" >>"$pushed"
    # One whose tag went to a newer build is listed without it while a container has it.
    done < <(docker image ls --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' "$local_registry/opareta/*" | grep -v ':<none> ')
}
