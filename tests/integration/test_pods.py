"""Who is alive: a claim goes with its Pod, however the Pod goes, and not before."""
import contextlib

from harness import POOL, create_all, wait_for
from kinds import held, permit, phase, reason, semaphore


def pod(name, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [{"name": "c", "image": "none"}], **spec}}


def pod_exists(world, ns):
    wait_for("the default service account is there", lambda: world.api.list(ns, "serviceaccounts"))


def permit_of(name, pod_object, **spec):
    meta = pod_object["metadata"]
    return permit(name, "q", pod={"name": meta["name"], "uid": meta["uid"]}, **spec)


@contextlib.contextmanager
def held_by_a_pod(world, **pod_spec):
    """A semaphore of one that pod worker holds, and a claim that waits for it."""
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        pod_exists(world, ns)
        worker = world.api.create(ns, "pods", pod("worker", **pod_spec))
        world.api.create(ns, "permits", permit_of("mine", worker))
        wait_for("it holds", lambda: phase(world.api.get(ns, "permits", "mine")) == "Granted")
        world.api.create(ns, "permits", permit("next", "q"))
        wait_for("the next waits", lambda: phase(world.api.get(ns, "permits", "next")) == "Pending")
        yield ns


def goes_to_the_next(world, ns, why):
    wait_for("the next has it", lambda: phase(world.api.get(ns, "permits", "next")) == "Granted", 5)
    ended = world.api.get(ns, "permits", "mine")
    assert (phase(ended), reason(ended)) == ("Expired", why), ended["status"]


def test_a_claim_goes_with_its_deleted_pod(world):
    with held_by_a_pod(world) as ns:
        world.api.delete(ns, "pods", "worker")
        goes_to_the_next(world, ns, "PodGone")


def test_a_finished_pod_has_let_go(world):
    with held_by_a_pod(world) as ns:
        world.api.patch(ns, "pods", "worker", {"status": {"phase": "Succeeded"}}, "status")
        goes_to_the_next(world, ns, "PodFinished")


def test_an_evicted_pod_has_let_go(world):
    with held_by_a_pod(world) as ns:
        evicted = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
        world.api.patch(ns, "pods", "worker", {"status": evicted}, "status")
        goes_to_the_next(world, ns, "PodFinished")


def test_a_pod_on_a_lost_node_holds_until_somebody_says_that_it_is_dead(world):
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lost"}}
    world.api.request("POST", "/api/v1/nodes", node)
    try:
        with held_by_a_pod(world, nodeName="lost") as ns:
            world.api.patch(ns, "pods", "worker", {"status": {"phase": "Running"}}, "status")
            world.api.delete(ns, "pods", "worker")  # nobody confirms it: the kubelet does not answer
            assert world.api.get(ns, "pods", "worker")["metadata"]["deletionTimestamp"]
            # A claim that is created later and told why it waits: the operator has looked since.
            world.api.create(ns, "permits", permit("then", "q"))
            wait_for("it has looked", lambda: world.api.get(ns, "permits", "then").get("status"))
            assert phase(world.api.get(ns, "permits", "mine")) == "Granted"
            world.kubectl("delete", "pod", "worker", "-n", ns, "--force", "--grace-period=0")
            goes_to_the_next(world, ns, "PodGone")
    finally:
        world.api.request("DELETE", "/api/v1/nodes/lost")


def test_a_claim_of_a_pod_of_another_uid_is_not_served(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        pod_exists(world, ns)
        former = world.api.create(ns, "pods", pod("again"))
        world.api.request("DELETE", world.api.path(ns, "pods", "again"), {"gracePeriodSeconds": 0})
        world.api.create(ns, "pods", pod("again"))
        world.api.create(ns, "permits", permit_of("ghost", former))
        ended = wait_for("it ends", lambda: phase(c := world.api.get(ns, "permits", "ghost")) == "Expired" and c)
        assert reason(ended) == "PodGone"


def test_three_hundred_pods_force_deleted_at_once_free_all_they_held(world):
    count = 300
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", count))
        pod_exists(world, ns)
        pods = create_all(world, ns, "pods", [pod(f"w{i:03d}") for i in range(count)])
        create_all(world, ns, "permits", [permit_of(f"h{i:03d}", pods[i]) for i in range(count)])
        wait_for("all hold", lambda: held(world.api.list(ns, "permits")) == count, 60, 0.3)
        create_all(world, ns, "permits", [permit(f"n{i:03d}", "q") for i in range(count)])
        now = {"gracePeriodSeconds": 0}
        list(POOL.map(lambda i: world.api.request("DELETE", world.api.path(ns, "pods", f"w{i:03d}"), now), range(count)))

        def all_passed_on():
            claims = world.api.list(ns, "permits")
            assert held(claims) <= count
            return sum(phase(c) == "Granted" for c in claims if c["metadata"]["name"].startswith("n")) == count
        wait_for("the next hold all of it", all_passed_on, 60, 0.1)
