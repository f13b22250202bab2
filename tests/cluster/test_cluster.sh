#!/usr/bin/env bash
# test_cluster.sh [control_plane | node]
# Tests tests/cluster/cluster with real clusters in a folder of its own; with root the node as well.
# Builds the cluster's programs first if they are not in the cache yet.
set -uo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cluster=$here/cluster
work=$(mktemp -d "${TMPDIR:-/tmp}/konductor cluster test.XXXXXX") # with spaces, on purpose
log=$work/last-command.log
hidden=
passed=0
failed=0
begin=$SECONDS

clean_up() {
  local dir pid
  trap - EXIT
  for pid in $(jobs -p); do { kill -9 "$pid" && wait "$pid"; } 2>/dev/null; done
  for dir in "$work"/*/ "$work"/*/*/ ${hidden:+"$hidden"/*/}; do
    [[ -e $dir/.konductor-cluster ]] && "$cluster" down --dir "$dir" >/dev/null
  done
  mountpoint -q "$work/small disk" && umount "$work/small disk"
  rm -rf -- "$work" ${hidden:+"$hidden"}
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# check NAME COMMAND...: one line; the command's output only if it fails.
check() {
  local name=$1 start=${EPOCHREALTIME/./} verdict=ok
  shift
  if "$@" >"$log" 2>&1; then passed=$((passed + 1)); else
    verdict=FAIL
    failed=$((failed + 1))
  fi
  printf '%-4s %s (%d ms)\n' "$verdict" "$name" $(((${EPOCHREALTIME/./} - start) / 1000))
  [[ $verdict == ok ]] || sed 's/^/       | /' "$log"
}

# fails_saying STATUS TEXT COMMAND...: it ends with that status and says that.
fails_saying() {
  local wanted=$1 text=$2 output status
  shift 2
  output=$("$@" 2>&1)
  status=$?
  printf '%s\n' "$output"
  [[ $status == "$wanted" ]] || { echo "status $status instead of $wanted"; return 1; }
  [[ $output == *"$text"* ]] || { echo "does not say: $text"; return 1; }
}

# eventually COMMAND...: until it succeeds, at most $patience or 30 s.
eventually() {
  local end=$((SECONDS + ${patience:-30}))
  until "$@"; do
    ((SECONDS < end)) || { echo "not within ${patience:-30} s: $*"; return 1; }
    sleep 0.1
  done
}

# processes_of DIR: the pids whose command line has DIR in it.
processes_of() {
  local file words
  for file in /proc/[0-9]*/cmdline; do
    { mapfile -d '' -t words <"$file"; } 2>/dev/null || continue
    [[ "${words[*]-}" == *"$1"* ]] && basename -- "${file%/cmdline}"
  done
}

leaves_nothing() {
  local left
  left=$(processes_of "$1")
  [[ -z $left ]] || { echo "processes left: ${left//$'\n'/ }"; return 1; }
  [[ ! -e $1 ]] || { echo "folder left: $(find "$1")"; return 1; }
}

down_leaves_nothing() { "$cluster" down --dir "$1" && leaves_nothing "$1"; }

kill_all_of() { local pids; mapfile -t pids < <(processes_of "$1"); kill -9 "${pids[@]}"; }

k() { # k DIR ARGUMENTS...: kubectl, as the administrator of the cluster in DIR
  local dir=$1
  shift
  KUBECONFIG=$dir/kubeconfig KUBECACHEDIR=$dir/kubectl-cache "$programs/kubectl" "$@"
}

port_of() { jq -er --arg name "$2" '.ports[$name]' "$1/cluster.json"; }

part=${1-}
node=()
((EUID != 0)) || [[ $part == control_plane ]] || node=(--node)
echo "programs: $("$cluster" binaries "${node[@]}")" || exit 1
programs=$("$cluster" binaries "${node[@]}") || exit 1
begin=$SECONDS # a first build is not part of the tests

# shellcheck source=checks_control_plane.sh
[[ $part == node ]] || . "$here/checks_control_plane.sh"
# shellcheck source=checks_node.sh
if ((${#node[@]} > 0)); then . "$here/checks_node.sh"; else echo "the node is not tested: that needs root"; fi

echo "$((SECONDS - begin)) s"
echo "$passed passed, $failed failed"
((failed == 0))
