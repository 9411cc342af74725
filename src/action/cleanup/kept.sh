# shellcheck shell=sh
# Whether images are still on the host.
#
# Reads: a line each: the id, and what it is called.

all=$(docker image ls -aq --no-trunc)
missing=
while read -r id name; do
    case $all in *"$id"*) ;; *) missing="$missing, $name" ;; esac
done
if [ -n "$missing" ]; then
    echo "these are gone: ${missing#, }" >&2
    exit 1
fi
