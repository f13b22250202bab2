"""One cgroup for all pods of a node, in each hierarchy that this machine has."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from base import Failure

REMOVE_SECONDS = 10


def name_of(folder):
    """Found again from the folder alone, since whoever cleans up may have nothing else."""
    return "konductor-" + hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]


def hierarchies():
    """(mount point, options) of each; version 1 has several with controllers, version 2 one."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.startswith(("cgroup ", "cgroup2 ")):
            found.append((Path(fields.split()[4]), kind.split()[2].split(",") if kind.startswith("cgroup ") else ["cgroup2"]))
    return found


def controllers():
    found = set()
    for mount, options in hierarchies():
        with contextlib.suppress(FileNotFoundError):
            options = [*options, *mount.joinpath("cgroup.controllers").read_text().split()]
        found.update(options)
    return found


def make(name):
    for mount, options in hierarchies():
        if options == ["cgroup2"] and len(hierarchies()) == 1:
            for controller in ("cpu", "cpuset", "memory", "pids", "io"):
                with contextlib.suppress(OSError):  # what is missing is told by the kubelet
                    mount.joinpath("cgroup.subtree_control").write_text("+" + controller)
        group = mount / name
        group.mkdir(exist_ok=True)
        if "cpuset" in options:
            for file in ("cpuset.cpus", "cpuset.mems"):
                group.joinpath(file).write_text(mount.joinpath(file).read_text())


def remove(name):
    """The processes in it are dead; the kernel may take a moment to see that."""
    deadline = time.monotonic() + REMOVE_SECONDS
    for mount, _ in hierarchies():
        while (mount / name).exists():
            for folder, _, _ in os.walk(mount / name, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            if not (mount / name).exists():
                break
            if time.monotonic() > deadline:
                raise Failure(f"the cgroup {mount / name} can't be removed: processes are in it (cgroup.procs). End them first.")
            time.sleep(0.05)
