"""kondctl on a real API server: its words, its exit codes, its time, and what it says to bad input."""
import base64
import json
import pathlib
import signal
import subprocess
import threading
import time

from client import Timeouts, end_of, kondctl
from credentials import Kubeconfig, allow, closed_port, signed, silent_server, user
from harness import BUILD, wait_for
from kinds import BOOKSHELF, FAUCET, permit, phase, semaphore


def acquire(world, ns, name, *flags, **options):
    return kondctl(world, ns, "semaphore", "acquire", name, *flags, **options)


def acquired(world, ns, name, *flags, **options):
    return json.loads(acquire(world, ns, name, *flags, "-o", "json", **options).stdout)


def waiting(world, ns, name, *flags):
    """kondctl that waits, and the name of its claim: once an operator has answered."""
    before = {c["metadata"]["name"] for c in world.api.list(ns, "permits")}
    process = world.start_kondctl("semaphore", "acquire", name, "-n", ns, "--wait", *flags)
    new = wait_for("its claim waits", lambda: [c for c in world.api.list(ns, "permits")
                                              if c["metadata"]["name"] not in before and phase(c) == "Pending"])
    return process, new[0]["metadata"]["name"]


# ---- what it is for


def test_a_permit_is_taken_shown_and_given_back(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3, ttl="1h"))
        grant = acquired(world, ns, "q", "--permits", "2", "--ttl", "5m", "--holder", "job-7")
        claim = world.api.get(ns, "permits", grant["claim"])
        expected = {"kind": "Semaphore", "name": "q", "namespace": ns, "claim": claim["metadata"]["name"], "uid": claim["metadata"]["uid"],
                    "token": claim["status"]["token"], "units": 2, "ttl": "5m", "holder": "job-7", "adopted": False,
                    "release": f"kondctl semaphore release q -n {ns} --claim {claim['metadata']['name']}"}
        assert grant == expected, grant
        assert phase(claim) == "Granted" and claim["status"]["units"] == 2 and "ownerReferences" not in claim["metadata"]
        assert acquired(world, ns, "q", "--ttl", "1h30m")["ttl"] == "1h", "at most what the semaphore allows"
        wait_for("all three are in use", lambda: world.api.get(ns, "semaphores", "q")["status"]["inUse"] == 3)

        shown = json.loads(kondctl(world, ns, "semaphore", "status", "q", "-o", "json").stdout)
        assert shown["object"]["metadata"]["name"] == "q" and len(shown["holding"]) == 2 and shown["waiting"] == []
        text = kondctl(world, ns, "status", "sem", "q").stdout
        assert text == kondctl(world, ns, "semaphores", "status", "q").stdout
        assert all(word in text for word in (f"semaphore {ns}/q", "HELD BY", "job-7", grant["claim"], "nobody waits", "IN-USE")), text
        assert kondctl(world, ns, "semaphore", "status", "q", "-o", "name").stdout == "semaphore.sync.konductor.io/q\n"

        listed = json.loads(kondctl(world, ns, "semaphore", "list", "-o", "json").stdout)
        assert listed["kind"] == "List" and [o["metadata"]["name"] for o in listed["items"]] == ["q"]
        rows = [row.split() for row in kondctl(world, ns, "semaphore", "list").stdout.splitlines()]
        assert rows[0] == ["NAME", "PERMITS", "IN-USE", "AVAILABLE", "WAITING", "PHASE", "AGE"], rows
        assert rows[1][:6] == ["q", "3", "3", "0", "0", "Ready"], rows
        everywhere = [row.split()[:2] for row in kondctl(world, ns, "semaphore", "list", "-A").stdout.splitlines()]
        assert everywhere[0] == ["NAMESPACE", "NAME"] and [ns, "q"] in everywhere, everywhere
        assert "name: q" in kondctl(world, ns, "semaphore", "list", "-o", "yaml").stdout

        assert acquire(world, ns, "q", expect=3).stderr.count("not available now") == 1
        refused = acquire(world, ns, "q", "--holder", "job-7", expect=1)
        assert "spec.permits" in refused.stderr, "the same holder may not ask for something else: " + refused.stderr
        given = json.loads(kondctl(world, ns, "semaphore", "release", "q", "--holder", "job-7", "-o", "json").stdout)
        assert given["claim"] == grant["claim"] and given["phase"] == "Granted", given
        kondctl(world, ns, "semaphore", "release", "q", "--holder", "job-7", expect=4)
        kondctl(world, ns, "semaphore", "release", "q", "--claim", grant["claim"], expect=4)
        assert "--claim" in kondctl(world, ns, "semaphore", "release", "q", expect=2).stderr
        assert acquired(world, ns, "q", "--wait", "--permits", "2")["token"] > grant["token"]


def test_the_toys_have_words_of_their_own(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "bookshelves", BOOKSHELF.primitive("b"))
        world.api.create(ns, "faucets", FAUCET.primitive("f"))
        loan = json.loads(kondctl(world, ns, "bookshelf", "borrow", "b", "--mode", "write", "-o", "json").stdout)
        assert world.api.get(ns, "loans", loan["claim"])["spec"]["mode"] == "write"
        assert loan["release"].startswith("kondctl bookshelf give-back b ")
        kondctl(world, ns, "bookshelf", "borrow", "b", expect=3)
        kondctl(world, ns, "bookshelf", "borrow", "b", "--wait", "--timeout", "300ms", "--mode", "read", expect=124)
        assert "HELD BY" in kondctl(world, ns, "bookshelf", "look", "b").stdout
        assert "WRITERS" in kondctl(world, ns, "bookshelves", "ls").stdout
        kondctl(world, ns, "bookshelf", "give-back", "b", "--claim", loan["claim"])
        for _ in range(2):
            kondctl(world, ns, "bookshelf", "borrow", "b")
        fixed = world.start_kondctl("bookshelf", "rewrite", "b", "-n", ns, "--wait", "--timeout", "300ms")
        assert end_of(fixed)[0] == 124, "a verb with a fixed value: two read, so nobody writes"
        refused = kondctl(world, ns, "bookshelf", "borrow", "b", "--mode", "sing", expect=5)
        assert "spec.mode" in refused.stderr and '"sing"' in refused.stderr, refused.stderr
        assert "borrow" in kondctl(world, ns, "bookshelf", "acquire", "b", expect=2).stderr

        sip = json.loads(kondctl(world, ns, "faucet", "sip", "f", "--sips", "3", "-o", "json").stdout)
        assert phase(world.api.get(ns, "sips", sip["claim"])) == "Granted"
        assert "has no command" in kondctl(world, ns, "faucet", "release", "f", expect=2).stderr
        assert "CAPACITY" in kondctl(world, ns, "faucet", "ls").stdout
        assert "faucet" in kondctl(world, ns, "status", "faucet", "f").stdout
        kondctl(world, ns, "faucet", "sip", "f", "--sips", "2000", expect=5)


def test_kubectl_and_kondctl_are_two_ways_to_the_same(world):
    with world.operator(), world.namespace() as ns:
        world.kubectl("apply", "-n", ns, "-f", "-", input=json.dumps(semaphore("q", 1)))
        world.kubectl("apply", "-n", ns, "-f", "-", input=json.dumps(permit("by-hand", "q")))
        world.kubectl("wait", "-n", ns, "--for=condition=Granted", "permit/by-hand", "--timeout=10s")
        acquire(world, ns, "q", expect=3)
        process, claim = waiting(world, ns, "q")
        assert "by-hand" in kondctl(world, ns, "semaphore", "status", "q").stdout
        world.kubectl("delete", "permit", "by-hand", "-n", ns)
        code, out, err = end_of(process)
        assert code == 0 and claim in out, out + err
        world.kubectl("wait", "-n", ns, "--for=condition=Granted", f"permit/{claim}", "--timeout=10s")
        process, claim = waiting(world, ns, "q")
        world.kubectl("delete", "permit", claim, "-n", ns)
        code, out, err = end_of(process)
        assert code == 1 and "somebody deleted the claim" in err, f"{code}: {err}"
        world.kubectl("delete", "semaphore", "q", "-n", ns)
        acquire(world, ns, "q", expect=4)


def test_outside_of_pods_a_note_says_what_frees_the_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 4, ttl="20m"))
        done = acquire(world, ns, "q")
        assert "not in a Pod" in done.stderr and "TTL (20m)" in done.stderr and "granted semaphore" in done.stdout, done
        command = done.stderr[done.stderr.index("kondctl semaphore release"):].split()
        assert command[-4:-2] == ["-n", ns], command
        world.kondctl(*command[1:], check=True)
        assert world.api.list(ns, "permits") == []
        assert acquire(world, ns, "q", "-q").stderr == "", "-q: no notes"
        assert f"POST {world.api.path(ns, 'permits')}" in acquire(world, ns, "q", "-v").stderr, "-v: each request"
        name = acquire(world, ns, "q", "-o", "name").stdout.strip()
        assert name.startswith("permit.sync.konductor.io/"), name
        world.kubectl("delete", name, "-n", ns)


# ---- one claim of one holder


def test_the_same_holder_finds_the_same_claim_again(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        first = acquired(world, ns, "q", "--holder", "ci-job-77")
        again = acquired(world, ns, "q", "--holder", "ci-job-77")
        assert again["adopted"] and (again["claim"], again["uid"], again["token"]) == (first["claim"], first["uid"], first["token"])
        assert "still granted" in acquire(world, ns, "q", "--holder", "ci-job-77").stdout
        process, claim = waiting(world, ns, "q", "--holder", "ci-job-77", "--as", "second")
        assert claim != first["claim"], "--as is another claim"
        process.kill()
        process.wait()
        kondctl(world, ns, "semaphore", "release", "q", "--holder", "ci-job-77")
        wait_for("what waited has it", lambda: phase(world.api.get(ns, "permits", claim)) == "Granted")
        found = acquired(world, ns, "q", "--wait", "--holder", "ci-job-77", "--as", "second")
        assert found["adopted"] and found["claim"] == claim, "after a crash the turn is not lost"
        world.api.patch(ns, "permits", claim, {"status": {"phase": "Expired"}}, "status")
        anew = acquired(world, ns, "q", "--holder", "ci-job-77", "--as", "second")
        assert not anew["adopted"] and anew["uid"] != found["uid"] and anew["token"] > found["token"], "one that is over is replaced"


def test_names_of_63_characters_work(world):
    long = "n" * 63
    with world.operator(), world.namespace() as ns:
        for name in (long, "0", "a-b--c9"):
            world.api.create(ns, "semaphores", semaphore(name, 1))
            grant = acquired(world, ns, name, "--wait")
            assert len(grant["claim"]) <= 63 and grant["name"] == name
            kondctl(world, ns, "semaphore", "release", name, "--claim", grant["claim"])
        acquire(world, ns, "m" * 63, expect=4)
        for name in ("n" * 64, "with.dot"):
            done = world.kubectl("apply", "-n", ns, "-f", "-", input=json.dumps(semaphore(name, 1)), check=False)
            assert done.returncode != 0 and "at most 63 characters, and no dots" in done.stderr, f"no claim could name it: {done}"


# ---- its time


def test_a_timeout_is_kept_to_a_tenth_of_a_second(world):
    timeouts = Timeouts(world)
    with world.operator(), world.namespace() as ns, silent_server() as silent:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        acquire(world, ns, "q")
        common = ("semaphore", "acquire", "q", "-n", ns, "--wait")
        held = timeouts.measure("a held semaphore", 0.7, *common)
        assert "timed out after 700ms" in held.stderr and "its turn for 1 permit has not come; the claim is withdrawn" in held.stderr, held.stderr
        assert len(world.api.list(ns, "permits")) == 1, "the claim is withdrawn"
        places = {"a server that says nothing": silent, "a closed port": closed_port(), "a name that does not resolve": "https://k8s.invalid:6443"}
        for what, server in places.items():
            config = Kubeconfig(world).to(server)
            timeouts.measure(what, 0.5, *common, kubeconfig=config)
            timeouts.measure(what + ", without --wait", 0.3, *common[:-1], kubeconfig=config)
            timeouts.measure(what + ", release", 0.4, "semaphore", "release", "q", "-n", ns, "--claim", "x", kubeconfig=config)
        print(f"      {timeouts}")


def test_an_interrupt_withdraws_the_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        acquire(world, ns, "q", "--holder", "first")
        for how, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process, claim = waiting(world, ns, "q")
            process.send_signal(how)
            code, out, err = end_of(process)
            assert code == expected and out == "", f"{code}: {err}"
            assert claim not in [c["metadata"]["name"] for c in world.api.list(ns, "permits")], "withdrawn"
        with silent_server() as server:
            process = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", "-v", kubeconfig=Kubeconfig(world).to(server))
            wait_for("it asks", lambda: "GET" in process.stderr.readline())
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert end_of(process)[0] == 130 and time.monotonic() - began < 2.5, "also where nobody answers"


def test_nobody_answers(world):
    """All that takes the ten seconds without --wait, side by side."""
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        began, ends = time.monotonic(), {}

        def run(what, config):
            done = world.kondctl("semaphore", "acquire", "q", "-n", ns, kubeconfig=config)
            ends[what] = (done, time.monotonic() - began)

        configs = {"operator": None, "port": Kubeconfig(world).to(closed_port()), "name": Kubeconfig(world).to("https://k8s.invalid:6443")}
        threads = [threading.Thread(target=run, args=one) for one in configs.items()]
        for thread in threads:
            thread.start()
        wait_for("the claim is there", lambda: world.api.list(ns, "permits"))
        for thread in threads:
            thread.join()
        for what, (done, took) in ends.items():
            assert done.returncode == 6, f"{what}: exit {done.returncode}: {done.stderr}"
            assert 9 < took < 11, f"{what}: took {took:.1f} s"
        assert world.api.list(ns, "permits") == [], "the claim is withdrawn"
        assert "is `konductor` running?" in ends["operator"][0].stderr and "is withdrawn" in ends["operator"][0].stderr
        assert "refused" in ends["port"][0].stderr and "k8s.invalid" in ends["name"][0].stderr, ends


# ---- bad input


def test_wrong_command_lines_are_refused_before_anything_is_sent(world):
    nowhere = Kubeconfig(world).to(closed_port())  # whatever asked it would not end with 2
    cases = [(flag, value, words) for flag, values in {
        "--permits": {"0": "at least 1|from 1", "-1": "from 1", "2147483648": "from 1 to 2147483647", "9223372036854775808": "from 1",
                      "99999999999999999999": "from 1", "two": "whole number", "1.5": "whole number", "": "no value", "0x10": "whole number"},
        "--ttl": {"0": "no unit", "0s": "from 1s to 8760h", "9600h": "from 1s to 8760h", "90": '"90s"', "-5m": "sign", "5d": "unknown unit",
                  "soon": "not understood", "1h30": "no unit", "": "no value", "999999999999999h": "too long"},
        "--timeout": {"90": '"90s"', "0s": "from", "1w": "unit", "-1s": "sign"},
        "--priority": {"high": "whole number", "1000001": "from -1000000 to 1000000"},
        "--holder": {"": "no value", "x" * 254: "253 characters"},
        "-o": {"xml": "json, yaml, name, wide or table"},
        "--namespace": {"Default": "lower-case|lowercase|a-z", "n" * 64: "63"},
    }.items() for value, words in values.items()]
    for flag, value, words in cases:
        done = world.kondctl("semaphore", "acquire", "q", *([flag, value] if flag == "-o" else [f"{flag}={value}"]), kubeconfig=nowhere)
        assert done.returncode == 2 and any(word in done.stderr for word in words.split("|")), f"{flag} {value}: {done.returncode} {done.stderr}"
        assert done.stdout == "" and done.stderr.count("\n") == 1 and len(done.stderr) < 400, done.stderr
    for flag, value, words in (("--permits", "-1", "from 1"), ("--ttl", "", "empty"), ("--holder", "", "from 1 to 253")):
        assert words in kondctl(world, "default", "semaphore", "acquire", "q", flag, value, expect=2, kubeconfig=nowhere).stderr
    for name in ("Q", "a.b", "-a", "a-", "a_b", "a/b", "", "ü", "n" * 64, "a b", "a\nb"):
        done = kondctl(world, "default", "semaphore", "acquire", name, expect=2, kubeconfig=nowhere)
        assert "name" in done.stderr.lower(), f"{name!r}: {done.stderr}"
    for line, words in ((("semafore", "acquire", "q"), 'did you mean "semaphore"?'), (("semaphore", "aquire", "q"), 'did you mean "acquire"?'),
                        (("semaphore", "acquire"), "NAME"), (("semaphore", "acquire", "q", "r"), "r"), (("semaphore", "acquire", "q", "--wiat"), "--wiat"),
                        (("semaphore",), "--help"), ((), "--help")):
        done = world.kondctl(*line, kubeconfig=nowhere)
        assert done.returncode == 2 and done.stdout == "" and words in done.stderr, f"{line}: {done.returncode} {done.stderr}"


def test_there_is_no_such_semaphore(world):
    with world.operator(), world.namespace() as ns:
        for flags in ((), ("--wait",), ("--wait", "--timeout", "20s")):
            began = time.monotonic()
            done = acquire(world, ns, "missing", *flags, expect=4)
            assert time.monotonic() - began < 3 and "semaphore" in done.stderr and "missing" in done.stderr, done.stderr
        for line in (("semaphore", "status", "missing"), ("status", "semaphore", "missing"), ("semaphore", "release", "missing", "--holder", "me")):
            kondctl(world, ns, *line, expect=4)
        assert world.api.list(ns, "permits") == [], "nothing was created"
        done = kondctl(world, ns, "semaphore", "list")
        assert done.stdout == "" and "no semaphores" in done.stderr
        world.api.create(ns, "semaphores", {**semaphore("going", 1), "metadata": {"name": "going", "finalizers": ["example.com/wait"]}})
        world.api.delete(ns, "semaphores", "going")
        assert "being deleted" in acquire(world, ns, "going", "--wait", expect=4).stderr
        world.api.patch(ns, "semaphores", "going", {"metadata": {"finalizers": None}})
        missing = f"{ns}-missing"
        acquire(world, missing, "q", "--wait", expect=4)


def test_more_than_there_can_be_is_refused_at_once_unless_it_is_paused(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        world.api.create(ns, "semaphores", semaphore("paused", 0))
        for flags in ((), ("--wait",)):
            for permits in ("4", "2147483647"):
                began = time.monotonic()
                done = acquire(world, ns, "q", "--permits", permits, *flags, expect=5)
                assert time.monotonic() - began < 3 and "the limit is 3; ask for less" in done.stderr, done.stderr
        wait_for("nothing is left behind", lambda: all(phase(c) == "Denied" for c in world.api.list(ns, "permits")))
        assert "paused" in acquire(world, ns, "paused", expect=3).stderr
        process, claim = waiting(world, ns, "paused", "--permits", "2")
        world.api.patch(ns, "semaphores", "paused", {"spec": {"permits": 2}})
        code, out, err = end_of(process)
        assert code == 0 and claim in out, out + err


def test_who_is_not_allowed_hears_which_verb_on_which_resource(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 2))
        ada = user(world, f"ada-{ns}")
        name = f"ada-{ns}"

        def refused(*arguments):
            return kondctl(world, ns, *arguments, expect=5, kubeconfig=ada).stderr

        for line, verb in ((("semaphore", "acquire", "q", "--wait"), "get"), (("semaphore", "status", "q"), "get"), (("semaphore", "list"), "list")):
            said = refused(*line)
            assert "forbidden" in said and f"allows {verb} on semaphores of API group sync.konductor.io in namespace {ns}" in said, said
        allow(world, ns, name, {"verb": "get", "resource": "semaphores.sync.konductor.io"})
        wait_for("the role is in effect", lambda: "allows create on permits of API group sync.konductor.io" in refused("semaphore", "acquire", "q"))
        shown = kondctl(world, ns, "semaphore", "status", "q", kubeconfig=ada)
        assert "can't be shown" in shown.stderr and shown.stderr.count("\n") == 1, shown.stderr
        assert "allows list on permits" in shown.stderr and "PERMITS" in shown.stdout and "nobody holds it" in shown.stdout, shown
        said = refused("semaphore", "release", "q", "--holder", "me")
        assert f"allows get on permits of API group sync.konductor.io in namespace {ns}" in said, said
        allow(world, ns, name, {"verb": "create,get,patch,delete", "resource": "permits.sync.konductor.io"})
        wait_for("the role is in effect", lambda: world.kondctl("semaphore", "acquire", "q", "-n", ns, kubeconfig=ada).returncode == 0)
        acquire(world, ns, "q", "--permits", "1", "--holder", "grace")
        wait_for("both are shown", lambda: len(world.api.get(ns, "semaphores", "q")["status"].get("holders", [])) == 2)
        shown = kondctl(world, ns, "semaphore", "status", "q", kubeconfig=ada).stdout
        assert "HELD BY" in shown and "grace" in shown, "the first holders, from the semaphore's own status: " + shown
        process = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", "--timeout", "15s", kubeconfig=ada)
        wait_for("it waits", lambda: any(phase(c) == "Pending" for c in world.api.list(ns, "permits")))
        world.api.patch(ns, "semaphores", "q", {"spec": {"permits": 3}})
        code, out, err = end_of(process)
        assert code == 0, "without `watch` it polls: " + err


def test_a_claim_that_may_not_be_deleted_is_named_with_what_releases_it(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        acquire(world, ns, "q", "--holder", "first")
        name = f"bob-{ns}"
        bob = user(world, name)
        allow(world, ns, name, {"verb": "get", "resource": "semaphores.sync.konductor.io"})
        allow(world, ns, name, {"verb": "create,get,watch,patch", "resource": "permits.sync.konductor.io"})
        claims = lambda: [c["metadata"]["name"] for c in world.api.list(ns, "permits")]
        for how in ("timeout", "interrupt"):
            before = claims()
            process = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", *(("--timeout", "3s") if how == "timeout" else ()),
                                          kubeconfig=bob)
            claim = wait_for("it waits", lambda: [c for c in claims() if c not in before])[0]
            if how == "interrupt":
                process.send_signal(signal.SIGINT)
            code, out, err = end_of(process)
            assert code == (124 if how == "timeout" else 130), f"{code}: {err}"
            assert f"the claim {ns}/{claim} is left behind" in err and f"delete permits.sync.konductor.io {ns}/{claim}: forbidden" in err, err
            command = err[err.index("`kondctl") + 1:err.index("` releases it")].split()
            assert claim in claims() and claim in command, err
            world.kondctl(*command[1:], check=True)
            assert claim not in claims(), "that command releases it"


def test_the_primitives_own_reason_is_told_where_nobody_answers(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        condition = {"type": "Ready", "status": "False", "reason": "InvalidSpec", "message": "the\x1b[31m spec is not understood",
                     "lastTransitionTime": "2024-01-15T10:30:00Z"}
        world.api.patch(ns, "semaphores", "q", {"status": {"conditions": [condition]}}, "status")
        said = acquire(world, ns, "q", expect=6).stderr
        assert f"semaphore {ns}/q is not ready: InvalidSpec: the\\x1b[31m spec is not understood" in said and "running?" not in said, said
        assert world.api.list(ns, "permits") == [] and "the claim is withdrawn" in said, said
        process = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--timeout", "500ms")
        code, out, err = end_of(process)
        assert code == 124 and "InvalidSpec" in err, "--timeout bounds it without --wait too: " + err


def test_who_waits_hears_that_the_semaphore_is_gone(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 0))
        process, claim = waiting(world, ns, "q")
        world.api.delete(ns, "semaphores", "q")
        wait_for("it is told so", lambda: "SemaphoreNotFound" in json.dumps(world.api.get(ns, "permits", claim)["status"]))
        world.api.create(ns, "semaphores", semaphore("q", 1))
        code, out, err = end_of(process)
        assert code == 0 and f"there is no semaphore {ns}/q; waiting for it to be created" in err, f"{code}: {err}"


def test_the_place_in_line_is_that_of_the_moment(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        holder = acquired(world, ns, "q", "--holder", "h")
        waiters = [waiting(world, ns, "q", "--holder", name) for name in ("one", "two", "three")]

        def places():
            lines = kondctl(world, ns, "semaphore", "status", "q").stdout.splitlines()
            header = next(i for i, line in enumerate(lines) if line.startswith("WAITING  "))
            return [line.split()[:2] for line in lines[header + 1:]]

        assert places() == [["one", "1"], ["two", "2"], ["three", "3"]], places()
        kondctl(world, ns, "semaphore", "release", "q", "--claim", holder["claim"])
        assert end_of(waiters[0][0])[0] == 0
        assert places() == [["two", "1"], ["three", "2"]], places()
        text = json.dumps([c["status"] for c in world.api.list(ns, "permits")])
        assert "ahead" not in text, "no place is stored: " + text
        for process, _ in waiters[1:]:
            process.send_signal(signal.SIGINT)
            end_of(process)


def test_what_is_over_is_removed_with_one_line(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        acquire(world, ns, "q")
        acquire(world, ns, "q", "--holder", "late", expect=3)
        done = kondctl(world, ns, "semaphore", "release", "q", "--holder", "late")
        assert done.stderr == "" and done.stdout.count("\n") == 1 and "it was Denied and held nothing" in done.stdout, done


def test_two_processes_of_one_holder_share_one_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        first = acquired(world, ns, "q", "--wait", "--holder", "shared")
        again = acquired(world, ns, "q", "--wait", "--holder", "shared")
        assert again["adopted"] and again["uid"] == first["uid"]
        process, claim = waiting(world, ns, "q", "--holder", "both")
        other = world.start_kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", "--holder", "both")
        wait_for("it waits on the same claim", lambda: "waiting for" in other.stderr.readline())
        other.send_signal(signal.SIGINT)
        assert end_of(other)[0] == 130
        code, out, err = end_of(process)
        assert code == 1 and "somebody deleted the claim" in err, f"who gives up withdraws it for both: {code}: {err}"


def test_credentials_and_certificates_that_are_wrong(world):
    with world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        world.kubectl("create", "serviceaccount", "gone", "-n", ns)
        ended = world.kubectl("create", "token", "gone", "-n", ns).stdout.strip()
        world.kubectl("delete", "serviceaccount", "gone", "-n", ns)
        good = world.kubectl("create", "token", "default", "-n", ns).stdout.strip()
        anew, expired = signed(world, good, 3600), signed(world, good, -3600)
        said = acquire(world, ns, "q", expect=5, kubeconfig=Kubeconfig(world).with_token(anew)).stderr
        assert "forbidden" in said and "serviceaccount" in said, "the server knows what we sign: " + said
        for what, token in {"garbage": "garbage", "of a deleted account": ended, "expired": expired}.items():
            done = acquire(world, ns, "q", "--wait", expect=5, kubeconfig=Kubeconfig(world).with_token(token))
            assert "credentials" in done.stderr and "nauthorized" in done.stderr and token not in done.stderr, f"{what}: {done.stderr}"

        foreign = Kubeconfig(world)
        key, certificate = world.dir / "foreign.key", world.dir / "foreign.crt"
        world.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=foreign",
                  "-days", "2", "-keyout", str(key), "-out", str(certificate))
        encoded = base64.b64encode(certificate.read_bytes()).decode()
        foreign.cluster["certificate-authority-data"] = encoded
        began = time.monotonic()
        done = world.kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", kubeconfig=foreign.write(), timeout=20)
        assert done.returncode == 2 and "certificate verify failed" in done.stderr and "certificate-authority" in done.stderr, done
        assert time.monotonic() - began < 3, "no use in trying again"
        stranger = Kubeconfig(world)
        stranger.user = {"client-certificate-data": encoded, "client-key-data": base64.b64encode(key.read_bytes()).decode()}
        done = acquire(world, ns, "q", "--wait", expect=5, kubeconfig=stranger.write())
        assert "nauthorized" in done.stderr or "certificate" in done.stderr, done.stderr
        named = Kubeconfig(world)
        named.cluster["tls-server-name"] = "other.example.com"
        done = world.kondctl("semaphore", "acquire", "q", "-n", ns, "--wait", kubeconfig=named.write(), timeout=20)
        assert done.returncode == 2 and "hostname mismatch" in done.stderr, done
        assert world.api.list(ns, "permits") == []


def test_kubeconfigs_that_are_broken(world):
    good = pathlib.Path(world.kubeconfig).read_text(encoding="utf-8")
    cases = {"empty": ("", "kubeconfig"), "no YAML": ("{]\n", "YAML"), "binary": ("\x00\x01\x02\xff", ""), "a list": ("- a\n- b\n", ""),
             "cut": (good[: len(good) // 3], ""), "another context": (good.replace("current-context: ", "current-context: x"), "context"),
             "no base64": (good.replace("certificate-authority-data: ", "certificate-authority-data: ~~~"), "certificate-authority"),
             "no PEM": (good.replace("certificate-authority-data: ", "certificate-authority-data: AAAA"), "certificate-authority-data (inline data): "),
             "no URL": (good.replace("server: https://", "server: gopher://"), "server")}
    for what, (text, word) in cases.items():
        file = world.dir / "broken"
        file.write_text(text, encoding="latin-1")
        done = kondctl(world, "default", "semaphore", "list", expect=2, kubeconfig=file)
        assert word in done.stderr and "broken" in done.stderr and done.stderr.count("\n") == 1, f"{what}: {done.stderr}"
    done = kondctl(world, "default", "semaphore", "list", expect=2, kubeconfig=world.dir / "missing")
    assert "missing" in done.stderr
    done = kondctl(world, "default", "semaphore", "list", "--context", "nowhere", expect=2)
    assert "nowhere" in done.stderr and "konductor" in done.stderr, "it names the contexts that there are: " + done.stderr
    bare = subprocess.run([str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "semaphore", "list"],
                          env={"PATH": "/usr/bin"}, capture_output=True, text=True, timeout=20)
    assert bare.returncode == 2 and "no Kubernetes cluster is configured" in bare.stderr, bare


def test_the_crds_are_not_installed(world):
    with world.namespace() as ns:
        world.api.create(ns, "faucets", FAUCET.primitive("f"))
        for gone, verb in (("sips", "create sips"), ("faucets", "get faucets")):
            try:
                world.kubectl("delete", "crd", f"{gone}.sync.konductor.io")
                for flags in ((), ("--wait",)):
                    done = kondctl(world, ns, "faucet", "sip", "f", *flags, expect=1, timeout=20)
                    assert verb in done.stderr and "not installed" in done.stderr and "konductor manifests" in done.stderr, done.stderr
            finally:
                world.apply_manifests()
        assert "not installed" not in kondctl(world, ns, "faucet", "ls").stderr


def test_version_starts_quickly(world):
    times = []
    for _ in range(10):
        began = time.monotonic()
        done = world.kondctl("version")
        times.append(time.monotonic() - began)
        assert done.returncode == 0 and done.stdout.startswith("kondctl "), done
    print(f"      kondctl version: {min(times) * 1000:.1f} to {max(times) * 1000:.1f} ms (to be under 30)")
    assert json.loads(world.kondctl("version", "-o", "json").stdout)["version"]
