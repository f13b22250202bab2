#!/usr/bin/env python3
"""Process 1 of a node's namespaces: node_init.py FOLDER KEPT...

Gives the node places of its own for all that its programs keep at fixed places, below FOLDER, and then only collects
processes that have lost their parent. When it is killed the kernel ends every process in here; mounts and network follow.
The KEPT folders stay reachable by their names, also if they are below one of those places.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

BIND, RECURSIVE, SLAVE, SHARED = 0x1000, 0x4000, 0x80000, 0x100000  # MS_BIND, MS_REC, MS_SLAVE, MS_SHARED
NO_SETUID, NO_DEVICES, NO_PROGRAMS = 2, 4, 8

PRIVATE = {"/var/lib": "lib", "/var/log": "log", "/run": "run"}

# The kubelet wants these settings of the whole machine, and makes them. It finds them made, and the machine keeps its own.
SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0):
    encode = lambda text: None if text is None else os.fsencode(text)  # noqa: E731
    if libc.mount(encode(source), encode(target), encode(kind), flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting on {target}: {os.strerror(number)}")


def make_places(folder, kept):
    mount(None, "/", flags=RECURSIVE | SLAVE)  # nothing that is mounted here shows outside
    mount(None, "/", flags=RECURSIVE | SHARED)  # the kubelet's volumes show in containers
    handles = {path: os.open(path, os.O_PATH) for path in kept}
    settings = folder / "settings"
    for number, text in enumerate(SETTINGS.values()):
        settings.joinpath(str(number)).write_text(text + "\n")
    handles[settings] = os.open(settings, os.O_PATH)
    sources = {target: os.open(folder / name, os.O_PATH) for target, name in PRIVATE.items()}
    for target, handle in sources.items():
        mount(f"/proc/self/fd/{handle}", target, flags=BIND)
    for path, handle in handles.items():
        if not os.path.exists(path) or not os.path.samestat(os.stat(path), os.fstat(handle)):
            os.makedirs(path, exist_ok=True)
            mount(f"/proc/self/fd/{handle}", path, flags=BIND)
    mount("proc", "/proc", "proc", NO_SETUID | NO_DEVICES | NO_PROGRAMS)
    for number, name in enumerate(SETTINGS):
        if os.path.exists(f"/proc/sys/{name}"):
            mount(settings / str(number), f"/proc/sys/{name}", flags=BIND)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")  # of this network namespace only
    for handle in [*handles.values(), *sources.values()]:
        os.close(handle)


def tell(file, status):
    """To who started the process (see namespaces.py), in one piece; nobody asks about others."""
    if file.exists():
        partial = file.with_suffix(".partial")
        partial.write_text(str(status))
        os.replace(partial, file)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    folder = Path(sys.argv[1])
    make_places(folder, [Path(path) for path in sys.argv[2:]])
    folder.joinpath("ready").touch()
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                tell(folder / "ended" / str(pid), status)
        except ChildProcessError:
            pass


if __name__ == "__main__":
    main()
