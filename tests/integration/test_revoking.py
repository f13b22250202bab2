"""A claim that is asked back (Revoking) by its kind: who holds hears of it at once, has a grace to stop, and gives it back in time.

A Bookshelf of the toys asks all its Loans back where its spec says `recall: GRACE`.
"""
import signal
import time

from command import LOGGING, UNTIL_TOLD, Command, is_gone, times
from credentials import Kubeconfig
from harness import wait_for
from kinds import BOOKSHELF, phase
from tcp_proxy import proxy_to
from test_hold import Hold
from test_run import never_together

KIND = {"kind": "bookshelf", "verb": "work"}
WRITE = ("--mode", "write")


def loans(world, ns):
    return world.api.list(ns, "loans")


def recall(world, ns, grace):
    """When it was asked back; not before that."""
    at = time.monotonic()
    world.api.patch(ns, "bookshelves", "b", {"spec": {"recall": grace}})
    return at


def test_hold_says_so_at_once_and_gives_back_at_three_quarters_of_the_grace(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        with Hold(world, ns, "b", *WRITE, kind="bookshelf", verb="reserve") as hold:
            wait_for("it holds", hold.is_held)
            assert hold.ready.exists()
            grace = 12
            at = recall(world, ns, f"{grace}s")
            wait_for("it is told", lambda: phase(loans(world, ns)[0]) == "Revoking", every=0.02)
            told = time.monotonic()
            wait_for("it holds no longer, for those who rely on it", lambda: hold.probe() == (503, "lost\n"), every=0.02)
            late = time.monotonic() - told
            assert late < 3 and not hold.ready.exists(), f"{late:.3f} s after the API server had it"
            assert hold.process.poll() is None and hold.probe("/healthz")[0] == 200, "they have their time to stop"
            loan, = loans(world, ns)
            assert phase(loan) == "Revoking" and loan["status"]["grace"] == f"{grace}s"
            said = hold.end(125)
            took = time.monotonic() - at
            assert took >= grace * 3 / 4, f"given back after {took:.3f} s of {grace} s"
            assert loans(world, ns) == [], "given back by itself, before the operator has taken it"
            assert "asks for it back" in said and "the shelf is recalled" in said, said
            print(f"      503 within {late * 1000:.0f} ms; given back after {took:.3f} s of {grace} s, three quarters of which are {grace * 3 / 4} s")


def test_hold_that_is_told_to_end_meanwhile_gives_back_at_once(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        with Hold(world, ns, "b", *WRITE, kind="bookshelf", verb="reserve") as hold:
            wait_for("it holds", hold.is_held)
            at = recall(world, ns, "10m")
            wait_for("it holds no longer", lambda: hold.probe()[0] == 503, every=0.02)
            hold.end(125, signal.SIGTERM)
            assert time.monotonic() - at < 60 and loans(world, ns) == []


def test_run_ends_its_command_and_gives_back(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        with Command(world, ns, "b", *WRITE, script="trap 'echo TERM > $D/heard; exit 0' TERM; " + LOGGING, **KIND) as command:
            command.wait_for("times")
            with Command(world, ns, "b", "--wait", *WRITE, script=LOGGING, **KIND) as other:
                wait_for("another waits", lambda: any(phase(c) == "Pending" for c in loans(world, ns)))
                at = recall(world, ns, "10m")
                said = command.end(125)
                assert time.monotonic() - at < 60, "its command has ended: nothing to wait for"
                assert "asks for it back: the shelf is recalled" in said and command.text("heard") == "TERM\n", said
                assert [phase(c) for c in loans(world, ns)] == ["Pending"], "given back; nobody gets it while it is recalled"
                world.api.patch(ns, "bookshelves", "b", {"spec": {"recall": None}})
                other.wait_for("times")
                never_together(command, other)


def test_run_kills_a_command_that_does_not_stop_within_its_grace_and_within_that_of_the_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        stubborn = "trap 'echo TERM > $D/heard' TERM; " + LOGGING
        for flags, grace, least, most in ((("--stop-grace", "1s"), "10m", 1, 60), ((), "8s", 5, 8)):
            with Command(world, ns, "b", "--wait", *WRITE, *flags, script=stubborn, **KIND) as command:
                pid = int(command.wait_for("pid"))
                command.wait_for("times")
                at = recall(world, ns, grace)
                wait_for("it is asked to end first", lambda: "TERM" in command.text("heard"))
                wait_for("then it is killed", lambda: is_gone(pid), 60)
                took = time.monotonic() - at
                assert least <= took <= most, f"{flags}, {grace}: after {took:.3f} s"
                assert "asks for it back" in command.end(125)
                assert loans(world, ns) == [], f"{flags}, {grace}: given back, not taken"
            world.api.patch(ns, "bookshelves", "b", {"spec": {"recall": None}})


def test_renewals_do_not_keep_what_is_asked_back(world):
    """Who does not give back loses it when the grace is over, however often it renews."""
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        world.api.create(ns, "loans", BOOKSHELF.claim("mine", "b"))
        wait_for("it is lent", lambda: phase(world.api.get(ns, "loans", "mine")) == "Granted")
        at = recall(world, ns, "3s")
        wait_for("it is asked back", lambda: phase(world.api.get(ns, "loans", "mine")) == "Revoking", every=0.02)

        def renew():
            done = world.kondctl("bookshelf", "extend", "b", "-n", ns, "--claim", "mine")
            assert done.returncode == 125, done
            return phase(world.api.get(ns, "loans", "mine")) == "Revoked"
        wait_for("it is taken", renew)
        assert time.monotonic() - at >= 3, "not before its grace was over"


def test_nothing_is_asked_back_that_is_not_recalled(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("other"))
        with Command(world, ns, "other", *WRITE, script=UNTIL_TOLD, **KIND) as command:
            command.wait_for("pid")
            with Command(world, ns, "b", *WRITE, script="exec sleep 1000", **KIND) as recalled:
                wait_for("both are lent", lambda: [phase(c) for c in loans(world, ns)] == ["Granted"] * 2)
                recall(world, ns, "30s")
                recalled.end(125)
            command.touch("go")
            command.end(0)


def test_who_is_cut_off_does_not_hear_it_and_only_the_token_protects(world):
    """As docs/guarantees.md says: it works on, at most until its own time is over."""
    ttl = 12
    script = "echo $KONDUCTOR_TOKEN > $D/token; " + LOGGING
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        with Command(world, ns, "b", *WRITE, "--ttl", f"{ttl}s", script=script, kubeconfig=Kubeconfig(world).to(proxy.url), **KIND) as command:
            command.wait_for("times")
            proxy.refuses = True
            proxy.cut()
            cut = time.time()
            recall(world, ns, "1s")
            wait_for("it is taken", lambda: [phase(c) for c in loans(world, ns)] == ["Revoked"])
            assert command.process.poll() is None and not command.text("stderr").count("asks for it back"), "it did not hear"
            world.api.patch(ns, "bookshelves", "b", {"spec": {"recall": None}})
            with Command(world, ns, "b", "--wait", *WRITE, script=script, **KIND) as other:
                other.wait_for("times")
                assert int(other.text("token")) > int(command.text("token")), "what they both write to can refuse the first"
                assert "could not be renewed" in command.end(125)
                assert times(command)[-1] < cut + ttl, "and at the end of its time it stops by itself"
