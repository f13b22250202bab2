"""`kondctl KIND run NAME -- COMMAND`: the command runs while the claim is held, and at no other time."""
import json
import os
import signal
import subprocess

from client import kondctl
from command import LOGGING, UNTIL_TOLD, Command, is_gone, times
from credentials import Kubeconfig
from harness import wait_for
from kinds import phase, semaphore
from tcp_proxy import proxy_to
from test_pods import pod, pod_exists


def run(world, ns, name, *words, flags=(), expect=0, **options):
    done = world.kondctl("semaphore", "run", name, "-n", ns, *flags, "--", *words, **options)
    assert done.returncode == expect, f"{words}: exit {done.returncode}, not {expect}: {done.stdout}{done.stderr}"
    return done


def permits(world, ns):
    return world.api.list(ns, "permits")


def api_proxy(world):
    return proxy_to(world.api.host.port)


# ---- what it is for


def test_its_code_is_the_commands_and_the_permit_is_free_at_the_end(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        plain, folder = world.dir / "no-program", world.dir
        plain.write_text("true\n")
        plain.chmod(0o644)
        cases = [(("true",), 0), (("sh", "-c", "exit 7"), 7), (("sh", "-c", "exit 3"), 3), (("sh", "-c", "kill -9 $$"), 137), (("sh", "-c", "kill -TERM $$"), 143),
                 (("no-such-program",), 127), (("/no/such/program",), 127), ((str(plain),), 126), ((str(folder),), 126)]
        for words, code in cases:
            done = run(world, ns, "q", *words, expect=code)
            assert permits(world, ns) == [], f"{words}: given back"
            assert (code in (126, 127)) == (words[0] in done.stderr), done.stderr
        assert run(world, ns, "q", "cat", input="from stdin\n").stdout == "from stdin\n", "its input and output are the command's"
        assert run(world, ns, "q", "printf", "%s|", "a b", "--wait", "-o", "").stdout == "a b|--wait|-o||"
        taken = json.loads(kondctl(world, ns, "semaphore", "acquire", "q", "-o", "json").stdout)
        assert "not available" in run(world, ns, "q", "true", expect=3).stderr
        run(world, ns, "q", "true", flags=("--conflict-exit-code", "75"), expect=75)
        run(world, ns, "q", "true", flags=("--wait", "--timeout", "300ms"), expect=124)
        assert [c["metadata"]["name"] for c in permits(world, ns) if phase(c) != "Denied"] == [taken["claim"]]
        run(world, ns, "missing", "true", expect=4)
        for line in (("q",), ("q", "--"), ("q", "--", "")):
            done = world.kondctl("semaphore", "run", "-n", ns, *line)
            assert done.returncode == 2 and "-- COMMAND" in done.stderr, done.stderr


def test_the_command_knows_what_it_holds(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 3))
        with Command(world, ns, "q", "--permits", "2", script="env > $D/half; mv $D/half $D/env; " + UNTIL_TOLD) as command:
            told = dict(line.split("=", 1) for line in command.wait_for("env").splitlines() if line.startswith("KONDUCTOR_"))
            claim, = permits(world, ns)
            assert told["KONDUCTOR_TOKEN"] == str(claim["status"]["token"]) and phase(claim) == "Granted"
            assert told["KONDUCTOR_CLAIM"] == claim["metadata"]["name"] and claim["spec"]["permits"] == 2
            assert (told["KONDUCTOR_PRIMITIVE"], told["KONDUCTOR_NAMESPACE"]) == ("q", ns)
            command.touch("go")
            command.end(0)
            assert permits(world, ns) == []


def test_the_command_inherits_what_was_open_and_nothing_of_kondctl(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        shell = ("sh", "-c", 'exec "$@" <&- 9> $D/nine', "sh")
        with Command(world, ns, "q", prefix=shell, script="echo through >&9; ls -l /proc/$$/fd > $D/half; mv $D/half $D/files; " + UNTIL_TOLD) as command:
            files = command.wait_for("files")
            assert command.text("nine") == "through\n"
            assert "socket:" not in files and "anon_inode" not in files and "0 -> /dev/null" in files, files
            command.touch("go")
            command.end(0)


def test_it_is_renewed_for_as_long_as_the_command_runs(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", "--ttl", "5s", script=UNTIL_TOLD) as command:
            command.wait_for("pid")
            seen = set()

            def renewed():
                claim, = permits(world, ns)
                assert phase(claim) == "Granted"
                seen.add(claim["spec"].get("renewTime"))
                return len(seen) > 4  # more than a time to live
            wait_for("it was renewed again and again", renewed)
            command.touch("go")
            command.end(0)


def test_who_waits_is_served_when_the_command_ends(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", script=UNTIL_TOLD) as first:
            first.wait_for("pid")
            with Command(world, ns, "q", "--wait", script="echo in > $D/in; " + UNTIL_TOLD) as second:
                wait_for("the second waits", lambda: [c for c in permits(world, ns) if phase(c) == "Pending"])
                assert second.text("in") == ""
                first.touch("go")
                first.end(0)
                second.wait_for("in")
                second.touch("go")
                second.end(0)


# ---- signals


def test_signals_go_to_the_whole_group(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 9))
        trap = "for s in INT TERM HUP QUIT USR1 USR2 WINCH; do trap \"echo $s >> $D/heard; [ $s = TERM ] && exit 5\" $s; done; "
        with Command(world, ns, "q", script=trap + UNTIL_TOLD) as command:
            command.wait_for("pid")
            for name in ("USR1", "USR2", "WINCH", "HUP", "QUIT", "INT", "TERM"):
                command.signal(getattr(signal, f"SIG{name}"))
                wait_for(f"it hears {name}", lambda: name in command.text("heard"))
            command.end(5)
        child = "sh -c 'trap \"\" HUP; echo $$ > $D/child; while :; do sleep 0.05; done' & wait"
        with Command(world, ns, "q", script="trap 'exit 6' TERM; " + child) as command:
            pid = int(command.wait_for("child"))
            command.signal(signal.SIGTERM)
            command.end(6)
            wait_for("nothing of its group is left", lambda: is_gone(pid), 5)
        assert permits(world, ns) == []


def test_a_second_interrupt_hurries(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", script="trap 'echo x >> $D/heard' INT; " + UNTIL_TOLD) as command:
            command.wait_for("pid")
            for count in (1, 2):
                command.signal(signal.SIGINT)
                wait_for("it is passed on", lambda: command.text("heard").count("x") >= count)
            command.end(137)
            assert permits(world, ns) == []


def test_who_is_told_to_end_before_it_holds_withdraws(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        kondctl(world, ns, "semaphore", "acquire", "q")
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            with Command(world, ns, "q", "--wait", script="echo in > $D/in") as command:
                wait_for("it waits", lambda: len(permits(world, ns)) == 2 and all(phase(c) for c in permits(world, ns)))
                command.signal(number)
                command.end(code)
                assert command.text("in") == "" and len(permits(world, ns)) == 1


# ---- one claim is one process's


def test_two_runs_never_share_one_claim(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", "--holder", "me", script=UNTIL_TOLD) as first:
            first.wait_for("pid")
            claim, = permits(world, ns)
            for flags in ((), ("--wait",), ("--wait", "--timeout", "1s")):
                done = run(world, ns, "q", "true", flags=("--holder", "me", *flags), expect=2)
                assert "--as SLOT" in done.stderr and "in use by another process" in done.stderr, done.stderr
            run(world, ns, "q", "true", flags=("--holder", "me", "--as", "2"), expect=3)
            assert [c["metadata"]["uid"] for c in permits(world, ns) if phase(c) == "Granted"] == [claim["metadata"]["uid"]]
            with Command(world, ns, "q", "--holder", "you", "--wait", script=UNTIL_TOLD) as waiter:
                wait_for("it waits", lambda: any(c["spec"]["holder"] == "you" and phase(c) == "Pending" for c in permits(world, ns)))
                run(world, ns, "q", "true", flags=("--holder", "you", "--wait", "--timeout", "500ms"), expect=2)
                first.touch("go")
                first.end(0)
                waiter.wait_for("pid")
                waiter.touch("go")
                waiter.end(0)


def test_in_a_pod_the_claim_is_the_pods(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        pod_exists(world, ns)
        meta = world.api.create(ns, "pods", pod("worker"))["metadata"]
        of_pod = {"env": {"POD_NAME": "worker", "POD_NAMESPACE": ns, "POD_UID": meta["uid"]}}
        with Command(world, ns, "q", script=UNTIL_TOLD, **of_pod) as first:
            first.wait_for("pid")
            claim, = permits(world, ns)
            assert claim["spec"]["pod"] == {"name": "worker", "uid": meta["uid"]} and claim["spec"]["holder"] == "worker"
            assert claim["metadata"]["ownerReferences"][0]["uid"] == meta["uid"]
            assert "--as SLOT" in run(world, ns, "q", "true", expect=2, **of_pod).stderr, "a second container does not share it silently"
            uids = []
            for end in (lambda c: (c.signal(signal.SIGTERM), c.end(143)), lambda c: (first.touch("go"), c.end(0))):
                with Command(world, ns, "q", "--wait", "--as", "b", script="true", **of_pod) as second:
                    waits = wait_for("it waits", lambda: [c for c in permits(world, ns) if phase(c) == "Pending"])
                    uids.append(waits[0]["metadata"]["uid"])
                    end(second)
            assert uids[0] == uids[1], "a container that is restarted before its turn keeps its place"
            first.end(0)
            assert permits(world, ns) == []


# ---- when it is lost


def test_a_short_outage_is_not_noticed_by_the_command(world):
    with world.operator(), world.namespace() as ns, api_proxy(world) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", "--ttl", "9s", script=UNTIL_TOLD, kubeconfig=Kubeconfig(world).to(proxy.url)) as command:
            command.wait_for("pid")
            proxy.refuses = True
            proxy.cut()
            command.says("could not be renewed and is tried again")
            before = permits(world, ns)[0]["spec"].get("renewTime")
            proxy.refuses = False
            wait_for("it is renewed", lambda: permits(world, ns)[0]["spec"].get("renewTime") != before)
            command.says("renewed again")
            command.touch("go")
            command.end(0)


def never_together(earlier, later):
    """The first command was not at work any more when the second one began."""
    assert times(earlier) and times(later), "both were at work"
    assert times(earlier)[-1] < times(later)[0], f"together for {times(earlier)[-1] - times(later)[0]:.3f} s"


def test_an_outage_longer_than_the_ttl_stops_the_command_before_its_end(world):
    with world.operator(), world.namespace() as ns, api_proxy(world) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = Kubeconfig(world).to(proxy.url)
        script = "trap 'echo TERM > $D/heard; exit 0' TERM; " + LOGGING
        with Command(world, ns, "q", "--ttl", "3s", script=script, kubeconfig=config) as command:
            command.wait_for("times")
            with Command(world, ns, "q", "--wait", script=LOGGING) as other:
                proxy.refuses = True
                proxy.cut()
                said = command.end(125)
                assert "stopping the command" in said and "could not be renewed" in said, said
                assert command.text("heard") == "TERM\n", "it was asked to end first"
                other.wait_for("times")
                never_together(command, other)


def test_a_command_that_does_not_end_is_killed_before_the_ttl_is_over(world):
    with world.operator(), world.namespace() as ns, api_proxy(world) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = Kubeconfig(world).to(proxy.url)
        script = "trap '' TERM; (trap '' TERM; " + LOGGING + ") & wait"
        with Command(world, ns, "q", "--ttl", "3s", script=script, kubeconfig=config) as command:
            command.wait_for("times")
            with Command(world, ns, "q", "--wait", script=LOGGING) as other:
                proxy.refuses = True
                proxy.cut()
                command.end(125)
                other.wait_for("times")
                never_together(command, other)


def test_a_claim_that_is_taken_away_stops_the_command_at_once(world):
    ends = {"deleted": lambda ns, name: world.kubectl("delete", "permit", name, "-n", ns),
            "expired": lambda ns, name: world.api.patch(ns, "permits", name, {"status": {"phase": "Expired"}}, "status"),
            "revoked": lambda ns, name: world.api.patch(ns, "permits", name, {"status": {"phase": "Revoked"}}, "status")}
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1, ttl="1h"))
        for what, end in ends.items():
            with Command(world, ns, "q", "--wait", script="trap '' TERM; " + LOGGING) as command:
                pid = int(command.wait_for("pid"))
                claim = next(c for c in permits(world, ns) if phase(c) == "Granted")
                end(ns, claim["metadata"]["name"])
                said = command.end(125, 10)
                assert "the claim is lost" in said, f"{what}: {said}"
                assert is_gone(pid), what


def test_who_is_asked_to_give_back_has_the_grace_to_end(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1, ttl="1h"))
        with Command(world, ns, "q", script="trap 'echo TERM > $D/heard; while [ ! -e $D/last ]; do sleep 0.02; done; exit 0' TERM; " + UNTIL_TOLD) as command:
            command.wait_for("pid")
            claim, = permits(world, ns)
            world.api.patch(ns, "permits", claim["metadata"]["name"], {"status": {"phase": "Revoking", "grace": "30s"}}, "status")
            command.wait_for("heard", "TERM")
            command.touch("last")
            assert "asks for it back" in command.end(125)
            assert permits(world, ns) == [], "given back at once"


def test_the_primitive_may_go_and_come_back_under_a_holder(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1, ttl="1h"))
        with Command(world, ns, "q", script=UNTIL_TOLD) as command:
            command.wait_for("pid")
            world.api.delete(ns, "semaphores", "q")
            wait_for("it is gone", lambda: world.api.list(ns, "semaphores") == [])
            world.api.create(ns, "semaphores", semaphore("q", 1))
            run(world, ns, "q", "true", expect=3)
            assert command.process.poll() is None, "who holds goes on, and still counts"
            command.touch("go")
            command.end(0)
            run(world, ns, "q", "true", flags=("--wait",))


# ---- the guard


def test_the_guard_kills_the_group_of_a_kondctl_that_was_killed(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 9))
        script = "trap '' TERM HUP; sh -c 'echo $$ > $D/child; while :; do sleep 0.05; done' & " + UNTIL_TOLD
        with Command(world, ns, "q", script=script) as command:
            pids = [int(command.wait_for("pid")), int(command.wait_for("child")), command.guard()]
            command.signal(signal.SIGKILL)
            for pid in pids:
                wait_for(f"{pid} is gone", lambda: is_gone(pid), 5)


def test_a_guard_that_was_killed_is_replaced(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 9))
        with Command(world, ns, "q", script=UNTIL_TOLD) as command:
            pid, first = int(command.wait_for("pid")), command.guard()
            os.kill(first, signal.SIGKILL)
            wait_for("there is another", lambda: command.guard() not in (None, first), 5)
            command.signal(signal.SIGKILL)
            wait_for("the group is gone", lambda: is_gone(pid), 5)


def test_the_guard_holds_no_pipe_open_and_ends_with_the_command(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 9))
        with Command(world, ns, "q", script="echo out; exec 1>&-; " + UNTIL_TOLD) as command:
            command.wait_for("pid")
            guard = command.guard()
            assert not [f for f in os.listdir(f"/proc/{guard}/fd") if "pipe" in os.readlink(f"/proc/{guard}/fd/{f}")]
            command.touch("go")
            assert command.process.stdout.read() == b"out\n"
            command.end(0)
            wait_for("the guard is gone", lambda: is_gone(guard), 5)


def test_a_frozen_kondctl_leaves_no_command_beyond_its_ttl(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with Command(world, ns, "q", "--ttl", "2s", script="trap '' TERM; " + LOGGING) as command:
            pid = int(command.wait_for("pid"))
            command.wait_for("times")
            with Command(world, ns, "q", "--wait", script=LOGGING) as other:
                command.signal(signal.SIGSTOP)
                wait_for("the guard has killed it", lambda: is_gone(pid))
                other.wait_for("times")
                never_together(command, other)
                command.signal(signal.SIGCONT)
                assert "lost" in command.end(125)
                assert other.process.poll() is None
                assert [c["spec"]["holder"] for c in permits(world, ns) if phase(c) == "Granted"], "the other one's stays"
