"""`kondctl KIND hold` for what runs beside it, `renew` as a single command, and the same verbs of a kind with other words."""
import contextlib
import http.client
import json
import re
import signal

from client import end_of, kondctl
from command import UNTIL_TOLD, Command
from credentials import Kubeconfig
from harness import wait_for
from kinds import BOOKSHELF, permit, phase, semaphore
from tcp_proxy import proxy_to


class Hold:
    """`kondctl KIND hold NAME` with a ready file and a probe."""

    def __init__(self, world, ns, name, *flags, kind="semaphore", verb="hold", **options):
        self.ready = world.dir / f"ready-{ns}-{name}"
        self.ready.write_text("left by an earlier life")
        self.process = world.start_kondctl(kind, verb, name, "-n", ns, "-v", "--ready-file", str(self.ready), "--probe-address", "127.0.0.1:0", *flags, **options)
        for line in self.process.stderr:
            if found := re.search(r"probes on port (\d+)", line):
                self.port = int(found.group(1))
                return
        raise AssertionError("it never said its port")

    def probe(self, path="/readyz"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def is_held(self):
        assert self.process.poll() is None, "it ended: " + self.process.stderr.read()
        return self.probe()[0] == 200

    def end(self, expect, number=None):
        if number:
            self.process.send_signal(number)
        code, out, err = end_of(self.process)
        assert code == expect, f"exit {code}, not {expect}: {err}"
        assert not self.ready.exists(), "it says no longer that it holds"
        return out + err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)


def permits(world, ns):
    return world.api.list(ns, "permits")


def test_hold_says_whether_it_holds_and_gives_back(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        taken = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "-o", "json").stdout)
        with Hold(world, ns, "q", "--wait", "-o", "json") as hold:
            wait_for("it waits", lambda: len(permits(world, ns)) == 2)
            assert hold.probe() == (503, "waiting\n") and hold.probe("/healthz")[0] == 200 and hold.probe("/")[0] == 404
            assert not hold.ready.exists()
            kondctl(world, ns, "semaphore", "release", "q", "--claim", taken["claim"])
            wait_for("it holds", hold.is_held)
            claim, = permits(world, ns)
            assert hold.ready.read_text() == claim["metadata"]["name"] + "\n" and phase(claim) == "Granted"
            said = hold.end(0, signal.SIGTERM)
            assert json.loads(said[:said.index("}") + 1])["token"] == claim["status"]["token"], said
        assert permits(world, ns) == []


def test_hold_renews_and_is_one_process_of_its_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Hold(world, ns, "q", "--ttl", "5s", "--holder", "me") as hold:
            wait_for("it holds", hold.is_held)
            kondctl(world, ns, "semaphore", "hold", "q", "--holder", "me", expect=2)
            done = world.kondctl("semaphore", "run", "q", "-n", ns, "--holder", "me", "--", "true")
            assert done.returncode == 2 and "--as SLOT" in done.stderr
            seen = set()

            def renewed():
                claim, = permits(world, ns)
                assert phase(claim) == "Granted" and hold.is_held()
                seen.add(claim["spec"].get("renewTime"))
                return len(seen) > 4
            wait_for("it is renewed again and again", renewed)
            hold.end(0, signal.SIGINT)


def test_hold_leaves_the_claim_where_it_is_told_to(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Hold(world, ns, "q", "--keep") as hold:
            wait_for("it holds", hold.is_held)
            hold.end(0, signal.SIGTERM)
        assert [phase(c) for c in permits(world, ns)] == ["Granted"]


def test_hold_ends_when_the_claim_is_lost(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Hold(world, ns, "q") as hold:
            wait_for("it holds", hold.is_held)
            world.api.delete(ns, "permits", permits(world, ns)[0]["metadata"]["name"])
            assert "the claim is lost" in hold.end(125)
        with proxy_to(world.api.host.port) as proxy:
            with Hold(world, ns, "q", "--ttl", "4s", kubeconfig=Kubeconfig(world).to(proxy.url)) as hold:
                wait_for("it holds", hold.is_held)
                proxy.refuses = True
                proxy.cut()
                wait_for("it says that it may lose it", lambda: hold.probe()[1].startswith("held, but"), every=0.02)
                assert not hold.ready.exists()
                assert [phase(c) for c in permits(world, ns)] == ["Granted"], "before the operator gives its place away"
                hold.end(125)


def test_renew_keeps_what_was_acquired(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        grant = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "--ttl", "2s", "--holder", "me", "-o", "json").stdout)
        tokens = set()

        def renew():
            renewed = json.loads(kondctl(world, ns, "semaphore", "renew", "q", "--holder", "me", "-o", "json").stdout)
            assert renewed["claim"] == grant["claim"] and renewed["uid"] == grant["uid"] and renewed["ttl"] == "2s"
            tokens.add(renewed["token"])
            return world.api.get(ns, "permits", grant["claim"])["spec"]["renewTime"]

        first = renew()
        seconds = lambda text: int(text[17:19]) + 60 * int(text[14:16])
        wait_for("more than two times to live have passed", lambda: (seconds(renew()) - seconds(first)) % 3600 > 4)
        assert tokens == {grant["token"]} and phase(world.api.get(ns, "permits", grant["claim"])) == "Granted"
        assert f"token {grant['token']}, for 2s" in kondctl(world, ns, "semaphore", "renew", "q", "--claim", grant["claim"]).stdout
        kondctl(world, ns, "semaphore", "renew", "other", "--claim", grant["claim"], expect=2)
        wait_for("unrenewed it expires", lambda: phase(world.api.get(ns, "permits", grant["claim"])) == "Expired")
        assert "is Expired" in kondctl(world, ns, "semaphore", "renew", "q", "--holder", "me", expect=125).stderr
        kondctl(world, ns, "semaphore", "renew", "q", "--holder", "you", expect=4)
        assert "--claim" in kondctl(world, ns, "semaphore", "renew", "q", expect=2).stderr
        kondctl(world, ns, "semaphore", "acquire", "q", "--holder", "one")
        world.api.create(ns, "permits", permit("two", "q"))
        wait_for("it waits", lambda: phase(world.api.get(ns, "permits", "two")) == "Pending")
        assert "still waits" in kondctl(world, ns, "semaphore", "renew", "q", "--claim", "two", expect=3).stderr


def test_a_command_may_give_back_by_itself_and_renew(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        again = f"kondctl semaphore renew $KONDUCTOR_PRIMITIVE -n $KONDUCTOR_NAMESPACE --claim $KONDUCTOR_CLAIM --plugin-dir {world.plugins} --kubeconfig {world.kubeconfig}"
        with Command(world, ns, "q", script=f"{again} > $D/out && " + UNTIL_TOLD) as command:
            command.wait_for("pid")
            assert command.text("out").startswith("renewed semaphore"), command.text("out")
            command.touch("go")
            command.end(0)


def test_a_kind_with_other_words_has_the_same(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        with Command(world, ns, "b", "--mode", "write", kind="bookshelf", verb="work", script=UNTIL_TOLD) as command:
            command.wait_for("pid")
            loan, = world.api.list(ns, "loans")
            assert loan["spec"]["mode"] == "write" and phase(loan) == "Granted"
            kondctl(world, ns, "bookshelf", "extend", "b", "--claim", loan["metadata"]["name"])
            kondctl(world, ns, "bookshelf", "reserve", "b", "--mode", "read", expect=3)
            command.touch("go")
            command.end(0)
        with Hold(world, ns, "b", "--mode", "read", kind="bookshelf", verb="reserve") as hold:
            wait_for("it holds", hold.is_held)
            hold.end(0, signal.SIGTERM)
        assert [c for c in world.api.list(ns, "loans") if phase(c) != "Denied"] == []
        assert "has no command" in kondctl(world, ns, "faucet", "run", "f", expect=2).stderr
