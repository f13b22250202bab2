"""`kondctl KIND run` where what is around it fails or is set up in odd ways: its guard, who reads its words, and the signals that it inherits."""
import contextlib
import fcntl
import os
import pathlib
import signal

from command import LOGGING, Command, is_gone, name_of
from credentials import Kubeconfig
from harness import wait_for
from kinds import phase, semaphore
from tcp_proxy import proxy_to
from test_run import never_together, permits

CATCHABLE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD, signal.SIGCONT, signal.SIGPIPE)
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)


def waits(world, ns):
    return any(phase(c) == "Pending" for c in permits(world, ns))


def loses_it_in_time(world, ns, command, lose):
    """Somebody else waits, the claim gets lost, and the command is at work no longer when the other one's begins."""
    with Command(world, ns, "q", "--wait", script=LOGGING) as other:
        wait_for("another waits", lambda: waits(world, ns))
        lose()
        other.wait_for("times", timeout=40)
        never_together(command, other)
        other.signal(signal.SIGTERM)
        other.end(143)


def cuts(proxy, command):
    """A way to lose it: the API server can't be reached, and kondctl ends the command."""
    def lose():
        proxy.refuses = True
        proxy.cut()
        command.end(125)
        proxy.refuses = False
    return lose


# ---- the guard


def replaced_guard(command, guard):
    os.kill(guard, signal.SIGSTOP)
    new = wait_for("another guard takes its place", lambda: command.guard() not in (None, guard) and command.guard(), 10)
    wait_for("the frozen one is gone", lambda: is_gone(guard), 5)
    return new


def test_a_frozen_guard_is_replaced_and_the_new_one_does_the_same(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for end in (signal.SIGKILL, signal.SIGSTOP):
            with Command(world, ns, "q", "--wait", "--ttl", "3s", script="trap '' TERM; " + LOGGING) as command:
                command.wait_for("times")
                pid, guard = int(command.text("pid")), command.guard()
                for _ in range(3):
                    guard = replaced_guard(command, guard)
                renewed = lambda: next(c["spec"].get("renewTime") for c in permits(world, ns) if phase(c) == "Granted")
                before = renewed()
                wait_for("it goes on to renew", lambda: renewed() != before)
                assert not is_gone(pid) and command.process.poll() is None, "the command goes on"

                def lose():
                    command.signal(end)
                    wait_for(f"{end.name} of kondctl: the guard has killed the command", lambda: is_gone(pid))
                loses_it_in_time(world, ns, command, lose)


# ---- nobody reads what it says


@contextlib.contextmanager
def full_pipe():
    """The writing end of a pipe into which nothing fits, and which nobody reads."""
    read, write = os.pipe()
    try:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(write, b"x" * 4096)
        os.set_blocking(write, True)  # for whoever gets it
        yield write
    finally:
        os.close(read)
        os.close(write)


def test_words_that_nobody_reads_hold_nothing_up(world):
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy, full_pipe() as full:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        config = Kubeconfig(world).to(proxy.url)
        script = "exec 2> $D/errors; trap 'echo TERM > $D/heard; exit 0' TERM; " + LOGGING  # the shell's own words find room
        with Command(world, ns, "q", "--ttl", "6s", script=script, kubeconfig=config, stderr=full) as command:
            command.wait_for("times")
            renew_time = lambda: permits(world, ns)[0]["spec"].get("renewTime")
            first = renew_time()
            wait_for("it is renewed", lambda: renew_time() != first)
            proxy.refuses = True
            proxy.cut()
            missed = wait_for("it tries again", lambda: proxy.refused > 1 and renew_time())
            proxy.refuses = False
            wait_for("after a short outage, of which it would say something, it is renewed", lambda: renew_time() != missed)
            assert command.process.poll() is None and command.text("heard") == ""
            loses_it_in_time(world, ns, command, cuts(proxy, command))
            assert command.text("heard") == "TERM\n", "it was asked to end, not only killed by the guard"


def test_hold_goes_on_where_nobody_reads_its_words(world):
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy, full_pipe() as full:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        ready = world.dir / f"ready-{ns}"
        flags = ("--ttl", "4s", "--ready-file", str(ready))
        with Command(world, ns, "q", *flags, verb="hold", words=None, kubeconfig=Kubeconfig(world).to(proxy.url), stdout=full, stderr=full) as hold:
            wait_for("it holds", ready.exists)
            proxy.refuses = True
            proxy.cut()
            wait_for("it says by the file that it may lose it", lambda: not ready.exists(), every=0.02)
            assert [phase(c) for c in permits(world, ns)] == ["Granted"], "before the operator gives its place away"
            hold.end(125)


# ---- signals that it inherits


def signals_of(pid, what):
    """SigBlk, SigIgn or ShdPnd of a process."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    bits = next(int(line.split()[1], 16) for line in lines if line.startswith(what + ":"))
    return {number for number in signal.Signals if bits >> (number - 1) & 1}


SLEEPS = ("sleep", "1000")  # changes nothing of the signals that it is given; a shell does


def sleeper(command):
    """The process of a command that SLEEPS."""
    children = pathlib.Path(f"/proc/{command.pid}/task/{command.pid}/children")
    return wait_for("it sleeps", lambda: next((int(p) for p in children.read_text().split() if name_of(p) == "sleep"), None))


def test_signals_that_were_blocked_are_heard_and_the_command_gets_the_mask_that_kondctl_got(world):
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        for numbers in ((), (signal.SIGTERM, signal.SIGINT), CATCHABLE):
            options = {"preexec_fn": lambda: signal.pthread_sigmask(signal.SIG_SETMASK, numbers)}
            with Command(world, ns, "q", "--wait", words=SLEEPS, **options) as command:
                pid = sleeper(command)
                assert signals_of(pid, "SigBlk") == set(numbers), signals_of(pid, "SigBlk")
                if signal.SIGTERM in numbers:
                    command.signal(signal.SIGTERM)
                    wait_for("it is passed on", lambda: signal.SIGTERM in signals_of(pid, "ShdPnd"))
                os.kill(pid, signal.SIGKILL)
                command.end(137)
                assert {phase(c) for c in permits(world, ns)} <= {"Expired"}, "given back; others' that were lost before are left"
            with Command(world, ns, "q", "--ttl", "3s", script=LOGGING, kubeconfig=Kubeconfig(world).to(proxy.url), **options) as command:
                command.wait_for("times")
                loses_it_in_time(world, ns, command, cuts(proxy, command))


def test_hold_and_acquire_hear_what_was_blocked_and_not_what_was_ignored(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        blocked = {"words": None, "preexec_fn": lambda: signal.pthread_sigmask(signal.SIG_SETMASK, CATCHABLE)}
        ignored = {"words": None, "preexec_fn": lambda: [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGHUP, signal.SIGINT)]}
        ready = world.dir / f"ready-{ns}"
        held = ("--wait", "--ready-file", str(ready))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with Command(world, ns, "q", *held, verb="hold", **blocked) as hold:
                wait_for("it holds", ready.exists)
                hold.signal(number)
                hold.end(0)
        with Command(world, ns, "q", *held, verb="hold", **ignored) as hold:
            wait_for("it holds", ready.exists)
            assert {signal.SIGHUP, signal.SIGINT} <= signals_of(hold.pid, "SigIgn"), "as under nohup, or in the background of a script"
            for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
                with Command(world, ns, "q", "--wait", verb="acquire", **blocked) as acquire:
                    acquire.says("waiting for")
                    acquire.signal(number)
                    acquire.end(code)
            with Command(world, ns, "q", "--wait", verb="acquire", **ignored) as acquire:
                acquire.says("waiting for")
                assert signal.SIGINT in signals_of(acquire.pid, "SigIgn")
                acquire.signal(signal.SIGTERM)
                acquire.end(143)
            hold.signal(signal.SIGTERM)
            hold.end(0)
        assert permits(world, ns) == []


def test_signals_that_were_ignored_stay_so_and_stop_nothing(world):
    with world.operator(), world.namespace() as ns, proxy_to(world.api.host.port) as proxy:
        world.api.create(ns, "semaphores", semaphore("q", 1))

        def ignore():
            for number in IGNORED:
                signal.signal(number, signal.SIG_IGN)

        options = {"preexec_fn": ignore, "restore_signals": False}
        with Command(world, ns, "q", words=SLEEPS, **options) as command:
            pid = sleeper(command)
            assert set(IGNORED) <= signals_of(pid, "SigIgn") and not signals_of(pid, "SigBlk"), signals_of(pid, "SigIgn")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                command.signal(number)
            os.kill(pid, signal.SIGKILL)
            command.end(137)
            assert permits(world, ns) == []
        with Command(world, ns, "q", "--ttl", "3s", script=LOGGING, kubeconfig=Kubeconfig(world).to(proxy.url), **options) as command:
            command.wait_for("times")
            loses_it_in_time(world, ns, command, cuts(proxy, command))
