"""Joining and waiting for a phase with kondctl, by a toy kind whose claims are only counted: a Meeting and its Attendees."""
import json
import signal
import time

from client import Timeouts, end_of, kondctl
from credentials import Kubeconfig, allow, closed_port, silent_server, user
from harness import wait_for
from tcp_proxy import proxy_to


def meeting(name, wanted, **spec):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Meeting", "metadata": {"name": name}, "spec": {"wanted": wanted, **spec}}


def come(world, ns, name, *flags, **options):
    return kondctl(world, ns, "meeting", "come", name, *flags, **options)


def came(world, ns, name, *flags, **options):
    return json.loads(come(world, ns, name, *flags, "-o", "json", **options).stdout)


def start(world, ns, verb, name, *flags, **options):
    return world.start_kondctl("meeting", verb, name, "-n", ns, *flags, **options)


def says(process, *words):
    """The next line on stderr that has all these words; what comes before is not ours."""
    for line in process.stderr:
        if all(word in line for word in words):
            return line
    raise AssertionError(f"it ended without a word of {words}")


def waits(world, ns, process, count, of):
    """Until it watches, and so many have come: of a change in the number it speaks once a minute."""
    says(process, f"of {of} are present")
    counted = lambda: f"{count} of {of} are present" in json.dumps(world.api.get(ns, "meetings", "m").get("status", {}))
    wait_for(f"{count} of {of} are present", counted)


def attendees(world, ns):
    return {a["metadata"]["name"]: a for a in world.api.list(ns, "attendees")}


def status(world, ns, name):
    return world.api.get(ns, "meetings", name).get("status", {})


# ---- what it is for


def test_who_joins_waits_until_enough_have_come(world):
    with world.operator(), world.namespace() as ns:
        created = world.api.create(ns, "meetings", meeting("m", 3))
        watcher = start(world, ns, "await", "m")
        says(watcher, "0 of 3 are present")
        first = came(world, ns, "m", "--seat", "1")
        attendee = attendees(world, ns)[first["claim"]]
        assert first == {"kind": "Meeting", "name": "m", "namespace": ns, "claim": attendee["metadata"]["name"], "uid": attendee["metadata"]["uid"],
                         "holder": attendee["spec"]["holder"], "participant": "1", "adopted": False, "served": False,
                         "phase": first["phase"], "message": first["message"]}, first
        assert set(attendee["spec"]) == {"meeting", "seat", "holder", "requestedAt"} and attendee["spec"]["seat"] == "1", attendee
        owner = attendee["metadata"]["ownerReferences"]
        assert owner == [{"apiVersion": "sync.konductor.io/v1", "kind": "Meeting", "name": "m", "uid": created["metadata"]["uid"],
                          "controller": False, "blockOwnerDeletion": False}], owner
        again = came(world, ns, "m", "--seat", "1")
        assert again["adopted"] and again["uid"] == first["uid"], "the same participant, from anywhere"
        assert f"had joined meeting {ns}/m before: claim {first['claim']}, participant 1" in come(world, ns, "m", "--seat", "1", "--holder", "x").stdout

        second = start(world, ns, "come", "m", "--seat", "2", "--wait")
        waits(world, ns, second, 2, 3)
        third = come(world, ns, "m", "--seat", "3", "--wait")
        assert "joined meeting" in third.stdout and f"; meeting {ns}/m is Begun: 3 of 3 are present" in third.stdout, third
        for process in (second, watcher):
            code, out, err = end_of(process)
            assert code == 0 and f"meeting {ns}/m is Begun: 3 of 3 are present" in out, f"{code}: {out}{err}"
        assert len(attendees(world, ns)) == 3, "who only waits has not come"

        late = came(world, ns, "m", "--seat", "4", "--wait")
        assert late["served"] and late["phase"] == "Begun" and late["message"], late
        assert json.loads(kondctl(world, ns, "meeting", "await", "m", "-o", "json").stdout)["served"]
        assert kondctl(world, ns, "meeting", "await", "m", "-o", "name").stdout == "meeting.sync.konductor.io/m\n"
        assert come(world, ns, "m", "--seat", "4", "-o", "name").stdout == f"attendee.sync.konductor.io/{late['claim']}\n"
        assert "phase: Begun" in kondctl(world, ns, "meeting", "await", "m", "-o", "yaml").stdout


def test_status_shows_who_has_joined_and_nothing_of_grants(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 3))
        assert "nobody has joined" in kondctl(world, ns, "meeting", "status", "m").stdout
        claim = came(world, ns, "m", "--seat", "left")["claim"]
        wait_for("it is counted", lambda: status(world, ns, "m").get("present") == 1)
        for words in (("meeting", "status", "m"), ("status", "meeting", "m")):
            text = kondctl(world, ns, *words).stdout
            assert "1 of 3 are present" in text and claim in text, text
            assert any(line.split()[:2] == ["left", claim] for line in text.splitlines()), text
            assert not any(word in text for word in ("TOKEN", "TTL", "PLACE", "SINCE", "HELD BY", "SESSION", "nobody")), text
        shown = json.loads(kondctl(world, ns, "meeting", "status", "m", "-o", "json").stdout)
        assert set(shown) == {"object", "claims"} and shown["claims"][0]["metadata"]["name"] == claim, shown
        assert "m" in kondctl(world, ns, "meeting", "list").stdout

        world.api.create(ns, "meetings", meeting("weekly", 3, sessions=True))
        for session in ("2", "1"):
            came(world, ns, "weekly", "--seat", "a", "--session", session)
        rows = [line.split()[:2] for line in kondctl(world, ns, "meeting", "status", "weekly").stdout.splitlines() if line.startswith("a ")]
        assert rows == [["a", "1"], ["a", "2"]], rows

        eve = user(world, f"eve-{ns}")
        allow(world, ns, f"eve-{ns}", {"verb": "get", "resource": "meetings.sync.konductor.io"})
        wait_for("the role is in effect", lambda: world.kondctl("meeting", "status", "m", "-n", ns, kubeconfig=eve).returncode == 0)
        hidden = kondctl(world, ns, "meeting", "status", "m", kubeconfig=eve)
        assert "who has joined can't be shown" in hidden.stderr and "1 of 3 are present" in hidden.stdout, hidden


def test_sessions_are_waited_for_one_by_one(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2, sessions=True))
        second = start(world, ns, "await", "m", "--session", "2")
        says(second, "0 of 2 are present")
        early = start(world, ns, "come", "m", "--seat", "a", "--session", "2", "--wait")
        says(early, "of 2 are present")
        first = start(world, ns, "come", "m", "--seat", "a", "--session", "1", "--wait")
        says(first, "of 2 are present")
        assert came(world, ns, "m", "--seat", "b", "--session", "1", "--wait")["round"] == 1
        code, out, err = end_of(first)
        assert code == 0 and f"meeting {ns}/m has served round 1" in out, f"{code}: {out}{err}"
        assert second.poll() is None and early.poll() is None, "that was the first"
        assert came(world, ns, "m", "--seat", "late", "--session", "1", "--wait")["served"], "who comes to a past one passes"
        come(world, ns, "m", "--seat", "b", "--session", "2")
        for process in (second, early):
            code, out, err = end_of(process)
            assert code == 0 and "has served round 2" in out, f"{code}: {out}{err}"
        for verb in ("come", "await"):
            said = kondctl(world, ns, "meeting", verb, "m", expect=2).stderr
            assert "serves in rounds" in said and "--session" in said, said
        world.api.create(ns, "meetings", meeting("once", 2))
        for verb in ("come", "await"):
            assert "leave out --session" in kondctl(world, ns, "meeting", verb, "once", "--session", "1", expect=2).stderr


def test_a_participant_is_named_by_flag_environment_pod_or_holder(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 50))
        pod = {"POD_NAME": "worker-0", "POD_NAMESPACE": ns, "POD_UID": "0b6f7a4e-0000-4000-8000-000000000001"}
        retried = {**pod, "POD_NAME": "worker-1", "POD_UID": "0b6f7a4e-0000-4000-8000-000000000002"}
        named = came(world, ns, "m", env={**pod, "KONDUCTOR_PARTICIPANT": "7"})
        assert named["participant"] == "7" and named["holder"] == "worker-0", named
        spec = attendees(world, ns)[named["claim"]]["spec"]
        assert spec["seat"] == "7" and spec["pod"] == {"name": "worker-0", "uid": pod["POD_UID"]}, spec
        assert came(world, ns, "m", env={**retried, "KONDUCTOR_PARTICIPANT": "7"})["uid"] == named["uid"], "a retry"
        assert came(world, ns, "m", "--seat", "7")["uid"] == named["uid"], "who says so is it"
        other = came(world, ns, "m", "--seat", "8", env={"KONDUCTOR_PARTICIPANT": "7"})
        assert other["participant"] == "8" and other["uid"] != named["uid"], "a flag counts more"
        alone = came(world, ns, "m", env=pod)
        assert "participant" not in alone and came(world, ns, "m", env=pod)["uid"] == alone["uid"], "two containers of one Pod"
        assert came(world, ns, "m", env=retried)["uid"] != alone["uid"], "the operator finds out who that is"
        ci = came(world, ns, "m", "--holder", "ci")
        assert came(world, ns, "m", "--holder", "ci")["uid"] == ci["uid"]
        nameless = come(world, ns, "m")
        assert "counts once more" in nameless.stderr and "--holder TEXT or --seat TEXT" in nameless.stderr, nameless.stderr
        assert come(world, ns, "m", "-q").stderr == ""
        assert len(attendees(world, ns)) == 7
        done = world.kondctl("meeting", "come", "m", "-n", ns, env={"KONDUCTOR_PARTICIPANT": "x" * 5000})
        assert done.returncode == 2 and "KONDUCTOR_PARTICIPANT must have at most 63 characters, not 5000" in done.stderr, done
        doubtful = start(world, ns, "come", "m", "--wait", "--timeout", "8s", env=retried)
        says(doubtful, "--seat")
        assert end_of(doubtful)[0] == 124, "why a retry may count twice is said while it waits"


# ---- how it ends


def test_what_is_called_off_ends_all_waits_with_the_reason(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 9))
        waiters = [start(world, ns, "come", "m", "--seat", str(seat), "--wait") for seat in range(2)] + [start(world, ns, "await", "m")]
        for process in waiters:
            says(process, "of 9 are present")
        wait_for("both are counted", lambda: status(world, ns, "m").get("present") == 2)
        world.api.patch(ns, "meetings", "m", {"spec": {"calledOff": True}})
        for process in waiters:
            code, out, err = end_of(process)
            assert code == 5 and out == "" and f"meeting {ns}/m is CalledOff: it was called off when 2 of 9 are present" in err, f"{code}: {err}"
        for flags in ((), ("--wait",)):
            said = come(world, ns, "m", "--seat", "late", *flags, expect=5).stderr
            assert "is CalledOff: it was called off" in said and "nothing was created" in said, said
        assert "is CalledOff" in kondctl(world, ns, "meeting", "await", "m", expect=5).stderr
        assert len(attendees(world, ns)) == 2


def test_all_who_wait_end_at_once_when_it_is_deleted(world):
    with world.operator(), world.namespace() as ns:
        for anew in (False, True):
            world.api.create(ns, "meetings", meeting("m", 99))
            waiters = [start(world, ns, "come", "m", "--seat", str(seat), "--wait") for seat in range(8)]
            waiters += [start(world, ns, "await", "m") for _ in range(4)]
            for process in waiters:
                says(process, "of 99 are present")
            world.api.delete(ns, "meetings", "m")
            began = time.monotonic()
            if anew:
                world.api.create(ns, "meetings", meeting("m", 1))
                world.api.create(ns, "attendees", {"apiVersion": "sync.konductor.io/v1", "kind": "Attendee", "metadata": {"name": "a"},
                                                   "spec": {"meeting": "m"}})
            for process in waiters:
                code, out, err = end_of(process)
                assert code == 4 and out == "" and "was deleted" in err, f"{code}: {out}{err}"
            assert time.monotonic() - began < 5
            if not anew:
                wait_for("its claims go too", lambda: not attendees(world, ns), 60)


def test_a_missing_one_is_waited_for_only_by_who_waits(world):
    with world.operator(), world.namespace() as ns:
        began = time.monotonic()
        said = come(world, ns, "missing", "--seat", "1", expect=4).stderr
        assert time.monotonic() - began < 3 and f"meeting {ns}/missing does not exist" in said, said
        kondctl(world, ns, "status", "meeting", "missing", expect=4)
        for verb, flags in (("await", ()), ("come", ("--seat", "1", "--wait"))):
            said = kondctl(world, ns, "meeting", verb, "missing", *flags, "--timeout", "600ms", expect=124).stderr
            assert "timed out after 600ms" in said and "it does not exist" in said, said
        assert not attendees(world, ns)
        waiters = [start(world, ns, "await", "m"), start(world, ns, "come", "m", "--seat", "1", "--wait")]
        for process in waiters:
            says(process, "does not exist; waiting for it to be created")
        world.api.create(ns, "meetings", meeting("m", 1))
        for process in waiters:
            code, out, err = end_of(process)
            assert code == 0 and "is Begun" in out, f"{code}: {err}"


def test_a_timeout_of_a_wait_is_kept_and_the_claim_stays(world):
    timeouts = Timeouts(world)
    with world.operator(), world.namespace() as ns, silent_server() as silent:
        world.api.create(ns, "meetings", meeting("m", 2))
        joins = ("meeting", "come", "m", "-n", ns, "--seat", "1")
        waits = ("meeting", "await", "m", "-n", ns)
        said = timeouts.measure("joined", 0.9, *joins, "--wait").stderr
        claim = list(attendees(world, ns))[0]
        assert "timed out after 900ms" in said and f"the claim {ns}/{claim} stays: who has joined has joined" in said, said
        timeouts.measure("waits", 0.7, *waits)
        places = {"a server that says nothing": silent, "a closed port": closed_port(), "a name that does not resolve": "https://k8s.invalid:6443"}
        for what, server in places.items():
            config = Kubeconfig(world).to(server)
            timeouts.measure(what, 0.5, *joins, "--wait", kubeconfig=config)
            assert "nothing has joined" in timeouts.measure(what + ", without --wait", 0.3, *joins, kubeconfig=config).stderr
            timeouts.measure(what + ", await", 0.4, *waits, kubeconfig=config)
        print(f"      {timeouts}")
        began = time.monotonic()
        done = come(world, ns, "m", "--seat", "1", expect=6, kubeconfig=Kubeconfig(world).to(closed_port()))
        assert 9 < time.monotonic() - began < 12 and "refused" in done.stderr, done.stderr
        assert came(world, ns, "m", "--seat", "2", "--wait")["served"], "the first still counts"


def test_an_interrupt_leaves_the_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 5))
        for seat, (how, expected) in enumerate(((signal.SIGINT, 130), (signal.SIGTERM, 143))):
            process = start(world, ns, "come", "m", "--seat", str(seat), "--wait")
            waits(world, ns, process, seat + 1, 5)
            process.send_signal(how)
            code, out, err = end_of(process)
            assert code == expected and out == "" and "stays: who has joined has joined" in err, f"{code}: {err}"
        assert len(attendees(world, ns)) == 2
        process = start(world, ns, "come", "m", "--seat", "9", "--wait")
        waits(world, ns, process, 3, 5)
        gone = next(name for name, one in attendees(world, ns).items() if one["spec"]["seat"] == "9")
        world.api.delete(ns, "attendees", gone)
        code, out, err = end_of(process, 30)
        assert code == 1 and f"somebody deleted the claim {ns}/{gone}" in err, f"{code}: {err}"


# ---- what goes wrong around it


def test_cut_connections_are_not_noticed(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        port = Kubeconfig(world).cluster["server"].rsplit(":", 1)[1]
        with proxy_to(int(port)) as proxy:
            config = Kubeconfig(world).to(proxy.url)
            process = start(world, ns, "come", "m", "--seat", "1", "--wait", kubeconfig=config)
            waits(world, ns, process, 1, 2)
            for _ in range(3):
                proxy.cut()
                wait_for("it connects again", lambda: proxy.open)
            proxy.refuses = True
            proxy.cut()
            come(world, ns, "m", "--seat", "2", "--wait")
            proxy.refuses = False
            code, out, err = end_of(process)
            assert code == 0 and "trying again" not in err, f"{code}: {out}{err}"


def test_nobody_answers_is_said_once(world):
    with world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 1))
        assert came(world, ns, "m", "--seat", "1")["claim"], "to join needs no operator"
        process = start(world, ns, "come", "m", "--seat", "1", "--wait")
        line = says(process, "kondctl")
        assert "no operator has answered yet: is `konductor` running?" in line, line
        with world.operator():
            code, out, err = end_of(process, 40)
            assert code == 0 and "is Begun" in out, f"{code}: {err}"


def test_little_permission_is_enough(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "meetings", meeting("m", 2))
        name = f"bob-{ns}"
        bob = user(world, name)
        said = come(world, ns, "m", "--seat", "1", "--wait", expect=5, kubeconfig=bob).stderr
        assert f"allows get on meetings of API group sync.konductor.io in namespace {ns}" in said, said
        allow(world, ns, name, {"verb": "get", "resource": "meetings.sync.konductor.io"})
        wait_for("the role is in effect", lambda: "allows create on attendees" in come(world, ns, "m", "--seat", "1", expect=5, kubeconfig=bob).stderr)
        allow(world, ns, name, {"verb": "create,get", "resource": "attendees.sync.konductor.io"})
        wait_for("the role is in effect", lambda: world.kondctl("meeting", "come", "m", "--seat", "1", "-n", ns, kubeconfig=bob).returncode == 0)
        polls = start(world, ns, "come", "m", "--seat", "1", "--wait", kubeconfig=bob)
        waits(world, ns, polls, 1, 2)
        come(world, ns, "m", "--seat", "2")
        code, out, err = end_of(polls)
        assert code == 0, f"without list and watch it polls: {code}: {err}"


def test_wrong_command_lines_of_join_and_wait_are_refused_before_anything_is_sent(world):
    nowhere = Kubeconfig(world).to(closed_port())  # whatever asked it would not end with 2
    long = "n" * 5000
    cases = [(("come", "m", "--session", value), "--session must be") for value in ("0", "-1", "2147483648", "99999999999999999999", "first", "1.5")]
    cases += [(("await", "m", "--session", value), "--session must be") for value in ("0", "-7", "2147483648")]
    cases += [(("come", "m", "--seat", long), "--seat must have at most 63 characters, not 5000"), (("come", "m", "--seat", ""), "--seat must not be empty"),
              (("come", long), "name"), (("await", long), "name"), (("come", "m", "--holder", long), "253 characters"),
              (("come", "m", "--timeout", "0s"), "--timeout must be from"), (("await", "m", "--timeout", "0s"), "--timeout must be from"),
              (("await", "m", "--timeout", "-1s"), "--timeout"), (("come", "m", "--ttl", "5m"), "--ttl"), (("come", "m", "-n", long), "namespace"),
              (("await", "m", "--seat", "1"), "--seat"), (("come",), "NAME"), (("acquire", "m"), "has no command"), (("release", "m"), "has no command")]
    for words, says_it in cases:
        done = world.kondctl("meeting", *words, kubeconfig=nowhere)
        assert done.returncode == 2 and says_it in done.stderr, f"{' '.join(words)[:80]}: {done.returncode} {done.stderr[:500]}"
        assert done.stdout == "" and done.stderr.count("\n") == 1 and len(done.stderr) < 1200, done.stderr[:500]
    for words in (("come", "--help"), ("await", "--help"), ("--help",)):
        done = world.kondctl("meeting", *words, kubeconfig=nowhere)
        assert done.returncode == 0 and "meeting" in done.stdout, done
