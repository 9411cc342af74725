# shellcheck shell=bash
# What every script of the project shares: how to say something, to install what is missing, and to find Rust.
#
# Sourced, never run. It sets nothing but functions and `project_root`, and works with the bash 3.2 of macOS, too.
set -euo pipefail

project_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# Runs a command quietly, and shows what it said only when it fails.
try_quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [[ $status == 0 ]] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

quietly() { try_quietly "$@" || die "failed: $*"; }

# Runs a command as root: directly, or through sudo.
as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "only root can do this, and there is no sudo: $*"
    fi
}

# Installs Debian packages and removes none. Fresh lists are fetched only when the present ones do not do.
install_packages() {
    command -v apt-get >/dev/null || die "install \`$*\` first: this machine has no apt"
    say "installing $*"
    local get=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    "${get[@]}" install -y --no-install-recommends --no-remove "$@" >/dev/null 2>&1 </dev/null && return 0
    quietly "${get[@]}" update
    quietly "${get[@]}" install -y --no-install-recommends --no-remove "$@"
}

# Installs the package that has a command, where the command is missing: need COMMAND PACKAGE
need() {
    local path=$PATH:/usr/sbin:/sbin
    PATH=$path command -v "$1" >/dev/null || install_packages "$2"
}

# The oldest Rust that builds the project; Cargo.toml is the one place that says it.
oldest_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$project_root/Cargo.toml"; }

# Whether a version is at least another: at_least HAVE WANT
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]; }

# Whether the cargo and rustc on PATH work together and are new enough. Asked inside the project, where rustup decides.
rust_is_here() {
    local version
    (cd "$project_root" && cargo --version) >/dev/null 2>&1 || return 1
    version=$(cd "$project_root" && rustc --version 2>/dev/null | cut -d ' ' -f 2)
    [[ -n $version ]] && at_least "$version" "$(oldest_rust)"
}

# The first of Debian's Rust packages that is new enough. Debian 12 has a current one under the names of its browser builds.
rust_packages() {
    local suffix version
    for suffix in -web ''; do
        version=$(LC_ALL=C apt-cache policy "rustc$suffix" 2>/dev/null | sed -n 's/^ *Candidate: //p')
        case $version in '' | '(none)') continue ;; esac
        if at_least "${version%%+*}" "$(oldest_rust)"; then
            echo "rustc$suffix cargo$suffix"
            return 0
        fi
    done
    return 1
}

how_to_get_rust() {
    die "Rust $(oldest_rust) or newer is needed${1:+: $1}; install it with rustup (https://rustup.rs), then run this again"
}

# Leaves a cargo on PATH that builds the project: the one that is here, the person's own of rustup, or Debian's.
need_rust() {
    rust_is_here && return 0
    local own=${CARGO_HOME:-$HOME/.cargo}/bin packages
    if PATH=$own:$PATH rust_is_here; then
        export PATH=$own:$PATH
        return 0
    fi
    command -v apt-get >/dev/null || how_to_get_rust "this machine has none"
    if ! packages=$(rust_packages); then
        quietly as_root apt-get -o DPkg::Lock::Timeout=300 update
        packages=$(rust_packages) || how_to_get_rust "apt has none that is new enough"
    fi
    # shellcheck disable=SC2086
    (install_packages $packages) || how_to_get_rust "apt could not install \`$packages\` beside what is installed"
    # A rustup or an older cargo may still come first on PATH.
    if ! rust_is_here; then
        if PATH=/usr/bin:$PATH rust_is_here; then
            export PATH=/usr/bin:$PATH
        else
            how_to_get_rust "the installed one does not work"
        fi
    fi
}

# What building needs: a C compiler for the TLS library, certificates to fetch crates, Rust.
need_build_tools() {
    command -v cc >/dev/null || install_packages gcc libc6-dev
    if [[ ! -e /etc/ssl/certs/ca-certificates.crt ]] && command -v apt-get >/dev/null; then
        install_packages ca-certificates
    fi
    need_rust
}

# Runs a command of the lab, which needs root to install and start an engine: lab COMMAND...
lab() {
    local script=$project_root/tests/lab/$1
    shift
    if [[ $(id -u) == 0 ]]; then
        "$script" "$@"
    else
        local state=${OPSCTL_LAB_STATE:-$project_root/tests/lab/.state} status=0
        as_root env OPSCTL_LAB_STATE="$state" "$script" "$@" || status=$?
        # The keys are for the person who connects with them.
        [[ ! -d $state ]] || as_root chown -R "$(id -u):$(id -g)" "$state"
        return "$status"
    fi
}

# Brings the lab up and says where its inventory is: lab_inventory app|local|twin
lab_inventory() {
    local said arguments=()
    need ssh openssh-client
    need curl curl
    need python3 python3
    [[ $1 == app ]] || arguments=("--$1")
    said=$(lab up "${arguments[@]}") || die "the lab did not come up"
    said=$(sed -n 's/^inventory: //p' <<<"$said")
    [[ -f $said ]] || die "the lab names no inventory"
    echo "$said"
}
