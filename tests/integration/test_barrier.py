"""Barriers on the real API server: who is counted, when one opens and when it fails, and what is refused."""
import contextlib
import datetime
import json
import time

from harness import POOL, ROOT, create_all, wait_for
from kinds import arrival, barrier, phase
from test_refusals import refused

MANY = 1000


def status(world, ns, name="b"):
    return world.api.get(ns, "barriers", name).get("status", {})


def conditions(thing):
    return {c["type"]: c for c in thing.get("conditions", [])}


def shown(world, ns, name="b", timeout=30.0, **wanted):
    """The status once it shows this."""
    look = lambda: all((s := status(world, ns, name)).get(key) == value for key, value in wanted.items()) and s
    try:
        return wait_for(f"{name} shows {wanted}", look, timeout)
    except AssertionError as error:
        raise AssertionError(f"{error}; it shows {status(world, ns, name)}") from None


def arrive(world, ns, *participants, at="b", **spec):
    for who in participants:
        name = f"{at}-{who}" + (f"-{spec['round']}" if "round" in spec else "")
        world.api.create(ns, "arrivals", arrival(name, at, who, **spec))


@contextlib.contextmanager
def a_barrier(world, expected, **spec):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "barriers", barrier("b", expected, **spec))
        shown(world, ns, phase="Waiting", progress=f"0/{expected}")
        yield ns


def test_kubectl_waits_until_the_last_participant_has_arrived(world):
    with a_barrier(world, 3) as ns:
        waiting = POOL.submit(world.kubectl, "wait", "-n", ns, "--for=condition=Open", "barrier/b", "--timeout=60s")
        arrive(world, ns, "0", "2")
        world.api.create(ns, "arrivals", arrival("retried", "b", "2"))
        world.api.create(ns, "arrivals", arrival("again", "b", "0"))
        seen = shown(world, ns, phase="Waiting", progress="2/3", missing="1", openedRound=0)
        assert conditions(seen)["Open"]["message"] == "2 of 3 have arrived; waiting for 1", seen
        row = world.kubectl("get", "bar", "b", "-n", ns, "-o", "wide").stdout.splitlines()
        assert row[0].split() == ["NAME", "ARRIVED", "PHASE", "DEADLINE", "ROUND", "MISSING", "AGE"], row
        assert row[1].split()[:3] == ["b", "2/3", "Waiting"], row
        assert not waiting.done()
        arrive(world, ns, "1")
        assert "condition met" in waiting.result().stdout
        seen = shown(world, ns, phase="Open", progress="3/3", arrived=3, openedRound=1)
        assert "missing" not in seen and "deadline" not in seen and "ledger" not in seen, seen
        assert conditions(seen)["Open"]["reason"] == "AllArrived" and conditions(seen)["Failed"]["status"] == "False", seen
        wait_for("the Event", lambda: any(e["reason"] == "Opened" for e in world.api.list(ns, "events")))
        assert all(phase(claim) == "" for claim in world.api.list(ns, "arrivals")), "nobody is told one by one"


def test_without_a_participant_and_without_a_pod_each_arrival_is_one(world):
    with a_barrier(world, 2) as ns:
        for name in ("x", "y"):
            world.api.create(ns, "arrivals", arrival(name, "b"))
        shown(world, ns, phase="Open")


def test_once_open_it_stays_open(world):
    with a_barrier(world, 2, timeout="2s") as ns:
        arrive(world, ns, "ann", "bob")
        opened = shown(world, ns, phase="Open")
        for name in ("b-ann", "b-bob"):
            world.api.delete(ns, "arrivals", name)
        world.api.patch(ns, "barriers", "b", {"spec": {"expected": 9, "timeout": "1s"}})
        arrive(world, ns, "late")
        time.sleep(2.5)  # what is tested is the passing of time
        after = wait_for("the edit was seen", lambda: (s := status(world, ns))["observedGeneration"] == 2 and s)
        assert (after["phase"], after["progress"], after["state"]) == ("Open", "2/2", opened["state"]), after


def test_what_cannot_be_is_refused_with_a_sentence(world):
    numbers = "expected is how many participants have to arrive: 1 to 10000"
    quorums = "quorum is how many participants are enough: 1 to expected"
    timeouts = "timeout is a duration from 1s to 8760h, such as 90s, 30m or 1h30m"
    at_timeout = "quorumPolicy AtTimeout needs both a quorum and the timeout"
    cases = [({"expected": 0}, numbers), ({"expected": -1}, numbers), ({"expected": 10**9}, numbers), ({"expected": 10001}, numbers),
             ({"expected": 10**12}, "expected"), ({"expected": "five"}, "must be of type integer"), ({"expected": None}, "Required value"),
             ({"quorum": 0}, quorums), ({"quorum": -2}, quorums), ({"quorum": 4}, "quorum is at most expected"),
             *(({"timeout": text}, timeouts) for text in ("0", "0s", "", "999ms", "8761h", "-5m", "soon", "5", "5 m")),
             ({"quorumPolicy": "Later", "quorum": 2}, 'supported values: "Immediate", "AtTimeout"'),
             ({"quorumPolicy": "AtTimeout"}, at_timeout), ({"quorumPolicy": "AtTimeout", "quorum": 2}, at_timeout),
             ({"quorumPolicy": "AtTimeout", "timeout": "1m"}, at_timeout), ({"reusable": "yes"}, "must be of type boolean")]
    with world.namespace() as ns:
        path = world.api.path(ns, "barriers")
        for number, (spec, words) in enumerate(cases):
            made = barrier(f"b{number}", **{"expected": 3, **spec})
            refused(world.api.request("POST", path, made, expect_ok=False), words, str(spec))
        world.api.create(ns, "barriers", barrier("b", 3, quorum=3))
        world.api.create(ns, "barriers", barrier("r", 3, reusable=True))
        for name, spec, words in (("b", {"expected": 2}, "quorum is at most expected"), ("b", {"expected": 0}, numbers),
                                  ("b", {"reusable": True}, "reusable cannot be changed"), ("r", {"reusable": False}, "reusable cannot be changed"),
                                  ("r", {"reusable": None}, "reusable cannot be changed")):
            refused(world.api.patch(ns, "barriers", name, {"spec": spec}, expect_ok=False), words, f"{name} {spec}")
        world.api.patch(ns, "barriers", "b", {"spec": {"reusable": False}})  # which is what absent means


def test_arrivals_that_cannot_be_are_refused_or_denied(world):
    with a_barrier(world, 2) as ns:
        path = world.api.path(ns, "arrivals")
        post = lambda claim: world.api.request("POST", path, claim, expect_ok=False)
        lines = "participant is one line of text without blanks at its ends"
        for spec, words in (({"participant": "x" * 5000}, "may not be more than 253"), ({"participant": " a"}, lines), ({"participant": "a\n"}, lines),
                            ({"participant": "a\nb"}, lines), ({"participant": ""}, "participant"), ({"round": 0}, "greater than or equal to 1"),
                            ({"round": -1}, "greater than or equal to 1"), ({"round": 2**31}, "round"), ({"barrier": ""}, "barrier"),
                            ({"barrier": "b" * 5000}, "barrier"), ({"barrier": None}, "Required value")):
            refused(post(arrival("x", **{"primitive": "b", **spec})), words, str(spec)[:60])
        refused(post(arrival("x" * 5000, "b")), "must be no more than 253")
        world.api.create(ns, "barriers", barrier("r", 2, reusable=True))
        arrive(world, ns, "ann", round=2)
        arrive(world, ns, "ann", at="r")
        for name, why, words in (("b-ann-2", "NotReusable", "leave spec.round out"), ("r-ann", "RoundMissing", "--round N")):
            denied = wait_for(f"{name} is denied", lambda: phase(c := world.api.get(ns, "arrivals", name)) == "Denied" and c)
            told = [c for c in denied["status"]["conditions"] if c["reason"] == why]
            assert told and words in told[0]["message"], denied["status"]
        arrive(world, ns, "bob")
        shown(world, ns, progress="1/2", phase="Waiting")
        for field, value in {"participant": "eve", "round": 1, "barrier": "other"}.items():
            refused(world.api.patch(ns, "arrivals", "b-bob", {"spec": {field: value}}, expect_ok=False), f"spec.{field} cannot be changed")


def test_an_arrival_is_counted_only_at_a_barrier_that_was_there(world):
    with world.operator(), world.namespace() as ns:
        arrive(world, ns, "early")
        old = world.api.get(ns, "arrivals", "b-early")["metadata"]["creationTimestamp"]
        newer = lambda: datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") > old
        wait_for("another second", newer)
        made = world.api.create(ns, "barriers", barrier("b", 2))
        assert made["metadata"]["creationTimestamp"] > old
        arrive(world, ns, "ann")
        shown(world, ns, progress="1/2")
        # Of a barrier's former life: its owner is another one.
        owner = {"apiVersion": "sync.konductor.io/v1", "kind": "Barrier", "name": "b", "uid": made["metadata"]["uid"]}
        owned = arrival("owned", "b", "bob")
        owned["metadata"]["ownerReferences"] = [owner]
        world.api.create(ns, "arrivals", owned)
        shown(world, ns, phase="Open", progress="2/2")
        world.api.delete(ns, "barriers", "b")
        world.api.create(ns, "barriers", barrier("b", 2))
        shown(world, ns, phase="Waiting")
        wait_for("what it owned goes with it", lambda: "owned" not in {c["metadata"]["name"] for c in world.api.list(ns, "arrivals")}, 90, 0.5)


def test_a_quorum_opens_at_once_or_at_the_timeout(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "barriers", barrier("now", 5, quorum=2))
        world.api.create(ns, "barriers", barrier("then", 5, quorum=2, quorumPolicy="AtTimeout", timeout="3s"))
        world.api.create(ns, "barriers", barrier("all", 3, quorum=2, quorumPolicy="AtTimeout", timeout="1h"))
        for name in ("now", "then", "all"):
            arrive(world, ns, "0", "1", at=name)
        assert conditions(shown(world, ns, "now", phase="Open"))["Open"]["reason"] == "QuorumReached"
        waits = shown(world, ns, "then", progress="2/5", phase="Waiting")
        assert waits["deadline"] and "quorum 2 at the timeout" in conditions(waits)["Open"]["message"], waits
        arrive(world, ns, "2", at="all")
        assert conditions(shown(world, ns, "all", phase="Open"))["Open"]["reason"] == "AllArrived"
        over = shown(world, ns, "then", phase="Open")
        assert conditions(over)["Open"]["reason"] == "QuorumAtTimeout", over
        assert conditions(over)["Open"]["message"] == "2 of 5 (quorum 2) had arrived when the timeout of 3s was over; missing: 2, 3, 4"


def test_it_fails_at_the_timeout_for_ever_and_says_why(world):
    with a_barrier(world, 3, timeout="2s") as ns:
        time.sleep(2.2)  # what is tested is the passing of time: it begins with the first arrival
        assert status(world, ns)["phase"] == "Waiting"
        began = time.monotonic()
        arrive(world, ns, "0", "2")
        seen = shown(world, ns, phase="Failed", progress="2/3", missing="1")
        assert time.monotonic() - began > 1.0, "2 s from the first arrival, which counts as made in its second"
        for which, value in (("Open", "False"), ("Failed", "True"), ("Ready", "False")):
            told = conditions(seen)[which]
            assert (told["status"], told["reason"]) == (value, "TimedOut"), told
            assert told["message"] == "2 of 3 had arrived when the timeout of 2s was over; missing: 1", told
        wait_for("the Event", lambda: any((e["type"], e["reason"]) == ("Warning", "TimedOut") for e in world.api.list(ns, "events")))
        world.kubectl("wait", "-n", ns, "--for=condition=Failed", "barrier/b", "--timeout=20s")
        arrive(world, ns, "1", "late")
        world.api.patch(ns, "barriers", "b", {"spec": {"expected": 1, "timeout": None}})
        after = wait_for("the edit was seen", lambda: (s := status(world, ns))["observedGeneration"] == 2 and s)
        assert (after["phase"], after["progress"], after["state"]) == ("Failed", "2/3", seen["state"]), after


def test_edits_while_it_waits_are_honoured(world):
    with a_barrier(world, 5) as ns:
        arrive(world, ns, "0", "1")
        shown(world, ns, progress="2/5")
        world.api.patch(ns, "barriers", "b", {"spec": {"expected": 8, "timeout": "1h"}})
        with_deadline = shown(world, ns, progress="2/8", missing="2, 3, 4, 5, 6, 7")
        world.api.patch(ns, "barriers", "b", {"spec": {"timeout": "2h"}})
        later = wait_for("the deadline moves", lambda: (s := status(world, ns))["deadline"] != with_deadline["deadline"] and s)
        moved = [datetime.datetime.fromisoformat(s["deadline"].replace("Z", "+00:00")) for s in (with_deadline, later)]
        assert moved[1] - moved[0] == datetime.timedelta(hours=1), moved
        world.api.patch(ns, "barriers", "b", {"spec": {"quorum": 2}})
        assert conditions(shown(world, ns, phase="Open"))["Open"]["reason"] == "QuorumReached"


def test_a_reusable_one_opens_round_by_round(world):
    with a_barrier(world, 2, reusable=True) as ns:
        arrive(world, ns, "0", round=1)
        arrive(world, ns, "0", "1", round=2)
        waits = shown(world, ns, phase="Waiting", round=1, openedRound=0, progress="1/2")
        assert conditions(waits)["Open"]["message"] == "round 1: 1 of 2 have arrived; waiting for 1", waits
        version = world.api.get(ns, "barriers", "b")["metadata"]["resourceVersion"]
        arrive(world, ns, "1", round=1)
        shown(world, ns, phase="Open", round=2, openedRound=2, progress="2/2")
        seen = [(s["phase"], s["round"], s["openedRound"]) for s in (e["status"] for e in events_since(world, ns, version))]
        assert seen == [("Waiting", 2, 1), ("Open", 2, 2)], f"each round is seen to open, also where the next is complete already: {seen}"
        arrive(world, ns, "1", round=4)
        shown(world, ns, phase="Open", round=2)
        arrive(world, ns, "1", round=3)
        shown(world, ns, phase="Waiting", round=3, openedRound=2, progress="1/2", missing="0")


def test_a_failed_round_is_the_last(world):
    with a_barrier(world, 2, reusable=True, timeout="2s") as ns:
        arrive(world, ns, "0", "1", round=1)
        shown(world, ns, phase="Open", openedRound=1)
        arrive(world, ns, "0", round=2)
        shown(world, ns, phase="Waiting", round=2)
        failed = shown(world, ns, phase="Failed", round=2, openedRound=1)
        arrive(world, ns, "0", "1", round=3)
        arrive(world, ns, "1", round=2)
        world.api.patch(ns, "barriers", "b", {"spec": {"timeout": "1h"}})
        after = wait_for("the edit was seen", lambda: (s := status(world, ns))["observedGeneration"] == 2 and s)
        assert (after["phase"], after["state"]) == ("Failed", failed["state"]), after


def test_a_thousand_arrivals_open_it_exactly_at_the_last(world):
    with a_barrier(world, MANY) as ns:
        create_all(world, ns, "arrivals", [arrival(f"a{i:04d}", "b", f"job/{i}") for i in range(MANY - 1)])
        # Some of them once more, as retried pods do.
        create_all(world, ns, "arrivals", [arrival(f"retry{i:04d}", "b", f"job/{i}") for i in range(0, MANY - 1, 20)])
        before = shown(world, ns, timeout=60, arrived=MANY - 1, phase="Waiting", missing=str(MANY - 1))
        assert before["openedRound"] == 0
        version = world.api.get(ns, "barriers", "b")["metadata"]["resourceVersion"]
        last = world.api.create(ns, "arrivals", arrival("last", "b", f"job/{MANY - 1}"))
        shown(world, ns, phase="Open", arrived=MANY)
        writes = [e for e in events_since(world, ns, version) if int(e["metadata"]["resourceVersion"]) > int(last["metadata"]["resourceVersion"])]
        assert [w["status"]["phase"] for w in writes] == ["Open"], f"{len(writes)} writes after the last arrival"
        assert all(phase(claim) == "" for claim in world.api.list(ns, "arrivals")), "and none of an arrival"


def events_since(world, ns, version):
    """Every state that the barrier had since, for longer than a coalesced write would wait."""
    path = f"{world.api.path(ns, 'barriers')}?watch=1&resourceVersion={version}&timeoutSeconds=3"
    done = world.kubectl("get", "--raw", path)
    return [json.loads(line)["object"] for line in done.stdout.splitlines()]


def test_a_burst_of_a_thousand_costs_few_writes(world):
    with a_barrier(world, MANY) as ns:
        version = world.api.get(ns, "barriers", "b")["metadata"]["resourceVersion"]
        began = time.monotonic()
        create_all(world, ns, "arrivals", [arrival(f"a{i:04d}", "b", f"job/{i}") for i in range(MANY)])
        shown(world, ns, timeout=60, phase="Open", arrived=MANY)
        took = time.monotonic() - began
        states = events_since(world, ns, version)
        opened = [s for s in states if s["status"]["phase"] == "Open"]
        assert len(opened) == 1, f"{len(opened)} writes since it opened"
        assert len(states) <= 5 * took + 5, f"{len(states)} writes in {took:.1f} s"
        print(f"      1,000 arrivals: {len(states)} writes in {took:.1f} s", flush=True)


def test_what_arrived_in_time_counts_although_the_operator_was_down(world):
    with world.namespace() as ns:
        world.api.create(ns, "barriers", barrier("enough", 2, timeout="2s"))
        world.api.create(ns, "barriers", barrier("late", 2, timeout="2s"))
        arrive(world, ns, "0", "1", at="enough")
        arrive(world, ns, "0", at="late")
        time.sleep(4)  # what is tested is the passing of time
        arrive(world, ns, "1", at="late")
        with world.operator():
            shown(world, ns, "enough", phase="Open", progress="2/2")
            shown(world, ns, "late", phase="Failed", progress="1/2")


def test_a_restart_keeps_count_deadline_and_verdict(world):
    with world.namespace() as ns:
        with world.operator():
            world.api.create(ns, "barriers", barrier("b", 3, timeout="6s"))
            arrive(world, ns, "0")
            before = shown(world, ns, progress="1/3", phase="Waiting")
        world.api.delete(ns, "arrivals", "b-0")
        with world.operator():
            arrive(world, ns, "1")
            again = shown(world, ns, progress="1/3", missing="0, 2")
            assert again["deadline"] == before["deadline"], "the clock does not start anew"
            failed = shown(world, ns, phase="Failed")
        arrive(world, ns, "0", "2")
        with world.operator():
            arrive(world, ns, "3")
            world.api.patch(ns, "barriers", "b", {"spec": {"expected": 1}})
            after = wait_for("it was looked at", lambda: (s := status(world, ns))["observedGeneration"] == 2 and s)
            assert (after["phase"], after["state"]) == ("Failed", failed["state"]), after


def test_kubectl_explain_has_words_for_every_field(world):
    for kind, fields in (("barrier.spec", ("expected", "timeout", "quorum", "quorumPolicy", "reusable")),
                         ("barrier.status", ("phase", "arrived", "progress", "round", "openedRound", "deadline", "missing", "conditions")),
                         ("arrival.spec", ("barrier", "participant", "round", "pod", "holder", "requestedAt")), ("arrival.status", ("participant", "phase"))):
        for field in fields:
            said = world.kubectl("explain", f"{kind}.{field}", "--api-version=sync.konductor.io/v1").stdout
            words = said.split("DESCRIPTION:", 1)[1].strip()
            assert len(words) > 10 and "<empty>" not in words[:20], f"{kind}.{field}: {said}"


def test_the_samples_are_accepted(world):
    with world.operator(), world.namespace() as ns:
        samples = ROOT / "manifests/samples"
        for file in ("barrier", "barrier-arrival", "barrier-indexed-job", "barrier-jobs", "barrier-report-job"):
            world.kubectl("apply", "-n", ns, "-f", str(samples / f"{file}.yaml"))
        shown(world, ns, "all-loaded", progress="1/10")
