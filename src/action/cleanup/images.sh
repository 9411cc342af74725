# shellcheck shell=sh disable=SC2154
# Removes images that no container is made from, by their names: what a name means by then is looked at again.
#
# Given: images (a line each: the id, the bytes, the digest to pull it by or `-`, and the names, which may be none).

# is_there: whether the image is.
is_there() {
    docker image inspect "$id" >/dev/null 2>&1 </dev/null && return
    all=$(docker image ls -aq --no-trunc) || exit 1
    case $all in *"$id"*) return 0 ;; esac
    return 1
}

# named NAME: the id of the image of that name, or nothing.
named() { docker image inspect -f '{{.Id}}' "$1" 2>/dev/null </dev/null || true; }

# is_free: whether nothing has come to need it: no container, no other name, and none of its names is that of another by now. Else `reason`.
is_free() {
    users=$(docker ps -a --filter "ancestor=$id" --format '{{.Names}}') || exit 1
    if [ -n "$users" ]; then
        reason="the container ${users%%
*} is made from it"
        return 1
    fi
    tags=$(docker image inspect -f '{{range .RepoTags}}{{.}} {{end}}' "$id" </dev/null) || exit 1
    for tag in $tags; do
        case " $names " in
            *" $tag "*) ;;
            *) reason="it is called $tag as well"; return 1 ;;
        esac
    done
    for name in $names; do
        means=$(named "$name")
        if [ -n "$means" ] && [ "$means" != "$id" ]; then
            reason="$name is another image by now"
            return 1
        fi
    done
}

# let_go: removes its names one by one, and it goes with the last. One that cannot go gets back those that it has lost.
let_go() {
    lost=
    for name in $names; do
        # With its last tag it loses its digests, too.
        [ "$(named "$name")" = "$id" ] || continue
        if ! said=$(docker image rm "$name" 2>&1 </dev/null); then
            why "$said"
            give_back
            return 1
        fi
        lost="$lost $name"
    done
    is_there || return 0
    if is_free; then
        said=$(docker image rm "$id" 2>&1 </dev/null) && return
        why "$said"
    fi
    give_back
    return 1
}

give_back() {
    for name in $lost; do
        case $name in *@*) ;; *) docker tag "$id" "$name" </dev/null || true ;; esac
    done
}

printf '%s\n' "$images" | while read -r id bytes digest names; do
    [ -n "$id" ] || continue
    if enough; then break; fi
    if ! is_there; then
        left "${names:-<none>} ($id)" 'it is gone already'
    elif is_free && let_go; then
        pull=
        [ "$digest" = - ] || pull=", docker pull $digest"
        removed image "${names:-<none>}" "$bytes" " ($id)" "$pull"
    else
        left "${names:-<none>} ($id)" "$reason"
    fi
done
