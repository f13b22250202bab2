"""However a pod ends, the next one gets its permit: within a second, and not before."""
import contextlib

from harness import wait_for
from kinds import phase, semaphore
from node import (AT_WORK, BRIEFLY, Log, acquire, container, exit_code, is_finished, kill, most_granted, pod, restarts, run, script, span, state,
                  status_of, times)
from runner import alone, say
from stage import most_at_once
from transitions import History

SOON = 1.0  # s


@contextlib.contextmanager
def watched(world, ns, plural):
    history = History(world, ns, plural)
    history.start()
    try:
        yield history
    finally:
        history.close()


class Pair(contextlib.ExitStack):
    """A semaphore of one, pod `holder` that works, and pod `next` that waits; and what happens to pods and permits."""

    def __init__(self, world, holder, wrap=lambda pod: ("pods", pod)):
        super().__init__()
        self.world, self.ns = world, self.enter_context(world.namespace())
        world.api.create(self.ns, "semaphores", semaphore("q", 1, ttl="10m"))
        self.pods, self.permits = (self.enter_context(watched(world, self.ns, plural)) for plural in ("pods", "permits"))
        world.api.create(self.ns, *wrap(holder))

    def holds(self):
        wait_for("the holder holds", lambda: any(phase(one) == "Granted" for one in self.world.api.list(self.ns, "permits")), 90)
        running = lambda: next((one for one in self.world.pods(self.ns, app="holder") if state(one) == "running"), None)
        self.holder = wait_for("the holder works", running, 90)
        self.world.api.create(self.ns, "pods", pod("next", [script(BRIEFLY)], [acquire("acquire", "--wait")]))

    def waits(self):
        wait_for("the next waits", lambda: any(phase(one) == "Pending" for one in self.world.api.list(self.ns, "permits")), 90)

    @staticmethod
    def first(history, what, condition):
        """resourceVersion and time of the first event of which this is true."""
        def found():
            return next(((version, history.heard[version]) for version, kind, one in list(history.events) if condition(kind, one)), None)
        assert history.wait(found, 60), f"not within 60 s: {what}"
        return found()

    def judge(self):
        """All resourceVersions are of one etcd, so they tell the order of what happened to pods and permits."""
        uid = self.holder["metadata"]["uid"]
        ended = self.first(self.pods, "the holder has ended",
                           lambda kind, one: one["metadata"]["uid"] == uid and (kind == "DELETED" or is_finished(one)))
        granted = self.first(self.permits, "the next is granted",
                             lambda kind, one: one["spec"]["holder"] == "next" and phase(one) == "Granted")
        return ended, granted


def as_job(one):
    template = {"metadata": {"labels": one["metadata"]["labels"]}, "spec": one["spec"]}
    return "jobs", {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": {"backoffLimit": 0, "template": template}}


@alone
def test_the_next_is_served_when_the_holders_pod_has_ended(world):
    waiting = pod("holder", [script(AT_WORK)], [acquire()])
    under_run = pod("holder", [run(AT_WORK)])
    ends = {  # who holds, and how that ends
        "pod deleted": (waiting, lambda pair: world.api.delete(pair.ns, "pods", "holder")),
        "pod finished": (waiting, lambda pair: kill(pair.holder)),
        "kondctl killed": (under_run, lambda pair: kill(pair.holder, name="kondctl")),
        "pod force-deleted": (waiting, lambda pair: world.kubectl("-n", pair.ns, "delete", "pod", "holder", "--force", "--grace-period=0")),
        "Job deleted": (waiting, lambda pair: world.api.delete(pair.ns, "jobs", "work")),
    }
    with contextlib.ExitStack() as stack:
        pairs = {how: stack.enter_context(Pair(world, holder, *([as_job] if how == "Job deleted" else []))) for how, (holder, _) in ends.items()}
        for step in (Pair.holds, Pair.waits):
            for pair in pairs.values():
                step(pair)
        for how, pair in pairs.items():
            assert phase(next(one for one in world.api.list(pair.ns, "permits") if one["spec"]["holder"] == "next")) == "Pending", how
            ends[how][1](pair)
            (ended, ended_at), (granted, granted_at) = pair.judge()
            say(f"      {how}: the next holds {1000 * (granted_at - ended_at):.0f} ms after the holder's pod is finished or gone")
            assert granted > ended, f"{how}: granted at {granted}, and the pod had ended at {ended}"
            assert granted_at - ended_at <= SOON, f"{how}: {granted_at - ended_at:.3f} s"
            assert most_granted(pair.permits) == 1, how


@alone
def test_a_namespace_goes_with_all_that_held_and_waited_and_the_next_of_its_name_starts_anew(world):
    with Pair(world, pod("holder", [script(AT_WORK)], [acquire()])) as gone, Pair(world, pod("holder", [run(AT_WORK)])) as other:
        for step in (Pair.holds, Pair.waits):
            step(gone)
            step(other)
        token = max(one["status"]["token"] for one in world.api.list(gone.ns, "permits") if phase(one) == "Granted")
        world.api.delete("", "namespaces", gone.ns)
        wait_for("the namespace is gone", lambda: world.api.request("GET", f"/api/v1/namespaces/{gone.ns}", expect_ok=False)[0] == 404, 60)
        assert most_granted(gone.permits) == 1
        assert sorted(phase(one) for one in world.api.list(other.ns, "permits")) == ["Granted", "Pending"], "another one's are as they were"
        world.api.create("", "namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": gone.ns}})
        world.api.create(gone.ns, "semaphores", semaphore("q", 1))
        assert world.kondctl("semaphore", "acquire", "q", "-n", gone.ns, "--holder", "new", "--timeout", "20s", check=True)
        assert max(one["status"]["token"] for one in world.api.list(gone.ns, "permits")) > token


def test_what_an_init_container_acquired_is_free_when_its_ttl_is_over_also_while_main_works(world):
    """The examples' README says so, in bold: nobody renews it."""
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "pods", pod("holder", [script(AT_WORK)], [acquire("acquire", "--ttl=5s")]))
        world.wait_for_pod(ns, "holder", "works", lambda one: state(one) == "running" and times(world.logs(ns, "holder")))
        world.api.create(ns, "pods", pod("next", [script(BRIEFLY)], [acquire("acquire", "--wait")]))
        assert exit_code(world.wait_for_pod(ns, "next", "is done", is_finished)) == 0
        assert state(world.api.get(ns, "pods", "holder")) == "running"
        spans = [span(times(world.logs(ns, one))) for one in ("holder", "next")]
        assert most_at_once(spans) == 2, spans


# ---- a container that is killed and starts again in its pod

# The first life works until it is killed; the second one comes to an end.
TWO_LIVES = f"if [ -e /state/once ]; then {BRIEFLY}; else touch /state/once; {AT_WORK}; fi"
STATE = {"volumeMounts": [{"name": "state", "mountPath": "/state"}]}
READY = {"httpGet": {"path": "/readyz", "port": 8085}, "periodSeconds": 1}
HOLD = container("hold", "kondctl", "semaphore", "hold", "q", "--ttl=60s", "--probe-address=:8085", restartPolicy="Always",
                 startupProbe={**READY, "failureThreshold": 600})


def killed(world, containers, init, what, name, lives):
    """Of pod `holder` container `what` is killed by -9; `lives` of main were at work. Same claim, one permit, and the next one in turn."""
    holder = pod("holder", containers, init, restart="OnFailure", volumes=[{"name": "state", "emptyDir": {}}])
    with Pair(world, holder) as pair:
        pair.holds()
        pair.waits()
        wait_for("it works", lambda: times(world.logs(pair.ns, "holder")))
        with Log(world, pair.ns, "holder") as log:
            kill(pair.holder, what, name)
            again = world.wait_for_pod(pair.ns, "holder", f"has a restarted {what}", lambda one: restarts(one, what) == 1)
            if lives == 1:
                world.wait_for_pod(pair.ns, "holder", f"has a ready {what}", lambda one: status_of(one, what).get("started"))
                assert restarts(again) == 0 and log.process.poll() is None, "main is left alone"
                kill(pair.holder)
            spans = [span(log.all_times())]
        world.wait_for_pod(pair.ns, "holder", "is done", is_finished)
        world.wait_for_pod(pair.ns, "next", "is done", is_finished)
        spans += [span(times(world.logs(pair.ns, one))) for one in ("holder", "next")]
        assert len(spans) == 3 and most_at_once(spans) == 1, spans
        claims = {one["metadata"]["uid"] for _, _, one in pair.permits.events if one["spec"]["holder"] == "holder"}
        tokens = {one["status"]["token"] for _, _, one in pair.permits.events if one["spec"]["holder"] == "holder" and phase(one) == "Granted"}
        assert len(claims) == len(tokens) == most_granted(pair.permits) == 1, (claims, tokens)


def test_a_killed_main_behind_an_init_container_has_its_permit_still(world):
    killed(world, [script(TWO_LIVES, **STATE)], [acquire()], "main", "", lives=2)


def test_a_killed_kondctl_run_starts_its_command_again_with_the_same_permit(world):
    killed(world, [run(TWO_LIVES, **STATE)], [], "main", "kondctl", lives=2)


def test_a_killed_main_beside_a_sidecar_has_its_permit_still(world):
    killed(world, [script(TWO_LIVES, **STATE)], [HOLD], "main", "", lives=2)


def test_a_killed_sidecar_finds_its_permit_again(world):
    killed(world, [script(TWO_LIVES, livenessProbe={**READY, "failureThreshold": 5}, **STATE)], [HOLD], "hold", "kondctl", lives=1)


# ---- two containers of one pod


def test_two_containers_of_one_pod_never_share_a_permit(world):
    with world.namespace() as ns, watched(world, ns, "permits") as permits:
        world.api.create(ns, "semaphores", semaphore("q", 2))
        world.api.create(ns, "pods", pod("same", [run(AT_WORK, "--wait", name="a"), run(AT_WORK, "--wait", name="b")]))
        same = world.wait_for_pod(ns, "same", "has one that is refused", lambda one: 2 in (exit_code(one, "a"), exit_code(one, "b")))
        refused, other = ("a", "b") if exit_code(same, "a") == 2 else ("b", "a")
        said = world.logs(ns, "same", refused)
        assert "in use by another process" in said and "--as SLOT" in said and not times(said), said
        wait_for("the other one works", lambda: times(world.logs(ns, "same", other)), 60)
        assert state(world.api.get(ns, "pods", "same"), other) == "running" and most_granted(permits) == 1
        world.api.delete(ns, "pods", "same")
        wait_for("its permit is free", lambda: not [one for one in world.api.list(ns, "permits") if phase(one) == "Granted"], 60)
        world.api.create(ns, "pods", pod("slots", [run(AT_WORK, "--wait", name="a"), run(AT_WORK, "--wait", "--as=b", name="b")]))
        wait_for("both work", lambda: all(times(world.logs(ns, "slots", name)) for name in ("a", "b")), 60)
        assert [phase(claim) for claim in world.api.list(ns, "permits")].count("Granted") == 2, "with a permit each"
