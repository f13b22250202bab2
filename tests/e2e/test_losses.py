"""A permit that is being lost stops its work before anybody else works: kondctl frozen, the API server gone."""
import signal
import time

from harness import wait_for
from kinds import phase, semaphore
from node import AT_WORK, Log, exit_code, is_finished, pod, processes, run, send, span, state, times
from runner import alone, say


def test_a_frozen_kondctl_does_not_leave_its_command_at_work(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "pods", pod("frozen", [run(AT_WORK, "--ttl=5s")]))
        frozen = world.wait_for_pod(ns, "frozen", "works", lambda one: state(one) == "running" and times(world.logs(ns, "frozen")))
        world.api.create(ns, "pods", pod("next", [run(AT_WORK, "--wait")]))
        wait_for("the next waits", lambda: any(phase(one) == "Pending" for one in world.api.list(ns, "permits")), 60)
        kondctl = processes(frozen, name="kondctl")
        assert len(kondctl) == 1 and processes(frozen, name="run-guard"), "kondctl alone is frozen, not its guard"
        send(signal.SIGSTOP, kondctl)
        try:
            wait_for("the next works", lambda: times(world.logs(ns, "next")), 60)
        finally:
            send(signal.SIGCONT, kondctl)
        frozen = world.wait_for_pod(ns, "frozen", "has ended", is_finished)
        assert exit_code(frozen) == 125, world.describe(ns)
        earlier, later = times(world.logs(ns, "frozen")), times(world.logs(ns, "next"))
        assert earlier[-1] < later[0], f"together for {(earlier[-1] - later[0]) / 1e9:.3f} s"
        say(f"      the command of the frozen one stopped {(later[0] - earlier[-1]) / 1e9:.1f} s before the next began")
        assert state(world.api.get(ns, "pods", "next")) == "running", "it is left alone"


OUTAGE = 20  # s


@alone
def test_an_outage_of_the_api_server_stops_only_whose_ttl_it_outlasts(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("long", 1, ttl="10m"))
        world.api.create(ns, "semaphores", semaphore("short", 1, ttl="10m"))
        limits = {"long": 60, "short": 8}
        for name, ttl in limits.items():
            world.api.create(ns, "pods", pod(name, [run(AT_WORK, f"--ttl={ttl}s", semaphore=name)]))
        pods = {name: world.wait_for_pod(ns, name, "works", lambda one: state(one) == "running") for name in limits}
        with Log(world, ns, "long") as long, Log(world, ns, "short") as short:
            for log in (long, short):
                wait_for("it works", log.times)
            world.control("pause", "apiserver")
            paused = log_time()
            try:
                wait_for("the short one's command is stopped", lambda: not processes(pods["short"]), limits["short"] + 10)
                wait_for("the outage is over", lambda: log_time() - paused > OUTAGE * 10**9, OUTAGE + 10)
                assert processes(pods["long"], name="kondctl"), "the long one works on"
            finally:
                world.control("resume", "apiserver")
            resumed = log_time()
            ended = world.wait_for_pod(ns, "short", "has ended", is_finished)
            assert exit_code(ended) == 125, world.describe(ns)
            last = times(world.logs(ns, "short"))[-1]
            # It was renewed for the last time before the pause.
            assert last < paused + limits["short"] * 10**9, f"at work {(last - paused) / 1e9:.1f} s after the API server went"
            say(f"      TTL {limits['short']} s: stopped {(last - paused) / 1e9:.1f} s after the API server went")
        seen = wait_for("the long one's log goes on", lambda: (now := times(world.logs(ns, "long"))) and now[-1] > resumed and now)
        gap = max(after - before for before, after in zip(seen, seen[1:]))
        began, until = span(seen)
        assert began < paused and until > resumed and gap < 5 * 10**9, f"the longest pause in it took {gap / 1e9:.1f} s"
        one = world.api.get(ns, "pods", "long")
        claim, = [claim for claim in world.api.list(ns, "permits") if claim["spec"]["holder"] == "long"]
        assert state(one) == "running" and phase(claim) == "Granted"


def log_time():
    """Now, by the clock that the pods have, too."""
    return time.time_ns()
