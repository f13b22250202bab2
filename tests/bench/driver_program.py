"""The driver (Go, client-go): built once into the cache, keyed by its sources."""
import hashlib
import os
import pathlib
import platform
import subprocess
import tempfile

from base import Failure, last_lines, lock, xdg
from programs import SETUP, interrupt_with_parent

SOURCES = pathlib.Path(__file__).resolve().parent / "driver"
BUILD_LOCK_SECONDS = 900


def cache_folder():
    digest = hashlib.sha256()
    for file in sorted([*SOURCES.glob("*.go"), *SOURCES.glob("go.*")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return xdg("XDG_CACHE_HOME", ".cache") / "konductor" / "bench" / f"driver-{platform.machine()}-{digest.hexdigest()[:12]}"


def driver():
    """The path of the program, which is built first if need be."""
    folder = cache_folder()
    program = folder / "driver"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "lock", "w") as lock_file:
            lock(lock_file.fileno(), f"another build of {program} is under way", BUILD_LOCK_SECONDS)
            if not program.exists():
                build(program)
    return program


def build(program):
    found = subprocess.run([SETUP, "--print-go"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if found.returncode != 0:
        raise Failure(f"no Go to build the driver of the benchmarks with.\n{found.stderr.strip()}")
    print("building the driver: once, up to a minute", flush=True)
    environment = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOEXPERIMENT")}
    environment.update(CGO_ENABLED="0", GOFLAGS="-mod=readonly", GOTOOLCHAIN="local", GOWORK="off")
    with tempfile.TemporaryDirectory(prefix="partial-", dir=program.parent) as partial:
        made = pathlib.Path(partial, "driver")
        command = [found.stdout.strip(), "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", made, "."]
        done = subprocess.run(command, cwd=SOURCES, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, preexec_fn=interrupt_with_parent)
        if done.returncode != 0:
            raise Failure(f"the driver of the benchmarks can't be built:\n{last_lines(done.stdout)}")
        os.replace(made, program)
