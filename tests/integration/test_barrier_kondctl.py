"""kondctl and barriers: arriving, waiting, and every way in which that can go wrong."""
import json
import re
import time

from client import end_of, kondctl
from harness import wait_for
from kinds import barrier
from test_barrier import a_barrier, arrive, shown, status


def start(world, ns, *arguments, **options):
    return world.start_kondctl("barrier", *arguments, "-n", ns, **options)


def arrivals(world, ns):
    return world.api.list(ns, "arrivals")


def test_the_first_example_of_the_documentation(world):
    with a_barrier(world, 2) as ns:
        waits = start(world, ns, "wait", "b")
        assert "b" in kondctl(world, ns, "barrier", "arrive", "b", "--participant", "ann").stdout
        shown(world, ns, progress="1/2")
        assert waits.poll() is None
        kondctl(world, ns, "barrier", "arrive", "b", "--participant", "bob", "--wait")
        code, out, err = end_of(waits)
        assert code == 0 and "2 of 2 have arrived" in out, f"{code}: {out}{err}"
        late = json.loads(kondctl(world, ns, "barrier", "arrive", "b", "--participant", "late", "--wait", "-o", "json").stdout)
        assert late["served"] and late["phase"] == "Open", late


def test_status_says_who_is_missing(world):
    with a_barrier(world, 9, timeout="1h") as ns:
        arrive(world, ns, *(str(i) for i in range(9) if i not in (3, 7)))
        shown(world, ns, progress="7/9")
        for words in (("barrier", "status", "b"), ("status", "barrier", "b")):
            text = kondctl(world, ns, *words).stdout
            assert "7 of 9 have arrived; waiting for 3, 7" in text, text
        assert re.search(r"\bb\s+7/9\s+Waiting\s+20\d\d-", kondctl(world, ns, "barrier", "list").stdout)


def test_arriving_twice_counts_once_and_as_another_counts_again(world):
    with a_barrier(world, 5) as ns:
        say = lambda *flags, **options: json.loads(kondctl(world, ns, "barrier", "arrive", "b", "-o", "json", *flags, **options).stdout)
        first = say("--participant", "ann")
        assert say("--participant", "ann", "--holder", "elsewhere")["uid"] == first["uid"]
        assert say(env={"KONDUCTOR_PARTICIPANT": "ann"})["uid"] == first["uid"]
        assert say("--participant", "bob")["uid"] != first["uid"]
        shown(world, ns, progress="2/5")
        owner = arrivals(world, ns)[0]["metadata"]["ownerReferences"]
        assert [o["kind"] for o in owner] == ["Barrier"], "it goes with the Barrier"


def test_a_failed_barrier_is_its_own_clear_message(world):
    with a_barrier(world, 3, timeout="3s") as ns:
        waits = [start(world, ns, "wait", "b"), start(world, ns, "arrive", "b", "--participant", "0", "--wait")]
        for process in waits:
            code, out, err = end_of(process)
            assert code == 5 and "1 of 3 had arrived when the timeout of 3s was over; missing: 1, 2" in err, f"{code}: {out}{err}"
        for flags in ((), ("--wait",)):
            said = kondctl(world, ns, "barrier", "arrive", "b", "--participant", "late", *flags, expect=5).stderr
            assert "1 of 3 had arrived when the timeout of 3s was over" in said, said
        kondctl(world, ns, "barrier", "wait", "b", expect=5)
        assert len(arrivals(world, ns)) == 1, "nobody arrives at what has failed"


def test_a_missing_barrier_is_waited_for_until_the_timeout(world):
    with world.operator(), world.namespace() as ns:
        kondctl(world, ns, "barrier", "arrive", "b", "--participant", "ann", expect=4)
        kondctl(world, ns, "barrier", "arrive", "b", "--participant", "ann", "--wait", "--timeout", "1s", expect=124)
        kondctl(world, ns, "barrier", "wait", "b", "--timeout", "1s", expect=124)
        assert not arrivals(world, ns)
        early = start(world, ns, "arrive", "b", "--participant", "ann", "--wait")
        world.api.create(ns, "barriers", barrier("b", 1))
        assert end_of(early)[0] == 0
        shown(world, ns, phase="Open", progress="1/1")


def test_all_who_wait_end_when_it_is_deleted(world):
    with a_barrier(world, 99) as ns:
        waits = [start(world, ns, "arrive", "b", "--participant", f"p{i}", "--wait") for i in range(10)]
        waits += [start(world, ns, "wait", "b", "--timeout", "1m") for _ in range(10)]
        shown(world, ns, progress="10/99")
        began = time.monotonic()
        world.api.delete(ns, "barriers", "b")
        codes = [end_of(process)[0] for process in waits]
        assert codes == [4] * 20 and time.monotonic() - began < 10, codes


def test_a_thousand_who_wait_end_when_it_is_deleted(world):
    with a_barrier(world, 1001) as ns:
        waits = [world.start_kondctl("barrier", "arrive", "b", "-q", "-n", ns, "--participant", f"p{i}", "--wait", piped=False) for i in range(1000)]
        try:
            shown(world, ns, timeout=120, progress="1000/1001")  # so each has seen it
            began = time.monotonic()
            world.api.delete(ns, "barriers", "b")
            codes = [process.wait(60) for process in waits]
            print(f"      1,000 have ended after {time.monotonic() - began:.1f} s")
            assert codes == [4] * 1000, {code: codes.count(code) for code in codes}
        finally:
            for process in waits:
                process.kill()
                process.wait()


def test_rounds_are_named_and_idempotent(world):
    with a_barrier(world, 2, reusable=True) as ns:
        go = lambda who, round_, *flags, expect=0: kondctl(world, ns, "barrier", "arrive", "b", "--participant", who, "--round", str(round_), *flags, expect=expect)
        go("ann", 1)
        go("ann", 1)
        fast = start(world, ns, "wait", "b", "--round", "2")
        go("bob", 1, "--wait")
        go("bob", 2)
        go("ann", 1, "--wait")  # started anew: its first round is over
        shown(world, ns, round=2, openedRound=1, progress="1/2")
        assert fast.poll() is None
        go("ann", 2, "--wait")
        assert end_of(fast)[0] == 0
        assert "--round" in kondctl(world, ns, "barrier", "arrive", "b", "--participant", "ann", expect=2).stderr
        assert "--round" in kondctl(world, ns, "barrier", "wait", "b", expect=2).stderr
        world.api.create(ns, "barriers", barrier("once", 2))
        assert "--round" in kondctl(world, ns, "barrier", "arrive", "once", "--participant", "ann", "--round", "1", expect=2).stderr


def test_bad_words_are_refused_before_anything_is_sent(world):
    with a_barrier(world, 2) as ns:
        for words, says in ((("arrive", "b", "--participant", "x" * 5000), "253"), (("arrive", "n" * 5000), "63"), (("wait", "n" * 5000), "63"),
                            (("arrive", "b", "--round", "0"), "round"), (("arrive", "b", "--round", "-1"), "round"),
                            (("arrive", "b", "--round", str(2**31)), "round"), (("wait", "b", "--round", "x"), "round"),
                            (("wait", "b", "--timeout", "0"), "timeout"), (("arrive", "b", "--wait", "--timeout", "0s"), "timeout"),
                            (("arrive",), "NAME")):
            said = kondctl(world, ns, "barrier", *words, expect=2).stderr
            assert says in said and len(said) < 2000, said[:500]
        said = kondctl(world, ns, "barrier", "arrive", "b", "--participant", " a", expect=5).stderr
        assert "participant is one line of text without blanks at its ends" in said, said
        assert not arrivals(world, ns)
        assert status(world, ns)["progress"] == "0/2"


def test_a_timeout_leaves_the_arrival(world):
    with a_barrier(world, 2) as ns:
        kondctl(world, ns, "barrier", "arrive", "b", "--participant", "ann", "--wait", "--timeout", "1s", expect=124)
        wait_for("it counts", lambda: status(world, ns)["progress"] == "1/2")
        assert len(arrivals(world, ns)) == 1
