"""A command under `kondctl KIND run`: what it does shows in files, for which tests wait."""
import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile

from harness import BUILD, wait_for


class Command:
    """`kondctl KIND run NAME [flags] -- sh -c SCRIPT` with a folder of its own, $D in the script."""

    def __init__(self, world, ns, name, *flags, script="", words=(), kind="semaphore", verb="run", kubeconfig=None, env=None, prefix=(), **popen):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=world.dir))
        command = () if words is None else ("--", *(words or ("sh", "-c", script)))  # hold has none
        self.process = subprocess.Popen(
            [*prefix, str(BUILD / "bin/kondctl"), "--plugin-dir", str(world.plugins), "--kubeconfig", str(kubeconfig or world.kubeconfig),
             kind, verb, name, "-n", ns, *flags, *command],
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": open(self.folder / "stderr", "wb"), **popen},
            env={**os.environ, "D": str(self.folder), **(env or {})})
        self.pid = self.process.pid

    def text(self, file):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / file).read_text()
        return ""

    def wait_for(self, file, words="", timeout=20):
        """Until the command has written this."""
        def there():
            code = self.process.poll()
            text = self.text(file)
            if words in text and text:
                return text
            assert code is None, f"kondctl ended with {code} before {file} was there: {self.text('stderr')}"
            return ""
        return wait_for(f"{file} {words}".strip(), there, timeout)

    def says(self, words, timeout=30):
        return wait_for(f"kondctl says {words!r}", lambda: words in self.text("stderr"), timeout)

    def touch(self, file):
        (self.folder / file).touch()

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, expect, timeout=30):
        code = self.process.wait(timeout)
        assert code == expect, f"exit {code}, not {expect}: {self.text('stderr')}"
        return self.text("stderr")

    def guard(self):
        """The PID of its guard."""
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return next((int(pid) for pid in children if name_of(pid) == "run-guard"), None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)


def name_of(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def state_of(pid):
    """R, S, T, Z, ...; nothing where there is no such process."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def is_gone(pid):
    return state_of(pid) in ("", "Z")


UNTIL_TOLD = "echo $$ > $D/pid; while [ ! -e $D/go ]; do sleep 0.02; done"
LOGGING = "echo $$ > $D/pid; while :; do date +%s.%N >> $D/times; sleep 0.02; done"


def times(command):
    """When a LOGGING command was at work, to its last complete line."""
    return [float(line) for line in command.text("times").splitlines(keepends=True) if line.endswith("\n") and line.strip()]
