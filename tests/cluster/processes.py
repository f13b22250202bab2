"""Processes of one cluster and the folder that they live in: started, found again by whoever comes later, and ended."""

import contextlib
import os
import random
import select
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from base import Failure, lock

# A folder is a cluster's only if this file is in it: nothing else is ever removed.
MARKER = ".konductor-cluster"

# Below Linux's ephemeral range (32768 and up), where any outgoing connection could take the port
# of a process that is stopped for a moment, and below Kubernetes' node ports (30000 and up).
PORTS = range(20000, 30000)

STOP_SECONDS = 5


def process_stat(pid):
    """(state, start time in ticks since boot) of a live process, or None: fields 3 and 22 of /proc/PID/stat."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else (fields[0], fields[19])


def free_ports(count, taken=()):
    chosen = []
    for port in random.sample(PORTS, len(PORTS)):
        if port in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: TIME_WAIT is no obstacle
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise Failure(f"no {count} free ports between {PORTS.start} and {PORTS.stop - 1}: stop what listens there.")


class HostNamespaces:
    """Where a process is started: what is done around the fork, and by the child before it becomes the program."""

    @contextlib.contextmanager
    def around_fork(self):
        yield

    def become_child(self):
        """In the child, which is another one after that; still with the host's files."""

    def enter(self):
        pass

    def started(self, process, _pid_file):
        """What is asked from now on whether the process ended, and how."""
        return process


class Processes:
    """The processes that have a pid file in run/ of one folder."""

    def __init__(self, folder):
        self.folder = Path(folder).expanduser().resolve()
        self.lock_fd = None
        self.started = {}  # name: Popen, of the processes that this very run started
        self.log_starts = {}  # name: where in its log file this start begins

    def path(self, *parts):
        return self.folder.joinpath(*parts)

    def __str__(self):
        return str(self.folder)

    # -- the folder

    def lock(self, create):
        """Locks the folder itself, so that nothing is left beside it. False: there is none.

        A process that is being started inherits the lock until it has become etcd, kube-apiserver or the like, and
        then its pid file is there. So whoever gets the lock after an `up` was killed finds every process that `up` made.
        """
        while True:
            if create:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                if create:
                    continue
                return False
            lock(fd, f"another command works on {self}")
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(self.folder)):
                    self.lock_fd = fd
                    return True
            os.close(fd)  # removed, perhaps made anew, while we waited

    def claim(self):
        """Makes the locked folder ours, or refuses."""
        if not self.is_ours() and os.listdir(self.folder):
            raise Failure(
                f"{self} is not empty and is not the folder of a cluster (there is no {MARKER} in it), "
                "so nothing in it is touched. Choose another --dir."
            )
        self.path(MARKER).touch()

    def is_ours(self):
        return self.path(MARKER).exists()

    def empty(self):
        """Removes all but the marker: killed half-way, it can be run again."""
        for entry in list(self.folder.iterdir()):
            if entry.name != MARKER:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()

    def remove_folder(self):
        self.empty()
        self.path(MARKER).unlink()
        self.folder.rmdir()

    def write(self, name, text):
        """Whole or not at all, also when killed."""
        target = self.path(name)
        partial = target.with_name(target.name + ".partial")
        partial.write_text(text)
        os.replace(partial, target)

    # -- starting and stopping

    def spawn(self, name, command, where=HostNamespaces()):
        if self.pid(name):
            raise Failure(f"{name} of {self} runs already.")
        unblock = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

        def become():  # in the child; from here on `down` finds it
            where.become_child()
            me = os.readlink("/proc/self")  # os.getpid() is the one in a pid namespace, where the process is in one
            self.write(f"run/{name}.pid", f"{me} {process_stat(me)[1]} {os.getpid()}\n")
            for fd in map(int, os.listdir("/proc/self/fd")):
                if fd > 2:  # also what our caller left open: whoever waits for the end of a pipe would wait for us
                    with contextlib.suppress(OSError):
                        os.set_inheritable(fd, False)
            where.enter()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, unblock)

        # Little environment: etcd takes settings from ETCD_* variables, and proxies are none of ours.
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "GOMAXPROCS") if key in os.environ}
        signal.pthread_sigmask(signal.SIG_BLOCK, unblock)  # an interrupt comes before the child is there, or after it has its pid file
        try:
            with open(self.path("logs", f"{name}.log"), "ab") as log, where.around_fork():
                self.log_starts[name] = log.tell()
                process = subprocess.Popen(
                    command, cwd="/", env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True, close_fds=False, preexec_fn=become,
                )
                self.started[name] = where.started(process, self.path("run", f"{name}.pid"))
        except (OSError, subprocess.SubprocessError) as error:
            raise Failure(f"{command[0]} can't be started: {error}.") from None
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, unblock)

    def log_of(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("logs", f"{name}.log"), "rb") as log:
                log.seek(self.log_starts.get(name, 0))
                return log.read().decode(errors="replace")
        return ""

    def pid(self, name):
        """The pid of our process, or None: the start time and the folder in its command line prove that it is ours."""
        try:
            pid, start = self.path("run", f"{name}.pid").read_text().split()[:2]
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        stat = process_stat(pid)
        if stat is None or stat[1] != start:
            return None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if os.fsencode(self.folder) + b"/" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
        return None

    def send(self, name, *signals):
        """Signals our process through a handle that can't come to mean another process. The handle, or None if it does not run."""
        pid = self.pid(name)
        if pid is None:
            return None
        try:
            handle = os.pidfd_open(pid)
            if self.pid(name) == pid:
                for number in signals:
                    signal.pidfd_send_signal(handle, number)
                return handle
            os.close(handle)
        except ProcessLookupError:
            pass
        except PermissionError:
            raise Failure(f"{name} (pid {pid}) of {self} belongs to another user: run this command as that user.") from None
        return None

    def stop(self, name, kill=False, seconds=STOP_SECONDS):
        """Ends a process: SIGTERM, and SIGKILL if it is still there after 5 s. Whether it ran."""
        signals = [signal.SIGKILL] if kill else [signal.SIGTERM, signal.SIGCONT]  # a paused one must go on to end
        handle = self.send(name, *signals)
        if handle is not None:
            if not select.select([handle], [], [], seconds)[0]:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                if not select.select([handle], [], [], seconds)[0]:
                    raise Failure(f"{name} did not end within {seconds} s of SIGKILL: the kernel holds it (disk?). Try again later.")
            os.close(handle)
        self.path("run", f"{name}.pid").unlink(missing_ok=True)
        if name in self.started:
            self.started.pop(name).wait()
        return handle is not None

