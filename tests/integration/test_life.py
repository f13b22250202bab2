"""Who holds, and for how long."""
import time

from harness import wait_for
from kinds import HOLDING, permit, phase, reason, semaphore


def test_a_silent_holder_is_released_when_its_ttl_has_passed_and_not_before(world):
    with world.operator(), world.namespace() as ns:
        for kind in HOLDING:
            world.api.create(ns, kind.plural, kind.primitive("q"))
            world.api.create(ns, kind.claim_plural, kind.claim("silent", "q", ttl="2s"))
            wait_for("it holds", lambda: phase(world.api.get(ns, kind.claim_plural, "silent")) == "Granted", every=0.01)
            began = time.monotonic()
            ended = wait_for("it expires", lambda: phase(c := world.api.get(ns, kind.claim_plural, "silent")) == "Expired" and c, every=0.01)
            took = time.monotonic() - began
            assert took > 1.9, f"expired after {took:.2f} s of 2 s"
            assert reason(ended) == "TTLExpired"


def test_a_renewal_holds_on(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.api.create(ns, "permits", permit("busy", "q", ttl="2s"))
        wait_for("it holds", lambda: phase(world.api.get(ns, "permits", "busy")) == "Granted")
        until, count = time.monotonic() + 5, 0
        while time.monotonic() < until:
            count += 1
            world.api.patch(ns, "permits", "busy", {"spec": {"renewTime": f"2026-01-01T00:00:{count:02d}.000000Z"}})
            assert phase(world.api.get(ns, "permits", "busy")) == "Granted"
            time.sleep(0.5)  # what is tested is the passing of time
        wait_for("without renewals it expires", lambda: phase(world.api.get(ns, "permits", "busy")) == "Expired")


def test_the_primitives_ttl_is_the_default_and_the_upper_bound(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3, ttl="1h"))
        world.api.create(ns, "permits", permit("none", "q"))
        world.api.create(ns, "permits", permit("long", "q", ttl="5h"))
        world.api.create(ns, "permits", permit("short", "q", ttl="1m"))
        for name, ttl in (("none", "1h"), ("long", "1h"), ("short", "1m")):
            claim = wait_for("granted", lambda: phase(c := world.api.get(ns, "permits", name)) == "Granted" and c)
            assert claim["status"]["ttl"] == ttl, claim["status"]


def test_a_claim_that_will_not_wait_is_denied(world):
    with world.operator(), world.namespace() as ns:
        for kind in HOLDING:
            world.api.create(ns, kind.plural, kind.primitive("q"))
            world.api.create(ns, kind.claim_plural, kind.claim("first", "q"))
            wait_for("the first holds", lambda: phase(world.api.get(ns, kind.claim_plural, "first")) == "Granted")
            world.api.create(ns, kind.claim_plural, kind.claim("hasty", "q", wait=False))
            denied = wait_for("it is denied", lambda: phase(c := world.api.get(ns, kind.claim_plural, "hasty")) == "Denied" and c)
            assert reason(denied) == "Unavailable"


def test_kubectl_alone_is_enough(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.kubectl("wait", "-n", ns, "--for=condition=Ready", "semaphore/q", "--timeout=20s")
        world.api.create(ns, "permits", permit("p", "q"))
        world.kubectl("wait", "-n", ns, "--for=condition=Granted", "permit/p", "--timeout=20s")
        row = world.kubectl("get", "sem", "q", "-n", ns).stdout.splitlines()
        assert row[0].split()[:6] == ["NAME", "PERMITS", "IN-USE", "AVAILABLE", "WAITING", "PHASE"], row
        assert row[1].split()[:6] == ["q", "1", "1", "0", "0", "Ready"], row
        assert "p" in world.kubectl("get", "permits", "-n", ns, "--field-selector", "spec.semaphore=q,status.phase=Granted", "-o", "name").stdout
