"""Whole processes, started as cheaply as can be: what is measured is theirs."""
import os
import shutil
import time

import harness

APART_SECONDS = 0.05  # between two of them: what the one before still moves is over
WARM = 3              # rounds that do not count


def start(*command, env=None):
    """The PID of a process whose output nobody reads."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    return os.posix_spawn(shutil.which(command[0]), [str(word) for word in command], {**os.environ, **(env or {})}, file_actions=quiet)


def run(*command, env=None):
    status = os.waitstatus_to_exitcode(os.waitpid(start(*command, env=env), 0)[1])
    if status != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {status}")


def kondctl(world, *arguments):
    return harness.BUILD / "bin/kondctl", "--plugin-dir", world.plugins, "--kubeconfig", world.kubeconfig, *arguments


def rounds_of(rounds, once, afterwards=lambda: None):
    """The milliseconds of `once`, again and again."""
    times = []
    for _ in range(WARM + rounds):
        began = time.monotonic()
        once()
        times.append((time.monotonic() - began) * 1000)
        time.sleep(APART_SECONDS)
        afterwards()
        time.sleep(APART_SECONDS)
    return times[WARM:]
