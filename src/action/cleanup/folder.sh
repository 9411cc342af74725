# shellcheck shell=sh disable=SC2034
# How a folder is entered so that it is the one that was meant, whoever puts another in its place meanwhile.

# is_at PATH: whether the current folder is the one of that path. The kernel is asked: a shell may say what it remembers of the way.
is_at() {
    [ "$(readlink /proc/self/cwd && echo .)" = "$1
." ]
}

# find_mount: `mount` is the kernel's number for what is mounted where the current folder is. A folder of the same filesystem that is
# mounted a second time has another.
find_mount() {
    mount=
    { while read -r key value; do
        if [ "$key" = mnt_id: ]; then mount=$value; fi
    done </proc/self/fdinfo/5; } 2>/dev/null 5<. || true
}
