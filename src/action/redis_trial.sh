# shellcheck shell=sh disable=SC2154
# Within a container: loads a dump, says what is in it, and forgets it.
#
# Arguments: how many bytes it has, how much memory there is (in words), and what the file is called.

load "$work" dump.rdb "$1" "$2" "$3"
ask info keyspace
ask info memory
ask info server
finish
