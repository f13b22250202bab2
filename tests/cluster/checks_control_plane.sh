# shellcheck shell=bash
# Sourced by test_cluster.sh: the control plane alone, which needs no root.

# ---- programs

has_versions() {
  "$programs/kube-apiserver" --version && "$programs/kube-controller-manager" --version && "$programs/kubectl" version --client &&
    "$programs/etcd" --version && "$programs/etcdctl" version
}
# pinned MODULE FILE: the version that a go.mod requires
pinned() { sed -nE "s|^(require)?[[:space:]]+$1 (v[^ ]+)\$|\2|p" "$here/tools/$2/go.mod" | head -n 1; }
versions_are_pinned_ones() {
  local kubernetes etcd text
  kubernetes=$(pinned k8s.io/kubernetes kubernetes)
  etcd=$(pinned go.etcd.io/etcd/server/v3 etcd)
  text=$(has_versions) || return 1
  printf '%s\n' "$kubernetes $etcd" "$text"
  [[ $(grep -cE "(Kubernetes|Client Version:) $kubernetes\$" <<<"$text") == 3 ]] &&
    [[ $(grep -cE "(etcd|etcdctl) [Vv]ersion: ${etcd#v}\$" <<<"$text") == 2 ]]
}
check "programs report the pinned versions" versions_are_pinned_ones

mkdir "$work/assets"
for program in etcdctl kube-apiserver kube-controller-manager kubectl; do ln -s "$programs/$program" "$work/assets/"; done
check "a program missing in KUBEBUILDER_ASSETS is named" \
  fails_saying 1 "lacks etcd." env KUBEBUILDER_ASSETS="$work/assets" "$cluster" up --dir "$work/none"
check "and no folder is made" leaves_nothing "$work/none"

# ---- refusals

mkdir "$work/mine" && touch "$work/mine/precious"
check "up refuses a folder with other things in it" fails_saying 1 "is not the folder of a cluster" "$cluster" up --dir "$work/mine"
check "so does down, and leaves them" fails_saying 1 "is not the folder of a cluster" "$cluster" down --dir "$work/mine"
check "they are there" test -e "$work/mine/precious"
check "an empty --dir is refused" fails_saying 2 "must not be empty" "$cluster" down --dir ""
check "down on nothing succeeds" "$cluster" down --dir "$work/none"
check "status on nothing fails and says how to start" fails_saying 1 "Start one:" "$cluster" status --dir "$work/none"
check "env on nothing fails" fails_saying 1 "there is no cluster" "$cluster" env --dir "$work/none"

ln -s "$programs/etcd" "$work/assets/"
rm "$work/assets/kube-apiserver"
cat >"$work/assets/kube-apiserver" <<'END'
#!/bin/sh
seq -f 'log line %g' 1 40
exit 3
END
chmod +x "$work/assets/kube-apiserver"
check "a process that ends at once: its status is said" \
  fails_saying 1 "apiserver ended with status 3" env KUBEBUILDER_ASSETS="$work/assets" "$cluster" up --dir "$work/broken"
check "and the last 20 lines of its log" \
  fails_saying 1 $':\n  | log line 21\n' env KUBEBUILDER_ASSETS="$work/assets" "$cluster" up --dir "$work/broken"
check "and everything is cleaned up" leaves_nothing "$work/broken"

# ---- two clusters side by side

a="$work/cluster a"
b="$work/cluster b"
"$cluster" up --dir "$b" >"$work/b.log" 2>&1 &
up_of_b=$!
# shellcheck disable=SC2016  # "$1" and "$2" are for the inner bash
# Whoever waits for the end of a pipe must not wait for the cluster: the pipe is open in descriptor 3 as well.
up_through_pipe() { timeout 150 bash -c '"$1" up --dir "$2" 3>&1 | cat' - "$cluster" "$a" && "$cluster" status --dir "$a"; }
check "up, in a folder with a space" up_through_pipe
other_is_up() { wait "$up_of_b"; local status=$?; cat "$work/b.log"; return $status; }
check "a second cluster at the same time" other_is_up
check "status of the second one" "$cluster" status --dir "$b"
ports_differ() { jq -es '[.[].ports[]] | (length == 8) and (unique | length == 8)' "$a/cluster.json" "$b/cluster.json"; }
check "they share no port" ports_differ
check "up on a healthy cluster says so" fails_saying 0 "already up" "$cluster" up --dir "$a"
modes_are_private() {
  local open
  open=$(find "$a" -path "$a/kubectl-cache" -prune -o -perm /077 -print)
  [[ -z $open ]] || { echo "readable by others: $open"; return 1; }
}
check "nobody else can read keys" modes_are_private

env_works() (
  eval "$("$cluster" env --dir "$a")" || exit 1
  [[ $(command -v kubectl) == "$programs/kubectl" ]] && kubectl get --raw /readyz && etcdctl endpoint health
)
check "env sets up a shell for kubectl and etcdctl" env_works
certificate_names() {
  local name verify=(openssl verify -CAfile "$a/ca.crt")
  for name in 127.0.0.1 ::1 10.96.0.1; do "${verify[@]}" -verify_ip "$name" "$a/pki/server.crt" || return 1; done
  for name in localhost kubernetes.default.svc; do "${verify[@]}" -verify_hostname "$name" "$a/pki/server.crt" || return 1; done
}
check "the serving certificate has its names" certificate_names
etcd_is_closed() {
  "$programs/etcdctl" --endpoints "https://127.0.0.1:$(port_of "$a" etcd)" --cacert "$a/pki/etcd-ca.crt" \
    --cert "$a/pki/admin.crt" --key "$a/pki/admin.key" --command-timeout 2s get --prefix / --limit 1 2>&1 && return 1
  return 0
}
check "etcd takes no certificate of the API server's clients" etcd_is_closed

# ---- it is a real one

pod_of_job() { [[ -n $(k "$a" get pods -l job-name=hello -o name) ]]; }
makes_job() { k "$a" create job hello --image=none -- true && eventually pod_of_job; }
check "the controller manager makes the pod of a job" makes_job
dependent_is_gone() { ! k "$a" get configmap dependent >/dev/null 2>&1; }
collects_garbage() {
  k "$a" create configmap owner || return 1
  local uid
  uid=$(k "$a" get configmap owner -o jsonpath='{.metadata.uid}') || return 1
  k "$a" create -f - <<END || return 1
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dependent", "ownerReferences":
  [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "$uid"}]}}
END
  k "$a" delete configmap owner && eventually dependent_is_gone
}
check "the garbage collector deletes what a deleted object owned" collects_garbage
check "kubectl create token gives a service account's token" k "$a" create token default
known_user() {
  "$cluster" user 'ann/b, "c"+d=e' --group team:a --group 'team/b' --dir "$a" >"$work/user" || return 1
  k "$a" --kubeconfig "$work/user" auth whoami -o json |
    jq -e '.status.userInfo | .username == "ann/b, \"c\"+d=e" and (.groups | index("team:a") and index("team/b"))'
}
check "user makes a user with groups" known_user
check "who may do nothing" fails_saying 1 "Forbidden" k "$a" --kubeconfig "$work/user" get pods
check "the other cluster knows nothing of the job" fails_saying 1 "NotFound" k "$b" get job hello

# ---- one process at a time

keeps_ports_and_data() {
  local before after name
  before=$(jq -c .ports "$a/cluster.json")
  for name in etcd apiserver controller-manager; do "$cluster" restart --kill "$name" --dir "$a" || return 1; done
  after=$(jq -c .ports "$a/cluster.json")
  [[ $before == "$after" ]] && "$cluster" status --dir "$a" && k "$a" get job hello
}
check "killed and started again, each keeps port and data" keeps_ports_and_data
check "pause etcd" "$cluster" pause etcd --dir "$a"
check "status says paused, and fails" fails_saying 1 "paused" "$cluster" status --dir "$a"
check "resume etcd" "$cluster" resume etcd --dir "$a"
check "healthy again" eventually "$cluster" status --dir "$a"
check "start of what runs is refused" fails_saying 1 "runs already" "$cluster" start etcd --dir "$a"
check "and changes nothing" "$cluster" status --dir "$a"
check "stop controller-manager" "$cluster" stop controller-manager --dir "$a"
check "status says stopped, and fails" fails_saying 1 "stopped" "$cluster" status --dir "$a"
check "start controller-manager" "$cluster" start controller-manager --dir "$a"
down_while_paused() { "$cluster" pause apiserver --dir "$a" && down_leaves_nothing "$a"; }
check "down of a cluster with a paused process" down_while_paused
check "the other cluster does not care" "$cluster" status --dir "$b"

# ---- remains of killed runs

check "kill -9 of all processes" kill_all_of "$b"
sleep 600 & # a stranger who was given the pid that the file names
stranger=$!
printf '%s %s\n' "$stranger" "$(awk '{print $22}' "/proc/$stranger/stat")" >"$b/run/etcd.pid"
second_up() {
  "$cluster" up --dir "$b" >"$work/b.log" 2>&1 || { cat "$work/b.log"; return 1; }
  cat "$work/b.log"
  grep -q 'an earlier cluster' "$work/b.log"
}
check "up cleans a killed cluster's folder and starts" second_up
grep -o 'up after .* s' "$work/b.log" | sed 's/^/     a later up, with the programs in the cache: /'
check "the process that had got the pid is untouched" kill -0 "$stranger"
check "down" down_leaves_nothing "$b"

# kill_up_when DIR CONDITION...: kill -9 of `up` as soon as the condition holds, then down.
kill_up_when() {
  local dir=$1 up
  shift
  "$cluster" up --dir "$dir" &
  up=$!
  until "$@"; do kill -0 "$up" 2>/dev/null || { echo "up ended before it could be killed"; return 1; }; done
  kill -9 "$up"
  wait "$up"
  down_leaves_nothing "$dir"
}
c="$work/cluster c"
check "kill -9 of up when its folder is there, then down" kill_up_when "$c" test -d "$c"
check "... when it makes certificates" kill_up_when "$c" test -e "$c/pki/ca.key"
check "... when etcd is being started" kill_up_when "$c" test -e "$c/logs/etcd.log"
check "... when the API server is being started" kill_up_when "$c" test -e "$c/run/apiserver.pid"
check "... when the controller manager is being started" kill_up_when "$c" test -e "$c/run/controller-manager.pid"

terminated_up() {
  "$cluster" up --dir "$c" &
  local up=$!
  until [[ -e $c/run/apiserver.pid ]]; do kill -0 "$up" || return 1; done
  kill -TERM "$up"
  wait "$up"
  [[ $? == 143 ]] && leaves_nothing "$c"
}
check "up that is terminated cleans up by itself" terminated_up

# ---- ports

# Takes the controller manager's port after it was chosen and before it is used.
up_with_a_port_taken() {
  "$cluster" up --dir "$c" >"$work/c.log" 2>&1 &
  local up=$! port status
  until port=$(port_of "$c" controller-manager 2>/dev/null); do kill -0 "$up" || return 1; done
  python3 -c 'import socket, sys, time; s = socket.create_server(("127.0.0.1", int(sys.argv[1]))); time.sleep(600)' "$port" &
  wait "$up"
  status=$?
  cat "$work/c.log"
  [[ $status == 0 ]] && grep -q 'was taken meanwhile' "$work/c.log" && [[ $(port_of "$c" controller-manager) != "$port" ]] &&
    "$cluster" status --dir "$c"
}
check "up takes another port if a chosen one was taken meanwhile" up_with_a_port_taken
check "down" down_leaves_nothing "$c"
