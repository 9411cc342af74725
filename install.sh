#!/usr/bin/env bash
# Builds opsctl and installs it, with what it needs and is missing, and nothing else.
#
# What is put into the prefix is written down with its checksum in share/opsctl/installed, so that --uninstall takes away
# exactly that. The state folder, inventories and configuration are never touched, and neither is an engine that is there.
# shellcheck source=tests/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/tests/lib.sh"

usage() {
    cat <<'USAGE'
Builds opsctl from this checkout and installs it.

usage: ./install.sh [--prefix DIR] [--demo]
       ./install.sh [--prefix DIR] --uninstall

  --prefix DIR   where to: DIR/bin, DIR/share (/usr/local for root, ~/.local for others)
  --demo         then build a lab, break a service in it, and let opsctl recover it (needs root or sudo, and apt)
  --uninstall    remove what this script installed; runs, inventories and configuration stay
  --help         this

Run it as yourself: it asks for sudo where it installs Debian packages. It needs a C compiler, Rust and the OpenSSH
client, and installs with apt those that are missing.
USAGE
}

action=install demo=no prefix=
while [[ $# -gt 0 ]]; do
    case $1 in
        --prefix) [[ $# -ge 2 && -n $2 ]] || die "--prefix needs a folder"; prefix=$2; shift ;;
        --prefix=?*) prefix=${1#*=} ;;
        --demo) demo=yes ;;
        --uninstall) action=uninstall ;;
        -h | --help) usage; exit 0 ;;
        *) usage >&2; die "unknown argument: $1" ;;
    esac
    shift
done
[[ $action/$demo != uninstall/yes ]] || die "--demo and --uninstall do not go together"
if [[ -z $prefix ]]; then
    if [[ $(id -u) == 0 ]]; then prefix=/usr/local; else prefix=$HOME/.local; fi
fi
[[ $prefix == /* ]] || prefix=$PWD/$prefix
prefix=${prefix%/}
manifest=$prefix/share/opsctl/installed

# Runs a command that writes into a folder, as root only where this person may not: writing_to FOLDER COMMAND...
writing_to() {
    local folder=$1
    shift
    while [[ -n $folder && ! -e $folder ]]; do folder=${folder%/*}; done
    if [[ -w ${folder:-/} ]]; then "$@"; else as_root "$@"; fi
}

sum_of() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

# Puts a file in place in one move, so that an opsctl that runs keeps its own: put MODE FILE PATH-IN-PREFIX
put() {
    local mode=$1 file=$2 to=$prefix/$3 folder
    folder=$(dirname "$to")
    echo "$(sum_of "$file")  $3" >>"$work/installed"
    if cmp -s "$file" "$to"; then return 0; fi
    if [[ -e $to && $3 == bin/opsctl ]]; then say "replacing $to ($("$to" --version 2>/dev/null || echo "another build"))"; fi
    writing_to "$folder" mkdir -p "$folder"
    writing_to "$folder" cp "$file" "$to.new"
    writing_to "$folder" chmod "$mode" "$to.new"
    writing_to "$folder" mv -f "$to.new" "$to"
    say "installed $to"
}

uninstall() {
    if [[ ! -f $manifest ]]; then
        say "nothing to remove: $manifest is not there"
        return 0
    fi
    local sum path
    while read -r sum path; do
        if [[ ! -e $prefix/$path ]]; then
            continue
        elif [[ $(sum_of "$prefix/$path") == "$sum" ]]; then
            writing_to "$(dirname "$prefix/$path")" rm "$prefix/$path"
            say "removed $prefix/$path"
        else
            say "left $prefix/$path: it is no longer the file that was installed"
        fi
    done <"$manifest"
    writing_to "$prefix/share/opsctl" rm "$manifest"
    writing_to "$prefix/share" rmdir "$prefix/share/opsctl"
    say "runs stay in ${OPSCTL_STATE_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/opsctl}; inventories, configuration and Debian packages stay, too"
}

build() {
    need_build_tools
    command -v ssh >/dev/null || install_packages openssh-client
    local start=$SECONDS
    say "building with $(cd "$project_root" && rustc --version | cut -d ' ' -f 1,2)"
    (cd "$project_root" && cargo build --release --locked --target-dir "$target" </dev/null)
    say "built in $((SECONDS - start)) s"
}

install_files() {
    local shell
    : >"$work/installed"
    if cmp -s "$built" "$prefix/bin/opsctl"; then say "$prefix/bin/opsctl is this build already"; fi
    put 755 "$built" bin/opsctl
    for shell in bash zsh fish; do
        "$built" completions "$shell" >"$work/$shell" </dev/null || die "\`opsctl completions $shell\` failed"
    done
    put 644 "$work/bash" share/bash-completion/completions/opsctl
    put 644 "$work/zsh" share/zsh/site-functions/_opsctl
    put 644 "$work/fish" share/fish/vendor_completions.d/opsctl.fish
    writing_to "$prefix/share/opsctl" mkdir -p "$prefix/share/opsctl"
    writing_to "$prefix/share/opsctl" cp "$work/installed" "$manifest"

    local first
    first=$(command -v opsctl || true)
    if [[ -z $first ]]; then
        say "$prefix/bin is not on your PATH; to add it: export PATH=\"$prefix/bin:\$PATH\""
    elif [[ ! $first -ef $prefix/bin/opsctl ]]; then
        say "your PATH finds $first first"
    fi
}

# A failure made on purpose and the recovery from it, with orders written through nginx all the while.
run_demo() {
    local inventory status=0 me=() sudo=
    command -v apt-get >/dev/null || die "the demo builds its hosts from Debian packages, and this machine has no apt"
    if [[ $(id -u) != 0 ]]; then me=(sudo -u "$(id -un)") sudo="sudo "; fi
    say "building the lab: a host with its own engine and a stack on it (minutes the first time, seconds later)"
    inventory=$(lab_inventory app)
    say "killing both instances of argus"
    lab break kill argus
    say "opsctl failover argus --yes --inventory $inventory"
    # The load ends with what became of every order; the time is that of opsctl alone, to the tenth of a second.
    # shellcheck disable=SC2016
    lab load -- "${me[@]}" bash -c 'TIMEFORMAT=%1R; { time "${@:2}" 2>&3; } 3>&2 2>"$1"' \
        demo "$work/took" "$prefix/bin/opsctl" failover argus --yes --inventory "$inventory" || status=$?
    say "opsctl status --inventory $inventory"
    "$prefix/bin/opsctl" status --inventory "$inventory" || status=$?
    [[ $status == 0 ]] || die "the demo did not recover argus (exit $status); the lab is left as it is: ${sudo}tests/lab/ssh"
    say "to break something else: ${sudo}tests/lab/break kill postgres-argus"
    say "to clean up: ${sudo}tests/lab/down"
    say "argus is recovered: opsctl took $(<"$work/took") s from its start to the last health check"
}

if [[ $action == uninstall ]]; then
    uninstall
    exit 0
fi
[[ -f $project_root/Cargo.lock ]] || die "$project_root is no checkout of opsctl"
target=${CARGO_TARGET_DIR:-$project_root/target}
built=$target/release/opsctl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build
install_files
[[ $demo == no ]] || run_demo
