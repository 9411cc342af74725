# shellcheck shell=sh disable=SC2154
# Within a container with the volumes of a Redis that is stopped: lets the prepared files take the place of its own, or takes that back.
#
# Every step of it is a rename, and a call that was cut short is gone on with by the next: at any time each file is in one of the folders.
# The record goes along with what it tells of, and so says how far it has come. A server that somebody starts in the middle may make
# files of its own: they are kept as well, as `meanwhile`.
#
# Arguments: a stamp, whether it is taken back, and the places of the volumes, one a line.

at=$1 back=$2 mounts=$3
new=opsctl-new-$at aside=opsctl-aside-$at taken=opsctl-taken-back-$at record=opsctl-record
refuse() { echo "$*" >&2; exit 1; }

here=$(printf '%s\n' "$mounts" | while read -r mount; do
    find "$mount" -maxdepth 3 -type d \( -name "$new" -o -name "$aside" -o -name "$aside.part" -o -name "$aside.back" \) 2>/dev/null || true
done | head -n 1)
if [ -z "$here" ]; then
    [ "$back" = true ] || refuse "nothing was prepared as $new"
    echo "there is nothing to take back"
    exit 0
fi
cd "${here%/*}" || exit 1
told=/dev/null
for folder in "$taken" "$new" "$aside.back" "$aside.part" "$aside"; do
    [ ! -f "$folder/$record" ] || told=$folder/$record
done
each() {
    for key in dbfilename appendfilename appenddirname; do
        file=$(sed -n "s/^$key //p" "$told")
        [ -z "$file" ] || "$@" "$file"
    done
}
# away FOLDER FILE
away() {
    [ -e "$2" ] || return 0
    to=$1
    while [ -e "$to/$2" ]; do to=$to/meanwhile; done
    mkdir -p "$to"
    mv "$2" "$to/"
}
# take FOLDER FOR FILE: takes a file from the one folder; what stands in its place goes into the other.
take() {
    [ -e "$1/$3" ] || return 0
    away "$2" "$3"
    mv "$1/$3" "$3"
}
# They are moved while they are read: by then the names have to be known.
copy=$(mktemp)
cp "$told" "$copy"
told=$copy

if [ "$back" = false ]; then
    if [ -e "$aside" ]; then echo "it was swapped before"; exit 0; fi
    [ ! -e "$aside.back" ] || refuse "it is being taken back"
    if [ ! -e "$aside.part/$record" ]; then
        [ -f "$new/$record" ] || refuse "what is in $PWD/$new is not whole"
        mkdir -p "$aside.part"
        each away "$aside.part"
        sync
        mv "$new/$record" "$aside.part/"
    fi
    each take "$new" "$aside.part"
    rm -rf "$new"
    sync
    mv "$aside.part" "$aside"
    sync
    echo "what it held is in $PWD/$aside"
    exit 0
fi

for folder in "$aside.part" "$aside"; do
    [ ! -e "$folder" ] || mv "$folder" "$aside.back"
done
if [ ! -e "$aside.back" ]; then echo "there is nothing to take back"; exit 0; fi
if [ -e "$aside.back/$record" ]; then
    each away "$taken"
    mkdir -p "$taken"
    sync
    mv "$aside.back/$record" "$taken/"
fi
each take "$aside.back" "$taken"
if [ -e "$aside.back/meanwhile" ]; then
    mkdir -p "$taken"
    mv "$aside.back/meanwhile" "$taken/meanwhile-before"
fi
sync
rmdir "$aside.back"
sync
[ ! -e "$taken" ] || echo "what it had since is in $PWD/$taken"
