# shellcheck shell=bash
# Sourced by checks_node.sh while its node has the image and the operator: Barriers, and Jobs whose pods wait at them.
# The pods stay until `down`, so that containerd finds many when it is restarted.

b() { k "$n" -n barriers "$@"; }

has_namespace() {
  k "$n" create namespace barriers && eventually b get serviceaccount default || return 1
  b create rolebinding users --clusterrole=konductor-user --serviceaccount=barriers:default
}
barrier() { # NAME EXPECTED
  b create -f - <<END
{"apiVersion": "sync.konductor.io/v1", "kind": "Barrier", "metadata": {"name": "$1"}, "spec": {"expected": $2}}
END
}
shows() { b wait --for=jsonpath="{.status.progress}=$2" "barrier/$1" --timeout="${3-60}s"; }

# is_just NAME PHASE ARRIVED: at this moment
is_just() {
  local now
  now=$(b get barrier "$1" -o jsonpath='{.status.phase} {.status.arrived}')
  [[ $now == "$2 $3" ]] || { echo "barrier $1 is $now instead of $2 $3"; return 1; }
}
# running COUNT SELECTOR...: so many of these pods run, and of them not one has passed
running() {
  local count=$1 now
  shift
  now=$(b get pods --field-selector status.phase=Running -o name "$@" | wc -l)
  [[ $now == "$count" ]] || { b get pods "$@"; echo "$now run instead of $count"; return 1; }
}
# completes COUNT JOB...: all of them, and of so many pods each tells when it went on
completes() {
  local count=$1
  shift
  b wait --for=condition=Complete --timeout=60s "$@" || { b get pods -o wide; return 1; }
  times_of "$@" >"$work/times" || { echo "no pod tells when it passed"; return 1; }
  [[ $(grep -c 'passed$' "$work/times") == "$count" ]] || { cat "$work/times"; echo "$count pods should have passed"; return 1; }
}
# ts, since the shell's own date knows no fractions of a second; all pods have the same clock
arrive_at() { printf '%s' "echo arrives | ts %.s && kondctl barrier arrive $1 --wait && echo passed | ts %.s"; }
times_of() { # JOB...
  local names
  names=$(IFS=, && printf '%s' "${*#job.batch/}")
  b logs --selector "batch.kubernetes.io/job-name in ($names)" --tail=-1 | grep -E '^[0-9]+\.[0-9]+ (arrives|passed)$'
}
nobody_passed_early() {
  local last first
  last=$(sed -n 's/ arrives$//p' "$work/times" | sort | tail -n 1)
  first=$(sed -n 's/ passed$//p' "$work/times" | sort | head -n 1)
  echo "the last one arrives at $last, the first one has passed at $first"
  [[ -n $last && $first > $last ]]
}

# ---- fifty Jobs of one pod each, all at once: the kubelet takes 240 pods (node.py), and these need less than 1 GB

barrier_jobs() { # FIRST LAST
  local number
  for number in $(seq "$1" "$2"); do job_manifest "part-$number" "$(arrive_at fifty)"; done | b create -f -
}
has_49() { has_namespace && barrier fifty 50 && barrier_jobs 1 49 && shows fifty 49/50 120; }
none_of_49_passes() {
  b wait --for=condition=Ready pod --all --timeout=30s && running 49 && is_just fifty Waiting 49
}
check "49 Jobs of one pod each arrive at a Barrier of 50" has_49
check "all their pods wait" none_of_49_passes

follower=
follow_barrier() { # what happens to it from now on, in a file; kubectl itself, so that it ends with its pid
  KUBECONFIG=$n/kubeconfig KUBECACHEDIR=$n/kubectl-cache "$programs/kubectl" -n barriers get barrier fifty --watch \
    --output-watch-events -o json >"$work/events" &
  follower=$!
  eventually grep -q '"ADDED"' "$work/events"
}
last_one_opens() {
  local jobs
  follow_barrier && barrier_jobs 50 50 && mapfile -t jobs < <(b get jobs -o name) && completes 50 "${jobs[@]}" || return 1
  [[ ${#jobs[@]} == 50 ]] && is_just fifty Open 50
}
version_of() { b get barrier "$1" -o jsonpath='{.metadata.resourceVersion}'; }
# The version that the one event shows is the one that the Barrier still has: nothing was written after it.
one_write_opened_it() {
  local seen
  eventually grep -q "\"$(version_of fifty)\"" "$work/events" || return 1
  { kill "$follower" && wait "$follower"; } 2>/dev/null
  seen=$(jq -r '[.type, .object.status.phase, .object.status.arrived, .object.metadata.resourceVersion] | join(" ")' "$work/events")
  echo "$seen"
  [[ $(cut -d' ' -f 1-3 <<<"$seen") == $'ADDED Waiting 49\nMODIFIED Open 50' && ${seen##* } == "$(version_of fifty)" ]]
}
check "the 50th opens it, and every Job completes" last_one_opens
check "no container passed before the last one arrived" nobody_passed_early
check "the last arrival cost one write of the Barrier" one_write_opened_it

# ---- an Indexed Job of ten, of which three pods are ended by force after they arrived and before the last index does

ten=(--selector batch.kubernetes.io/job-name=ten)
has_nine() {
  # shellcheck disable=SC2016  # for the shell in the pod
  local hold='if [ $JOB_COMPLETION_INDEX = 9 ]; then kondctl barrier wait go; fi'
  barrier go 1 && barrier ten 10 || return 1
  job_manifest ten "$hold && $(arrive_at ten)" "" \
    '"completionMode": "Indexed", "completions": 10, "parallelism": 10, "backoffLimitPerIndex": 3,' | b create -f - || return 1
  shows ten 9/10 && is_just ten Waiting 9 && b get barrier ten -o jsonpath='{.status.missing}{"\n"}' | grep -x 9
}
pod_of() { b get pods --selector "batch.kubernetes.io/job-name=ten,batch.kubernetes.io/job-completion-index=$1" -o name; }
three_are_ended() {
  b delete --force --grace-period=0 --wait=false "$(pod_of 0)" "$(pod_of 1)" && b exec "$(pod_of 2)" -- killall -9 kondctl
}
# All that arrived, of so many pods, and the participants that they were found to be.
found() {
  [[ $(b get arrivals -o json | jq -r '[.items[] | select(.spec.barrier == "ten") | select(.status.participant)] |
    "\(map(.spec.pod.uid) | unique | length) \(map(.status.participant) | unique | length)"') == "$1 $2" ]]
}
retries_count_once() {
  patience=90 eventually found 12 9 || { b get arrivals,pods; return 1; }
  eventually running 10 "${ten[@]}" && is_just ten Waiting 9
}
tenth_opens() {
  b create -f - <<END || return 1
{"apiVersion": "sync.konductor.io/v1", "kind": "Arrival", "metadata": {"name": "go"}, "spec": {"barrier": "go", "participant": "test"}}
END
  completes 10 job.batch/ten && is_just ten Open 10 && found 13 10
}
check "nine indexes of an Indexed Job of ten arrive" has_nine
check "three of their pods are ended by force" three_are_ended
check "their retries arrive again, and it waits: twelve pods, nine participants" retries_count_once
check "the tenth participant opens it" tenth_opens
check "no container passed before that one arrived" nobody_passed_early
