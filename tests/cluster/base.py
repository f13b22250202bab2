"""What all parts of `cluster` use: how it fails, what it prints, how it waits for another run of itself."""

import contextlib
import fcntl
import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGING = HERE.parent.parent / "packaging"

LOCK_SECONDS = 300

messages = sys.stdout


class Failure(Exception):
    """What happened, why, and what to do: printed as it is."""


class Died(Failure):
    """A process that was being started is gone."""

    def __init__(self, message, port_taken):
        super().__init__(message)
        self.port_taken = port_taken


def say(text):
    print(f"cluster: {text}", file=messages, flush=True)


@contextlib.contextmanager
def stage(name):
    """Prints the name and the time of what is done in its body, with what the body appends to the yielded list."""
    notes = []
    start = time.monotonic()
    yield notes
    say(f"{name:<26}{time.monotonic() - start:6.1f} s  {' '.join(notes)}".rstrip())


def xdg(variable, fallback):
    value = os.environ.get(variable, "")
    return Path(value) if os.path.isabs(value) else Path.home() / fallback  # the XDG rule: relative ones are ignored


def lock(fd, what, seconds=LOCK_SECONDS):
    """Takes an exclusive flock, which the kernel gives back when the last process that inherited it is gone."""
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        if not told:
            say(f"waiting: {what}")
            told = True
        if time.monotonic() > deadline:
            raise Failure(f"gave up after {seconds} s: {what}. Look what it does, end it, and try again.")
        time.sleep(0.1)


def ending(status):
    return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"


def last_lines(text, count=20):
    return "\n".join("  | " + line for line in text.splitlines()[-count:])
