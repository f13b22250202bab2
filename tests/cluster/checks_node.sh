# shellcheck shell=bash
# Sourced by test_cluster.sh: a node with real pods, which needs root, packaging/setup --node and a build (make dev).

n="$work/node a"
hidden=$(mktemp -d /var/lib/konductor-cluster-test.XXXXXX) # below a place that nodes have of their own
m="$hidden/node b"
built=${KONDUCTOR_BUILD:-$here/../../build/dev}
[[ -x $built/bin/konductor || -n ${KONDUCTOR_BUILD-} ]] || built=$here/../../build
plugins=$built/lib/konductor/1
archive=$work/konductor.tar

node_of() { jq -er .node "$1/cluster.json"; }
pid_of() { awk '{print $1}' "$1/run/$2.pid"; }
cgroup_of() { printf 'konductor-%s' "$(printf '%s' "$1" | sha256sum | cut -c 1-12)"; }

# remember_node DIR: what must be gone later; where a process is tells that it is the node's or a pod's.
remember_node() {
  local pid
  pid=$(pid_of "$1" node) || return 1
  for kind in pid net mnt; do readlink "/proc/$pid/ns/$kind"; done >"$work/namespaces"
  { node_of "$1" 2>/dev/null || true; } >"$work/number"
}

in_namespaces() { # the processes that are; dead ones that only wait to be collected are not
  local link state
  while read -r _ link; do
    read -r _ _ state _ 2>/dev/null <"${link%/ns/*}/stat" && [[ $state != Z ]] && printf '%s\n' "$link $state"
  done < <([[ ! -s $work/namespaces ]] || find /proc/[0-9]*/ns -maxdepth 1 -type l -printf '%l %p\n' 2>/dev/null | grep -F -f "$work/namespaces")
}

node_leaves_nothing() {
  local group number left
  leaves_nothing "$1" || return 1
  group=$(cgroup_of "$1")
  left=$(find /sys/fs/cgroup -maxdepth 2 -name "$group"; grep -ls "$group" /proc/[0-9]*/cgroup)
  [[ -z $left ]] || { echo "cgroups left: $left"; return 1; }
  left=$(in_namespaces)
  [[ -z $left ]] || { echo "processes left in its namespaces: $left"; return 1; }
  number=$(<"$work/number")
  [[ -z $number || ! -e /sys/class/net/kond$number ]] || { echo "link left: kond$number"; return 1; }
  ! grep -F "${1// /\\040}" /proc/self/mountinfo || { echo "mounts left"; return 1; }
  cmp "$work/host-before" <(host_state) || { diff "$work/host-before" <(host_state); return 1; }
}
node_down_leaves_nothing() { remember_node "$1" && "$cluster" down --dir "$1" && node_leaves_nothing "$1"; }

# What the node's programs would change on the host if they had no place of their own.
host_state() {
  nft list tables | grep kube-proxy
  ip -o link show type bridge | grep cni0
  find /run/netns /run/containerd /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers -maxdepth 1 2>/dev/null
  cat /proc/sys/vm/overcommit_memory /proc/sys/kernel/panic /proc/sys/kernel/panic_on_oops /proc/sys/net/ipv4/ip_forward
}

# ---- refusals

check "without root --node says so" fails_saying 1 "--node needs root" unshare --user "$cluster" up --node --dir "$work/none"
check "a missing capability is named" \
  fails_saying 1 "CAP_NET_ADMIN" setpriv --bounding-set -net_admin "$cluster" up --node --dir "$work/none"
# shellcheck disable=SC2016  # "$1" is for the inner bash
up_without() { unshare --mount bash -c 'mount --bind /dev/null "$3" && "$1" up --node --dir "$2"' - "$cluster" "$work/none" "$1"; }
check "a missing program is named with its package" fails_saying 1 "nft (package nftables)" up_without "$(command -v nft)"
check "so is a missing plugin of containerd" \
  fails_saying 1 "bridge (package containernetworking-plugins)" up_without /usr/lib/cni/bridge
check "and what installs it" fails_saying 1 "packaging/setup --node" up_without "$(command -v runc)"
check "no folder is made" leaves_nothing "$work/none"

# ---- a node

host_state >"$work/host-before"
mkdir "$work/node assets" && cp -s "$programs"/* "$work/node assets/" && rm "$work/node assets/kubelet"
printf '#!/bin/sh\necho "no such luck"\nexit 3\n' >"$work/node assets/kubelet"
chmod +x "$work/node assets/kubelet"
check "a kubelet that ends at once: its status is said" \
  fails_saying 1 "kubelet ended with status 3" env KUBEBUILDER_ASSETS="$work/node assets" "$cluster" up --node --dir "$n"
: >"$work/namespaces"
: >"$work/number"
check "and everything is cleaned up" node_leaves_nothing "$n"
up_both() {
  local other status
  "$cluster" up --node --dir "$m" >"$work/m.log" 2>&1 &
  other=$!
  "$cluster" up --node --dir "$n"
  status=$?
  wait "$other" || { cat "$work/m.log"; return 1; }
  return $status
}
check "two clusters with nodes at the same time" up_both
nodes_are_ready() { [[ $(k "$1" get nodes --no-headers) == "konductor-node "*" Ready "* ]]; }
check "the node is Ready" nodes_are_ready "$n"
check "so is the other" nodes_are_ready "$m"
env_knows() (
  eval "$("$cluster" env --dir "$n")" || exit 1
  HTTPS_PROXY=http://127.0.0.1:9 kubectl get nodes
)
check "env makes an exception from proxies" env_knows
check "status knows the node's processes" fails_saying 0 "kube-proxy" "$cluster" status --dir "$n"
check "they share no link" test "$(node_of "$n")" != "$(node_of "$m")"
check "up --node on a healthy one says so" fails_saying 0 "already up" "$cluster" up --node --dir "$n"
check "down of the other" node_down_leaves_nothing "$m"
check "the first one does not care" "$cluster" status --dir "$n"

makes_image() {
  local make=("$here/../../packaging/image" --shell --bin "$built/bin" --plugins "$plugins" --output)
  "${make[@]}" "$archive" && "${make[@]}" "$archive.again" && cmp "$archive" "$archive.again"
}
check "packaging/image makes an image from the build, twice the same" makes_image
check "image imports it" "$cluster" image "$archive" --dir "$n"
check "and again" "$cluster" image "$archive" --dir "$n"
echo garbage >"$work/garbage"
check "what is no image is refused" fails_saying 1 "is no docker-archive" "$cluster" image "$work/garbage" --dir "$n"

# job_manifest NAME COMMAND [POD_FIELDS [JOB_FIELDS]]: of a Job whose pods run a shell command
job_manifest() {
  local job_fields=${4-'"backoffLimit": 0,'}
  cat <<END
{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "$1"}, "spec": {$job_fields "template": {"spec": {
  ${3-} "restartPolicy": "Never", "terminationGracePeriodSeconds": 1,
  "containers": [{"name": "main", "image": "konductor.io/konductor:dev-shell", "command": ["sh", "-c", "$2"]}]}}}}
END
}
job() { job_manifest "$@" | k "$n" apply -f -; }
job_completes() {
  k "$n" wait --for=condition=Complete "job/$1" --timeout=60s && return
  k "$n" describe pods -l "job-name=$1"
  k "$n" logs "job/$1" --all-containers
  return 1
}
runs_job() { job hello "echo it runs; id -u" && job_completes hello; }
check "the pod of a Job runs to its end" runs_job
check "kubectl logs" fails_saying 0 $'it runs\n65532' k "$n" logs job/hello
makes_long() { job long "while :; do sleep 1; done" && k "$n" wait --for=condition=Ready pod -l job-name=long --timeout=60s; }
check "a Job that goes on" makes_long
check "kubectl exec" fails_saying 0 "from inside" k "$n" exec job/long -- sh -c 'echo from inside'
stays_inside() { fails_saying 1 "No route to host" k "$n" exec job/long -- nc -w 2 192.0.2.77 80 </dev/null; }
check "a pod reaches no other machine" stays_inside

# ---- its token works

operator=
has_operator() {
  k "$n" apply --server-side -f <("$built/bin/konductor" manifests --plugin-dir "$plugins") || return 1
  k "$n" wait --for=condition=Established crd --all --timeout=30s || return 1
  "$built/bin/konductor" --plugin-dir "$plugins" --kubeconfig "$n/kubeconfig" --metrics-address off >"$work/operator.log" 2>&1 &
  operator=$!
  k "$n" create rolebinding users --clusterrole=konductor-user --serviceaccount=default:default || return 1
  k "$n" apply -f - <<END || return 1
{"apiVersion": "sync.konductor.io/v1", "kind": "Semaphore", "metadata": {"name": "q"}, "spec": {"permits": 1, "ttl": "10m"}}
END
  k "$n" wait --for=condition=Ready semaphore/q --timeout=30s || { cat "$work/operator.log"; return 1; }
}
acquires() {
  job "$1" "echo granted" '"initContainers": [{"name": "wait", "image": "konductor.io/konductor:dev-shell",
    "command": ["kondctl", "semaphore", "acquire", "q", "--wait", "--ttl=10m"]}],' && job_completes "$1"
}
check "the operator runs on the host" has_operator
check "a pod with its own token acquires a permit in an init container" acquires first
check "and the next one, when the first pod is done" acquires second

# shellcheck source=checks_barriers.sh
. "$here/checks_barriers.sh"

# ---- one process at a time

container_of_long() {
  local status='{.items[0].status.containerStatuses[0]'
  k "$n" get pods -l job-name=long -o jsonpath="$status.containerID} $status.restartCount}"
}
survives() {
  local before name
  before=$(container_of_long)
  for name in containerd kubelet kube-proxy scheduler; do "$cluster" restart --kill "$name" --dir "$n" || return 1; done
  eventually nodes_are_ready "$n" && eventually "$cluster" status --dir "$n" || return 1
  [[ $(container_of_long) == "$before" ]] && job after-restart "true" && job_completes after-restart
}
check "killed and started again, they leave pods alone" survives
check "pause kubelet" "$cluster" pause kubelet --dir "$n"
check "status says paused" fails_saying 1 "paused" "$cluster" status --dir "$n"
check "resume kubelet" "$cluster" resume kubelet --dir "$n"

# ---- down, and remains of killed runs

{ kill "$operator" && wait "$operator"; } 2>/dev/null
check "down with pods that run" node_down_leaves_nothing "$n"

small="$work/small disk"
mkdir "$small" && mount -t tmpfs -o size=700m konductor-test "$small"
content_of() { nsenter -t "$(pid_of "$1" node)" -m -n -p ctr -n k8s.io content list --quiet | sort; }
snapshots_of() { nsenter -t "$(pid_of "$1" node)" -m -n -p ctr -n k8s.io snapshots list | sort; }
# full_at KILOBYTES: an import with so much room fails, and the node has what it had; with room it works
full_at() {
  local before free
  before=$(content_of "$small/node"; snapshots_of "$small/node")
  free=$(df --output=avail -k "$small" | tail -n 1)
  fallocate -l $((free - $1))K "$small/filler" || return 1
  fails_saying 1 "is full" "$cluster" image "$archive" --dir "$small/node" || return 1
  rm "$small/filler"
  [[ $before == "$(content_of "$small/node"; snapshots_of "$small/node")" ]]
}
check "a node on a small disk" "$cluster" up --node --dir "$small/node"
size=$(($(stat -c %s "$archive") / 1024))
check "no room for the image's archive: it says so and keeps nothing" full_at $((size / 2))
check "no room for the image's files: the same" full_at $((size * 3 / 2))
check "with room it is imported" "$cluster" image "$archive" --dir "$small/node"
check "down" node_down_leaves_nothing "$small/node"
umount "$small"

kill_node_up_when() { # DIR CONDITION...: as kill_up_when, with a node
  local dir=$1 up
  shift
  "$cluster" up --node --dir "$dir" &
  up=$!
  until "$@"; do kill -0 "$up" 2>/dev/null || { echo "up ended before it could be killed"; return 1; }; done
  kill -9 "$up"
  wait "$up"
  remember_node "$dir"
  "$cluster" down --dir "$dir" && node_leaves_nothing "$dir"
}
check "kill -9 of up --node when its namespaces are being made, then down" kill_node_up_when "$n" test -e "$n/run/node.pid"
check "... when it has its link" kill_node_up_when "$n" test -e "$n/cluster.json"
check "... when containerd is being started" kill_node_up_when "$n" test -e "$n/run/containerd.pid"
check "... when the kubelet is being started" kill_node_up_when "$n" test -e "$n/run/kubelet.pid"

up_with_long() { "$cluster" up --node --dir "$n" && "$cluster" image "$archive" --dir "$n" && makes_long; }
kill_of_both() {
  remember_node "$n" && kill -9 "$(pid_of "$n" kubelet)" "$(pid_of "$n" containerd)" &&
    "$cluster" down --dir "$n" && node_leaves_nothing "$n"
}
check "up with a pod" up_with_long
check "kill -9 of kubelet and containerd, then down" kill_of_both
check "up with a pod" up_with_long
kill_of_first() { remember_node "$n" && kill -9 "$(pid_of "$n" node)" && eventually node_is_dead; }
node_is_dead() { ! kill -0 "$(pid_of "$n" kubelet)" 2>/dev/null && [[ ! -e /sys/class/net/kond$(node_of "$n") ]]; }
check "kill -9 of the node's process 1 ends pods and network" kill_of_first
check "status says so" fails_saying 1 "stopped" "$cluster" status --dir "$n"
kill_all_of "$n" 2>/dev/null
check "up cleans a killed cluster's folder and starts" fails_saying 0 "an earlier cluster" "$cluster" up --node --dir "$n"
check "down" node_down_leaves_nothing "$n"

# Takes the scheduler's port after it was chosen and before it is used.
node_up_with_a_port_taken() {
  "$cluster" up --node --dir "$n" >"$work/n.log" 2>&1 &
  local up=$! port
  until port=$(port_of "$n" scheduler 2>/dev/null); do kill -0 "$up" || return 1; done
  python3 -c 'import socket, sys, time; s = socket.create_server(("127.0.0.1", int(sys.argv[1]))); time.sleep(600)' "$port" &
  wait "$up" || { cat "$work/n.log"; return 1; }
  cat "$work/n.log"
  grep -q 'was taken meanwhile' "$work/n.log" && "$cluster" status --dir "$n"
}
check "up --node takes another port if a chosen one was taken meanwhile" node_up_with_a_port_taken
check "down" node_down_leaves_nothing "$n"
