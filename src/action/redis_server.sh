# shellcheck shell=sh disable=SC2086,SC2154
# How a Redis is asked, and how something is run beside it: from the same image, as the same user, without a network.
#
# Given: project, service (as Compose knows them), cache (the name in the inventory).

export LC_ALL=C
refuse() { echo "$*" >&2; exit 1; }

id=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" \
    --filter "label=com.docker.compose.service=$service" --filter label=com.docker.compose.oneoff=False)
case $id in
'') refuse "there is no container of $service" ;;
*[!0-9a-zA-Z]*) refuse "there is more than one container of $service" ;;
esac

cli() { docker exec "$id" redis-cli "$@" </dev/null | tr -d '\r'; }
setting() { cli config get "$1" | sed -n 2p; }
# said SECTION FIELD
said() { cli info "$1" | sed -n "s/^$2://p"; }

# One that was started anew a moment ago, and loads what it has, is waited for.
ready() {
    tries=0
    until answer=$(cli ping 2>&1) && [ "$answer" = PONG ]; do
        case $answer in
        NOAUTH* | WRONGPASS* | NOPERM*) refuse "$cache wants a password, and its container has none in REDISCLI_AUTH" ;;
        esac
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || refuse "$cache does not answer PONG: $answer"
        sleep 1
    done
}

# Where it writes.
places() {
    dir=$(setting dir) dbfilename=$(setting dbfilename)
    [ -n "$dir$dbfilename" ] || refuse "$cache does not say where it writes: CONFIG GET has to be allowed"
}

# beside SCRIPT ARGUMENT...: runs a script in a container of its own, with what $options has more for `docker run`.
options=
beside() {
    script=$1
    shift
    docker run --rm -i --network none --user "$user" $options --entrypoint sh "$image" -c "$script" sh "$@"
}
image=$(docker inspect -f '{{.Image}}' "$id")
user=$(docker inspect -f '{{.Config.User}}' "$id")
memory=$(docker inspect -f '{{.HostConfig.Memory}}' "$id")
# Another server may have as much memory as this one.
limit() { [ "$memory" = 0 ] || options="$options --memory $memory"; }

# In megabytes, as people read them.
megabytes() { echo "$((($1 + 500000) / 1000000)) MB"; }
