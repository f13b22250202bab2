"""`kondctl KIND run` where a shell has job control, and as process 1 of a container."""
import contextlib
import os
import pathlib
import pty
import re
import shlex
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
