"""Barriers and Jobs: retried pods are the participants that they were, whatever becomes of pods and operator meanwhile."""
import time

from harness import Operator, create_all, wait_for
from kinds import arrival, barrier, phase
from test_barrier import conditions, shown, status
from test_participants import index_of, job, kill, pods_of
from test_pods import pod, pod_exists


def of_pod(name, pod_object, at="b", **spec):
    meta = pod_object["metadata"]
    return arrival(name, at, pod={"name": meta["name"], "uid": meta["uid"]}, **spec)


def arrive_by(world, ns, pods, at="b"):
    create_all(world, ns, "arrivals", [of_pod(f"{at}-{p['metadata']['name']}", p, at) for p in pods])


def test_an_indexed_job_of_ten_of_which_three_are_retried_opens_at_ten_participants(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "barriers", barrier("b", 10, timeout="10m"))
        pod_exists(world, ns)
        job(world, ns, "train", completions=10, parallelism=10, completionMode="Indexed", backoffLimitPerIndex=3)  # so that each index is retried by itself, after 10 s
        pods = sorted(pods_of(world, ns, "train", 10), key=index_of)
        arrive_by(world, ns, pods[:7])
        shown(world, ns, progress="7/10", missing="7, 8, 9")
        for one in pods[:3]:
            kill(world, ns, one)
        retried = pods_of(world, ns, "train", 3, [p["metadata"]["uid"] for p in pods])
        assert sorted(map(index_of, retried)) == ["0", "1", "2"]
        arrive_by(world, ns, retried)
        wait_for("it is known who they are", lambda: sum("participant" in c.get("status", {}) for c in world.api.list(ns, "arrivals")) == 10)
        seen = shown(world, ns, progress="7/10", missing="7, 8, 9")
        assert seen["phase"] == "Waiting", "ten pods have arrived, of seven participants"
        arrive_by(world, ns, pods[7:9])
        assert shown(world, ns, progress="9/10")["phase"] == "Waiting"
        arrive_by(world, ns, pods[9:])
        shown(world, ns, phase="Open", progress="10/10")


def test_two_indexed_jobs_share_a_barrier_and_bare_pods_are_doubted(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "barriers", barrier("b", 5))
        pod_exists(world, ns)
        for name in ("left", "right"):
            job(world, ns, name, completions=2, parallelism=2, completionMode="Indexed")
            arrive_by(world, ns, pods_of(world, ns, name, 2))
        seen = shown(world, ns, progress="4/5")
        assert "missing" not in seen, "of two Jobs nobody knows who is missing"
        world.api.create(ns, "arrivals", of_pod("bare", world.api.create(ns, "pods", pod("bare"))))
        shown(world, ns, phase="Open")
        doubted = conditions(world.api.get(ns, "arrivals", "bare")["status"])["Participant"]
        assert doubted["reason"] == "PodIsParticipant" and "--participant" in doubted["message"], doubted


def test_pods_that_arrived_in_time_count_although_nobody_looked_until_later(world):
    """The operator learns of all at once, after the deadline, and must ask for each who it is."""
    with world.namespace() as ns:
        pod_exists(world, ns)
        world.api.create(ns, "barriers", barrier("b", 6, timeout="3s"))
        job(world, ns, "train", completions=6, parallelism=6, completionMode="Indexed")
        arrive_by(world, ns, pods_of(world, ns, "train", 6))
        time.sleep(5)  # what is tested is the passing of time
        with world.operator():
            seen = wait_for("a verdict", lambda: (s := status(world, ns)).get("phase") in ("Open", "Failed") and s)
            assert (seen["phase"], seen["progress"]) == ("Open", "6/6"), seen


def test_a_participant_is_the_same_for_the_next_operator_although_its_pod_is_gone(world):
    with world.namespace() as ns:
        pod_exists(world, ns)
        world.api.create(ns, "barriers", barrier("b", 3))
        job(world, ns, "once", backoffLimit=9)
        first = pods_of(world, ns, "once", 1)[0]
        operator = Operator(world).start()
        try:
            arrive_by(world, ns, [first])
            shown(world, ns, progress="1/3")
            operator.kill()
            kill(world, ns, first)
            again = pods_of(world, ns, "once", 1, [first["metadata"]["uid"]])
            arrive_by(world, ns, again)
            operator.start()
            wait_for("it is known who that is", lambda: all("participant" in c.get("status", {}) for c in world.api.list(ns, "arrivals")))
            world.api.create(ns, "arrivals", arrival("ann", "b", "ann"))
            assert shown(world, ns, progress="2/3")["phase"] == "Waiting", "two pods of one Job, and ann"
            assert all(phase(claim) == "" for claim in world.api.list(ns, "arrivals"))
        finally:
            operator.kill()
