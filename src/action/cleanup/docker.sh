# shellcheck shell=sh disable=SC2154
# How Docker is asked before something of it is removed. Each question has an answer or ends the script: that nothing is said is never
# taken for "nothing there".

# why WORDS: Docker's `reason`, in one line.
why() {
    reason=${1##*daemon: }
    reason=${reason%%
*}
}

docker ps -q >/dev/null
