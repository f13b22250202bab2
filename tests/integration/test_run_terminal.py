"""`kondctl KIND run` where a shell has job control, and as process 1 of a container."""
import contextlib
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import threading

from command import UNTIL_TOLD, Command, name_of, state_of
from harness import BUILD, wait_for
from kinds import semaphore


class Shell:
    """An interactive shell at a terminal of its own; what is typed and what it shows."""

    def __init__(self, folder):
        self.folder, self.shown = folder, ""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(["setsid", "--ctty", "bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave,
                                        env={**os.environ, "D": str(folder), "PS1": "$ ", "TERM": "dumb"}, close_fds=True)
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 4096):
                self.shown += data.decode(errors="replace")

    def types(self, text):
        os.write(self.master, text.encode())

    def shows(self, pattern, timeout=20):
        return wait_for(f"the terminal shows {pattern!r}, not only {self.shown!r}", lambda: re.search(pattern, self.shown), timeout)

    def file(self, name, timeout=20):
        return wait_for(f"{name} is written; the terminal shows {self.shown!r}", lambda: (self.folder / name).exists() and (self.folder / name).read_text(), timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(10)
        os.close(self.master)


def shell_for(world, ns, name):
    folder = world.dir / f"shell-{ns}-{name}"
    folder.mkdir()
    return Shell(folder)


def run_line(world, ns, script):
    words = [str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(world.kubeconfig),
             "semaphore", "run", "q", "-n", ns, "--", "sh", "-c", script]
    return shlex.join(words) + "\n"


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_command_has_the_terminal(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with shell_for(world, ns, "keys") as shell:
            script = "trap 'echo INT >> $D/heard' INT; read line; echo \"$line\" > $D/line; " + UNTIL_TOLD
            shell.types(run_line(world, ns, script))
            wait_for("the permit is held", lambda: world.api.list(ns, "permits"))
            shell.types("typed for it\n")
            assert shell.file("line") == "typed for it\n"
            shell.file("pid")
            shell.types("\x03")
            assert shell.file("heard") == "INT\n", "once: kondctl itself is not in the foreground"
            (shell.folder / "go").touch()
            shell.types("echo code=$?; echo again=$((40 + 2))\n")
            shell.shows(r"code=0\r?\n")
            shell.shows(r"again=42")
            assert world.api.list(ns, "permits") == []


def test_a_suspended_command_suspends_kondctl_and_both_go_on(world):
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        with shell_for(world, ns, "jobs") as shell:
            shell.types(run_line(world, ns, UNTIL_TOLD))
            pid = int(shell.file("pid"))
            kondctl = parent_of(pid)
            assert name_of(kondctl) == "kondctl"
            for turn in ("fg", "bg"):
                shell.types("\x1a")
                wait_for("both are suspended", lambda: state_of(pid) == "T" and state_of(kondctl) == "T")
                shell.types(f"echo {turn}-shell=$((20 + 3))\n")
                shell.shows(f"{turn}-shell=23")
                shell.types(f"{turn}\n")
                wait_for("both go on", lambda: state_of(pid) != "T" and state_of(kondctl) != "T")
            (shell.folder / "go").touch()
            shell.types("wait %1; echo code=$?\n")
            shell.shows(r"code=0\r?\n")
            assert world.api.list(ns, "permits") == []


def test_as_process_1_it_collects_zombies(world):
    if os.geteuid() != 0:
        return
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))
        orphan = "(setsid sh -c 'while [ ! -e $D/go ]; do sleep 0.02; done; : > $D/orphan' &) ; : > $D/started; while [ ! -e $D/orphan ]; do sleep 0.02; done; "
        clean = "while grep -q '^State:.Z' /proc/[0-9]*/status 2> /dev/null; do sleep 0.02; done; echo $PPID > $D/clean; exit 9"
        with Command(world, ns, "q", script=orphan + clean, prefix=("unshare", "--pid", "--fork", "--mount-proc")) as command:
            wait_for("it has started", lambda: (command.folder / "started").exists())
            command.touch("go")
            command.end(9)
            assert command.text("clean") == "1\n", "kondctl is process 1"
            assert world.api.list(ns, "permits") == []


AS_PROCESS_1 = {"prefix": ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")}


def test_as_process_1_it_returns_the_commands_code_when_orphans_end_with_it(world):
    """The orphans read from a pipe that the command alone has open: they end at the very moment at which it does."""
    if os.geteuid() != 0:
        return
    orphans = "mkfifo $D/f; exec 3<>$D/f; for i in 1 2 3 4 5 6 7 8; do (setsid sh -c \"exec 3>&-; : > $D/up$i; read x < $D/f\" &); done; "
    all_up = "for i in 1 2 3 4 5 6 7 8; do while [ ! -e $D/up$i ]; do sleep 0.01; done; done; "
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 6))
        ends = {"exit 7": 7, "exit 0": 0, "kill -9 $$": 137, "(setsid true &); (setsid true &); exit 9": 9, "exec 3>&-; (true &); exit 3": 3,
                "true & true & exit 4": 4}
        for _ in range(8):
            with contextlib.ExitStack() as stack:
                start = lambda end: stack.enter_context(Command(world, ns, "q", "--wait", script=orphans + all_up + end, **AS_PROCESS_1))
                for command, code in [(start(end), code) for end, code in ends.items()]:
                    command.end(code)
                assert world.api.list(ns, "permits") == [], "given back"


def test_as_process_1_it_passes_signals_on_and_withdraws_before_it_holds(world):
    if os.geteuid() != 0:
        return
    with world.operator(), world.namespace() as ns:
        world.api.create(ns, "semaphores", semaphore("q", 1))

        def terminate(command):
            children = pathlib.Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
            first, = (int(pid) for pid in children)
            assert name_of(first) == "kondctl"
            os.kill(first, signal.SIGTERM)

        with Command(world, ns, "q", script="trap 'exit 5' TERM; " + UNTIL_TOLD, **AS_PROCESS_1) as command:
            command.wait_for("pid")
            with Command(world, ns, "q", "--wait", script=": > $D/in", **AS_PROCESS_1) as waiter:
                waiter.says("waiting for")
                terminate(waiter)
                waiter.end(143)
                assert len(world.api.list(ns, "permits")) == 1 and not (waiter.folder / "in").exists()
            terminate(command)
            command.end(5)
            assert world.api.list(ns, "permits") == []
