"""Barriers whose operator dies, or whose connection is cut, at each of its writes in turn, and whose leader changes around the
deadline: each round has one verdict, and it is the right one."""
import contextlib
import signal
import time

from harness import Operator, wait_for
from kinds import BARRIER, arrival, barrier, phase
from test_crash_at_every_write import ELECTION, STANDBY_WAYS, WAYS, History, Lane, side_by_side
from test_pods import pod, pod_exists


class BarrierHistory(History):
    """Every state of the barriers in one namespace."""

    def phases(self, name):
        return [e[2]["status"]["phase"] for e in self.events if e[2]["metadata"]["name"] == name and "status" in e[2]]


def states(lane, name):
    """What the lane's barrier of that name showed, in order, with the resourceVersion of each."""
    return [(version, made.get("status", {})) for version, kind, made in lane.barriers.events
            if made["metadata"]["name"] == name and kind != "DELETED"]


def distinct(lane, name, round_, version):
    """The participants whose arrivals for this round were there at that moment."""
    there = {}
    for at, kind, claim in lane.history.of(name):
        if at > version:
            break
        spec = claim["spec"]
        if kind == "DELETED":
            there.pop(claim["metadata"]["name"], None)
        elif phase(claim) != "Denied" and spec.get("round", 1) == round_:
            there[claim["metadata"]["name"]] = spec.get("participant") or spec["pod"]["uid"]
    return set(there.values())


def judge(lane, name, expected, reusable=False):
    """Opens each round once, at the last participant and not before, and takes nothing back."""
    verdicts, before = {}, (0, 1)
    for version, status in states(lane, name):
        if not status:
            continue
        opened, round_, kept = status["openedRound"], status["round"], status.get("state", {})
        assert (opened, round_) >= before, f"{name} went from {before} to {(opened, round_)}"
        assert opened - before[0] <= 1, f"{name}: rounds {before[0]} and {opened} in one write"
        if opened > before[0]:
            count = distinct(lane, name, opened, version)
            assert len(count) >= expected, f"{name}: round {opened} opened with {count}"
        before = (opened, round_)
        phase_ = status["phase"]
        if phase_ != "Waiting":
            verdict = (phase_, kept["arrived"], kept["reason"], kept["message"])
            assert verdicts.setdefault(round_, verdict) == verdict, f"{name}: {verdicts[round_]}, then {verdict}"
            assert status["arrived"] >= kept["arrived"], status
        elif round_ in verdicts:
            raise AssertionError(f"{name}: round {round_} was {verdicts[round_][0]} and waits again")
        assert reusable or round_ == 1, status
    return verdicts


class BarrierLane(Lane):
    """A lane that also hears what becomes of the barriers."""

    def __init__(self, world, ns, *arguments):
        pod_exists(world, ns)
        self.barriers = BarrierHistory(world, ns, "barriers")
        self.barriers.start()
        super().__init__(world, ns, *arguments)

    def close(self):
        super().close()
        self.barriers.close()

    def arrive(self, name, *participants, **spec):
        for who in participants:
            key = f"{who}-{spec['round']}" if "round" in spec else who
            self.ask(name, key, participant=who, **spec)

    def until_barrier(self, name, **wanted):
        def right():
            seen = states(self, name)
            return seen and all(seen[-1][1].get(key) == value for key, value in wanted.items())
        self.until(f"{name} shows {wanted}", right)


def once_run(lane, name):
    """Opens at the third participant, one of whom came twice; edits and deletions do not take it back."""
    lane.api.create(lane.ns, "barriers", barrier(name, 3))
    lane.until_barrier(name, phase="Waiting", arrived=0)
    lane.arrive(name, "a", "b")
    lane.ask(name, "again", participant="a")
    lane.until_barrier(name, arrived=2, phase="Waiting")
    lane.arrive(name, "c")
    lane.until_barrier(name, phase="Open", arrived=3)
    lane.release(name, ("a", "b", "c", "again"))
    lane.until_gone(name, 4)
    lane.api.patch(lane.ns, "barriers", name, {"spec": {"expected": 9}})
    lane.until_barrier(name, observedGeneration=2)
    assert list(judge(lane, name, 3).values()) == [("Open", 3, "AllArrived", "3 of 3 have arrived")]


def rounds_run(lane, name):
    """Two rounds, the second complete before the first; one arrival that is denied; then a round that fails."""
    lane.api.create(lane.ns, "barriers", barrier(name, 2, reusable=True))
    lane.arrive(name, "a", "b", round=2)
    lane.arrive(name, "a", round=1)
    lane.ask(name, "lost", participant="lost")
    lane.until_phase(name, ("lost",), "Denied")
    lane.until_barrier(name, arrived=1, round=1, phase="Waiting")
    lane.arrive(name, "b", round=1)
    lane.until_barrier(name, phase="Open", openedRound=2)
    lane.api.patch(lane.ns, "barriers", name, {"spec": {"timeout": "1s"}})
    lane.arrive(name, "a", round=3)
    lane.until_barrier(name, phase="Failed", openedRound=2, round=3)
    lane.arrive(name, "b", round=3)
    lane.api.patch(lane.ns, "barriers", name, {"spec": {"timeout": "1h"}})
    lane.until_barrier(name, observedGeneration=3)
    verdicts = judge(lane, name, 2, reusable=True)
    assert verdicts[2][:2] == ("Open", 2) and verdicts[3][:3] == ("Failed", 1, "TimedOut"), verdicts
    # Round 1 opened in a write that showed round 2 as waiting already.
    assert [s["openedRound"] for _, s in states(lane, name) if s.get("round") == 2][0] == 1


def pods_run(lane, name):
    """The operator finds out who the Pods are, and writes it down before it counts them; one of them goes meanwhile."""
    pods = [lane.api.create(lane.ns, "pods", pod(f"{name}-{number}"))["metadata"] for number in range(3)]
    of = lambda number: {"name": pods[number]["name"], "uid": pods[number]["uid"]}
    lane.api.create(lane.ns, "barriers", barrier(name, 3))
    for claim, number in (("a", 0), ("b", 1), ("again", 0)):
        lane.ask(name, claim, pod=of(number))
    lane.until_barrier(name, arrived=2, phase="Waiting")
    known = lambda: {claim["metadata"]["name"] for _, _, claim in lane.history.of(name) if claim.get("status", {}).get("participant")}
    lane.until("it is known who they are", lambda: len(known()) == 3)
    lane.api.request("DELETE", lane.api.path(lane.ns, "pods", pods[0]["name"]), {"gracePeriodSeconds": 0})
    lane.ask(name, "later", pod=of(0))  # another container, whose Pod is gone when it is looked for
    lane.ask(name, "c", pod=of(2))
    lane.until_barrier(name, phase="Open", arrived=3)
    assert [verdict[:2] for verdict in judge(lane, name, 3).values()] == [("Open", 3)]


def takeover_run(lane, name):
    """A short one, as each of its runs costs a takeover."""
    lane.api.create(lane.ns, "barriers", barrier(name, 2))
    lane.arrive(name, "a")
    lane.until_barrier(name, arrived=1, phase="Waiting")
    lane.arrive(name, "b")
    lane.until_barrier(name, phase="Open", arrived=2)
    assert list(judge(lane, name, 2).values()) == [("Open", 2, "AllArrived", "2 of 2 have arrived")]


def lane_of(run, name, ways, standby=False):
    return (BARRIER, "barrier.so", run, name, ways, standby, BarrierLane)


def test_a_barrier_opens_once_wherever_its_operator_or_its_connection_dies(world):
    side_by_side(world, lane_of(once_run, "barrier", WAYS))


def test_pods_are_counted_as_who_they_are_wherever_the_operator_or_its_connection_dies(world):
    side_by_side(world, lane_of(pods_run, "barrier-pods", WAYS))


def test_rounds_open_and_fail_once_wherever_the_operator_or_its_connection_dies(world):
    side_by_side(world, lane_of(rounds_run, "barrier-rounds", WAYS))


def test_a_barrier_opens_once_wherever_the_leader_dies(world):
    side_by_side(world, lane_of(takeover_run, "barrier-standby", STANDBY_WAYS, True))


def test_changes_of_the_leader_around_the_deadline_give_one_verdict(world):
    """Every other barrier gets its last arrival just before its deadline; the leader is killed or stopped around it."""
    flags = lambda ns, number: (*ELECTION, "--leader-elect-namespace", ns, "--identity", f"op-{number}")
    with world.namespace() as ns, contextlib.closing(BarrierHistory(world, ns, "barriers")) as history:
        history.start()
        replicas = [Operator(world, *flags(ns, number)).start() for number in range(2)]
        try:
            for round_, how in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP)):
                names = [f"b{round_}-{number}" for number in range(4)]
                for name in names:
                    world.api.create(ns, "barriers", barrier(name, 2, timeout="4s"))
                    world.api.create(ns, "arrivals", arrival(f"{name}-a", name, "a"))
                began = time.monotonic()
                lock = world.api.request("GET", f"/apis/coordination.k8s.io/v1/namespaces/{ns}/leases/konductor")
                leader = replicas[int(lock["spec"]["holderIdentity"][-1])]
                time.sleep(max(0.0, 2.0 + round_ * 0.7 - (time.monotonic() - began)))  # at several times around the deadline
                for name in names[::2]:
                    world.api.create(ns, "arrivals", arrival(f"{name}-b", name, "b"))
                if how == signal.SIGSTOP:
                    leader.process.send_signal(how)
                else:
                    leader.kill(how)
                    leader.start(ready=False)
                for name in names:
                    wait_for(f"{name} has its verdict", lambda: history.phases(name)[-1:] in (["Open"], ["Failed"]), 30)
                if how == signal.SIGSTOP:
                    leader.process.send_signal(signal.SIGCONT)
                for name in names:
                    # One that arrives too late tempts whoever looks only at the present.
                    world.api.create(ns, "arrivals", arrival(f"{name}-late", name, "late"))
                    world.api.patch(ns, "barriers", name, {"spec": {"timeout": "1h"}})
                for name in names:
                    wait_for("the edit was seen", lambda: world.api.get(ns, "barriers", name)["status"]["observedGeneration"] == 2)
            for name in {e[2]["metadata"]["name"] for e in history.events}:
                seen = history.phases(name)
                ends = [p for p in seen if p != "Waiting"]
                assert len(set(ends)) == 1 and seen == ["Waiting"] * (len(seen) - len(ends)) + ends, f"{name}: {seen}"
                if name[-1] in "13":
                    assert ends[0] == "Failed", f"{name}: only one arrived in time"
        finally:
            for replica in replicas:
                replica.process.send_signal(signal.SIGCONT)
                replica.kill()
