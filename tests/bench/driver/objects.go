package main

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const apiVersion = "sync.konductor.io/v1"

type object = map[string]any

func microTime(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }

func semaphore(name string, limit int) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": apiVersion, "kind": "Semaphore", "metadata": object{"name": name},
		"spec": object{"permits": int64(limit), "ttl": "1h"},
	}}
}

// permit is what kondctl creates.
func permit(name, of string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": apiVersion, "kind": "Permit", "metadata": object{"name": name},
		"spec": object{"semaphore": of, "holder": name, "requestedAt": microTime(time.Now())},
	}}
}

// permitOfPod goes with its pod.
func permitOfPod(name, of, pod, uid string) *unstructured.Unstructured {
	claim := permit(name, of)
	claim.Object["metadata"].(object)["ownerReferences"] = []any{object{
		"apiVersion": "v1", "kind": "Pod", "name": pod, "uid": uid, "controller": false, "blockOwnerDeletion": false,
	}}
	claim.Object["spec"].(object)["pod"] = object{"name": pod, "uid": uid}
	return claim
}

// pod is bound to no node, so nothing runs, and it stays Pending.
func pod(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": name},
		"spec": object{
			"schedulerName": "nobody", "automountServiceAccountToken": false, "restartPolicy": "Never",
			"containers": []any{object{"name": "main", "image": "none"}},
		},
	}}
}

func phase(claim *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(claim.Object, "status", "phase")
	return text
}

// grant is what a record and a tell say of one claim.
type grant struct {
	claim, uid, rv string
	token          int64
}

type holderLine struct{ claim, since string }

func preconditions(uid, rv string) object { return object{"resourceVersion": rv, "uid": uid} }

// record is the operator's write of the primitive: counts, the first ten holders, the ledger with one pending grant.
func record(uid, rv, namespace string, seen string, limit, waiting int, lines []holderLine, g grant) object {
	shown := make([]object, 0, 10)
	for _, line := range lines {
		if len(shown) == 10 {
			break
		}
		shown = append(shown, object{"name": namespace + "/" + line.claim, "holder": line.claim, "units": 1, "since": line.since})
	}
	pending := object{"claim": namespace + "/" + g.claim, "uid": g.uid, "units": 1, "token": g.token, "rv": g.rv}
	return object{"metadata": preconditions(uid, rv), "status": object{
		"inUse": len(lines), "available": limit - len(lines), "waiting": waiting, "holders": shown,
		"ledger": object{"lastToken": g.token, "seen": seen, "pending": []object{pending}},
	}}
}

func condition(status, reason, message string, at time.Time) []object {
	return []object{conditionOf("Granted", status, reason, message, at)}
}

func conditionOf(kind, status, reason, message string, at time.Time) object {
	return object{"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at.UTC().Format(time.RFC3339)}
}

// tell is the operator's write of the claim that was recorded.
func tell(g grant, primitiveUID string, at time.Time) object {
	return object{"metadata": preconditions(g.uid, g.rv), "status": object{
		"phase": "Granted", "token": g.token, "units": 1, "ttl": "1h", "grantedAt": microTime(at), "primitiveUID": primitiveUID,
		"conditions": condition("True", "Granted", fmt.Sprintf("granted with token %d", g.token), at),
	}}
}

// acknowledge is the operator's write of a claim that waits.
func acknowledge(g grant, primitiveUID string, at time.Time) object {
	return object{"metadata": preconditions(g.uid, g.rv), "status": object{
		"phase": "Pending", "primitiveUID": primitiveUID,
		"conditions": condition("False", "Waiting", "its turn for 1 permit has not come", at),
	}}
}

func barrier(name string, expected int) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: object{
		"apiVersion": apiVersion, "kind": "Barrier", "metadata": object{"name": name},
		"spec": object{"expected": int64(expected)},
	}}
}

// arrival is what `kondctl barrier arrive --participant` creates.
func arrival(at *unstructured.Unstructured, i int) *unstructured.Unstructured {
	name := fmt.Sprintf("participant-%05d", i)
	return &unstructured.Unstructured{Object: object{
		"apiVersion": apiVersion, "kind": "Arrival",
		"metadata": object{"name": at.GetName() + "-" + name, "ownerReferences": []any{object{
			"apiVersion": apiVersion, "kind": "Barrier", "name": at.GetName(), "uid": string(at.GetUID()),
			"controller": false, "blockOwnerDeletion": false,
		}}},
		"spec": object{"barrier": at.GetName(), "participant": name, "holder": name, "requestedAt": microTime(time.Now())},
	}}
}

func arrived(barrier *unstructured.Unstructured) int64 {
	number, _, _ := unstructured.NestedInt64(barrier.Object, "status", "arrived")
	return number
}

// standing is the operator's write of a barrier at which so many of so many have arrived.
func standing(of *unstructured.Unstructured, come, expected int, at time.Time) object {
	message := fmt.Sprintf("%d of %d have arrived", come, expected)
	state := object{"round": 1, "opened": 0, "first": at.UnixMicro()}
	shown := object{
		"phase": "Waiting", "arrived": come, "progress": fmt.Sprintf("%d/%d", come, expected),
		"round": 1, "openedRound": 0, "observedGeneration": of.GetGeneration(),
	}
	open := conditionOf("Open", "False", "Waiting", message, at)
	if come == expected {
		shown["phase"], shown["openedRound"] = "Open", 1
		state["opened"], state["arrived"], state["expected"], state["reason"], state["message"] = 1, come, expected, "AllArrived", message
		open = conditionOf("Open", "True", "AllArrived", message, at)
	}
	shown["state"], shown["stateTime"] = state, microTime(at)
	shown["conditions"] = []object{
		open,
		conditionOf("Failed", "False", "NotFailed", "no timeout was over before enough had arrived", at),
		conditionOf("Ready", "True", "Counting", "counts who arrives", at),
	}
	return object{"metadata": preconditions(string(of.GetUID()), of.GetResourceVersion()), "status": shown}
}
