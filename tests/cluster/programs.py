"""The programs of the cluster: found, or built from source once."""

import ctypes
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from base import HERE, PACKAGING, Failure, ending, last_lines, lock, say, stage, xdg

SETUP = PACKAGING / "setup"
BUILD_LOCK_SECONDS = 3600

# program: (folder below tools/, Go package)
PROGRAMS = {
    "etcd": ("etcd", "go.etcd.io/etcd/server/v3"),
    "etcdctl": ("etcd", "go.etcd.io/etcd/etcdctl/v3"),
    "kube-apiserver": ("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": ("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kubectl": ("kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
}

# Built only when a node is asked for.
NODE_PROGRAMS = {
    "kube-scheduler": ("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kubelet": ("kubernetes", "k8s.io/kubernetes/cmd/kubelet"),
    "kube-proxy": ("kubernetes", "k8s.io/kubernetes/cmd/kube-proxy"),
}


def versions():
    """The pinned (Kubernetes, etcd) versions; the go.mod files are the one place where they stand."""
    found = []
    for folder, module in (("kubernetes", "k8s.io/kubernetes"), ("etcd", "go.etcd.io/etcd/server/v3")):
        text = (HERE / "tools" / folder / "go.mod").read_text()
        found.append(re.search(rf"^(?:require)?\s+{re.escape(module)} (v\S+)$", text, re.M).group(1))
    return tuple(found)


def link_flags(folder):
    """Kubernetes' own build sets its version at link time; without it, everything reports v0.0.0."""
    flags = ["-s", "-w"]
    if folder == "kubernetes":
        version = versions()[0]
        major, minor = version.lstrip("v").split(".")[:2]
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            for name, value in (("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)):
                flags.append(f"-X {package}.{name}={value}")
    return " ".join(flags)


def cache_folder():
    """Keyed by what makes the programs what they are: the versions that we require and replace, and the flags.

    The other modules follow from those, so a program that is added to tools.go, and its go.sum, rebuild nothing.
    """
    digest = hashlib.sha256()
    for folder in ("kubernetes", "etcd"):
        lines = (HERE / "tools" / folder / "go.mod").read_text().splitlines()
        ours = [line for line in lines if not line.endswith("// indirect") and not line.startswith("//")]
        digest.update("\n".join([*ours, link_flags(folder)]).encode())
    kubernetes, etcd = versions()
    key = f"kubernetes-{kubernetes}-etcd-{etcd}-{platform.machine()}-{digest.hexdigest()[:8]}"
    return xdg("XDG_CACHE_HOME", ".cache") / "konductor" / "cluster" / key


def runnable(path):
    return path.is_file() and os.access(path, os.X_OK)


def programs_folder(node=False):
    """The folder with all programs: the user's, or one in the cache, built first if need be."""
    wanted = {**PROGRAMS, **(NODE_PROGRAMS if node else {})}
    given = os.environ.get("KUBEBUILDER_ASSETS", "")
    if given:
        folder = Path(given).absolute()
        absent = [name for name in wanted if not runnable(folder / name)]
        if absent:
            raise Failure(
                f"KUBEBUILDER_ASSETS={given} lacks {', '.join(absent)}.\n"
                "Put what is missing there, or unset KUBEBUILDER_ASSETS: then everything is built from source, once."
            )
        return folder
    cache = cache_folder()
    folder = cache / "bin"
    if not all(runnable(folder / name) for name in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        with open(cache / "lock", "w") as lock_file:
            lock(lock_file.fileno(), f"another build of {folder} is under way", BUILD_LOCK_SECONDS)
            build(cache, wanted, lock_file.fileno())
    return folder


def build(cache, wanted, lock_fd):
    """Builds what is absent. Each program is moved into place when it is complete, so a build that is cut off goes on later."""
    for left_over in cache.glob("partial-*"):  # of a build that was killed: we hold the lock
        shutil.rmtree(left_over)
    absent = [name for name in wanted if not runnable(cache / "bin" / name)]
    if not absent:
        return
    found = subprocess.run([SETUP, "--print-go"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if found.returncode != 0:
        raise Failure(f"no Go to build the cluster's programs with.\n{found.stderr.strip()}")
    go = found.stdout.strip()
    cost = "about 6 minutes on two cores" if PROGRAMS.keys() & set(absent) else "about 2 minutes on two cores"
    say(f"building {len(absent)} programs into {cache / 'bin'}: once, {cost}, 4 GB of disk for Go's caches")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="partial-", dir=cache) as partial:
        for number, name in enumerate(absent, 1):
            say(f"building {name} ({number} of {len(absent)}, {time.monotonic() - begin:.0f} s so far)")
            with stage(name):
                build_one(go, name, wanted[name], Path(partial), lock_fd)
                os.replace(Path(partial, name), cache / "bin" / name)


def build_one(go, name, source, partial, lock_fd):
    folder, package = source
    environment = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOEXPERIMENT")}
    environment.update(CGO_ENABLED="0", GOFLAGS="-mod=readonly", GOTOOLCHAIN="local", GOWORK="off")
    command = [go, "build", "-buildvcs=false", "-trimpath", "-ldflags", link_flags(folder), "-o", partial / name, package]
    log_path = partial / "log"
    for attempt in range(1, 4):
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                command, cwd=HERE / "tools" / folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=[lock_fd], preexec_fn=interrupt_with_parent,
            )
            status = wait_telling(process, name)
        if status == 0:
            return
        text = log_path.read_text(errors="replace")
        if attempt == 3 or not re.search(r"dial tcp|i/o timeout|reading https?:|TLS handshake|connection reset", text):
            break
        say(f"downloading failed (attempt {attempt} of 3), trying again in {5 * attempt} s")
        time.sleep(5 * attempt)
    raise Failure(
        f"building {name} failed: {shlex.join(map(str, command))} in {HERE / 'tools' / folder} ended {ending(status)}.\n"
        f"{last_lines(text)}\nWhat was built so far is kept; run the same command again when the cause is gone."
    )


def interrupt_with_parent():
    """In the child: a build must not go on for minutes after this script was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


def wait_telling(process, name):
    start = time.monotonic()
    try:
        while True:
            try:
                return process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                say(f"  still building {name}: {time.monotonic() - start:.0f} s")
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
