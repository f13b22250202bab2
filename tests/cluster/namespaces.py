"""Linux namespaces for processes that are started: made, and entered later."""

import contextlib
import ctypes
import os
import time

from processes import HostNamespaces

NEW_MOUNTS, NEW_NET, NEW_PIDS = 0x00020000, 0x40000000, 0x20000000  # CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID
KINDS = {"mnt": NEW_MOUNTS, "net": NEW_NET, "pid": NEW_PIDS}

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


class NewNamespaces(HostNamespaces):
    """The child becomes process 1 of a pid namespace, with mounts and a network of its own. With it, all of that ends."""

    @contextlib.contextmanager
    def around_fork(self):
        # Both calls change where children come to be; this process itself stays where it is.
        host = os.open("/proc/self/ns/pid", os.O_RDONLY)
        try:
            checked(libc.unshare(NEW_PIDS), "unshare")
            try:
                yield
            finally:
                checked(libc.setns(host, NEW_PIDS), "setns")
        finally:
            os.close(host)

    def enter(self):
        checked(libc.unshare(NEW_MOUNTS | NEW_NET), "unshare")
        os.umask(0o022)


class NamespacesOf(HostNamespaces):
    """Those of a process, which must be verified to be the right one after they are opened: see `check`.

    A pid namespace ends only when each process in it was collected by its parent, and outside of it nobody can be relied on
    for that. So who enters one becomes a child of its process 1, which tells in the folder `ended` how that child ended.
    """

    def __init__(self, pid, check, kinds, ended=None):
        self.pid = pid
        self.check = check
        self.kinds = kinds
        self.ended = ended
        self.fds = {}

    @contextlib.contextmanager
    def around_fork(self):
        with contextlib.ExitStack() as stack:
            for kind in self.kinds:
                self.fds[kind] = os.open(f"/proc/{self.pid}/ns/{kind}", os.O_RDONLY)
                stack.callback(os.close, self.fds[kind])
            self.check()
            if "pid" in self.kinds:
                host = os.open("/proc/self/ns/pid", os.O_RDONLY)
                stack.callback(os.close, host)
                checked(libc.setns(self.fds["pid"], NEW_PIDS), "setns")
                stack.callback(lambda: checked(libc.setns(host, NEW_PIDS), "setns"))
            yield

    def become_child(self):
        if "pid" in self.kinds:
            if os.fork() != 0:
                os._exit(0)
            self.ended.joinpath(str(os.getpid())).write_text("")

    def started(self, process, pid_file):
        if "pid" not in self.kinds:
            return process
        process.wait()  # the one in between
        return InnerProcess(self.ended, *pid_file.read_text().split())

    def enter(self):
        for kind in self.kinds:
            if kind != "pid":
                checked(libc.setns(self.fds[kind], KINDS[kind]), "setns")
        os.chdir("/")
        os.umask(0o022)  # as on any machine: containers with other users read what is made here


class InnerProcess:
    """A process in a pid namespace of its own, with what subprocess.Popen says about a child: poll, wait, returncode."""

    TOLD_SECONDS = 2

    def __init__(self, ended, pid, _start, inner_pid):
        self.file = ended / inner_pid
        self.returncode = None
        self.pid = int(pid)

    def poll(self):
        if self.returncode is None and self.file.read_text():
            self.returncode = os.waitstatus_to_exitcode(int(self.file.read_text()))
        return self.returncode

    def wait(self):
        """Only for one that is dead: until that is told."""
        deadline = time.monotonic() + self.TOLD_SECONDS
        while self.file.exists() and self.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
