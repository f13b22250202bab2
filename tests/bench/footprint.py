"""What it costs to have it: CPU of waiting, pods that go, start of kondctl, sizes."""
import os
import pathlib
import statistics
import subprocess
import tarfile
import tempfile
import time

import harness
from figures import Figure
from rig import scenario
from usage import cpu_seconds


@scenario()
def waiting(rig, number=1000, settle=5, seconds=30):
    """The operator's CPU while 1,000 claims wait and nothing else happens."""
    with rig.operator() as operator:
        rig.drive("wait", rig.namespace(), number=number)
        time.sleep(settle)
        pid, began = operator.process.pid, time.monotonic()
        before = cpu_seconds(pid)
        time.sleep(seconds)
        used = 100 * (cpu_seconds(pid) - before) / (time.monotonic() - began)
    rig.add(Figure("waiting", f"operator: CPU while {number:,} wait", used, "% of a core", 2, 0.5, note=f"over {seconds} s"))


@scenario(cluster="own")
def pods(rig, number=300, others=10_000, rate=200):
    """300 claims' pods are force-deleted at once, while 10,000 other pods change."""
    seen = {}
    with rig.operator() as operator:
        def note(line):
            seen[line["at"]] = {**line, "cpu": cpu_seconds(operator.process.pid), "when": time.monotonic()}
        rig.drive("pods", rig.namespace(), on_line=note, number=number, others=others, rate=rate)
    busy = share(seen["steady"], seen["deleting"])
    freeing = share(seen["deleting"], seen["window"])
    changes = seen["end"]["changes_per_second"]
    free, deleted = seen["free"]["seconds"], seen["deleted"]["seconds"]
    rig.add(Figure("pods", f"{number} pods gone at once: all claims free", free, "s", 2, 3,
                   note=f"the deletes alone took {deleted:.1f} s; half are free after {seen['free']['half_seconds']:.1f} s"),
            Figure("pods", "the same, from the answer to the last delete", max(0.0, free - deleted), "s", 2),
            Figure("pods", "operator: CPU meanwhile", freeing, "% of a core", 1, 10, note=f"over {seen['window']['seconds']:.1f} s"),
            Figure("pods", f"operator: CPU while {others:,} other pods change", busy, "% of a core", 1, 10, note=f"{changes:.0f} changes a second"))


def share(begin, end):
    return 100 * (end["cpu"] - begin["cpu"]) / (end["when"] - begin["when"])


@scenario(cluster="none")
def start(rig, runs=50):
    """From spawning `kondctl version` to its end."""
    program = str(harness.BUILD / "bin/kondctl")
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    times = []
    for _ in range(3 + runs):
        began = time.monotonic()
        status = os.waitpid(os.posix_spawn(program, [program, "version"], os.environ, file_actions=quiet), 0)[1]
        times.append(1000 * (time.monotonic() - began))
        if status != 0:
            raise AssertionError(f"kondctl version: {os.waitstatus_to_exitcode(status)}")
        time.sleep(0.01)
    rig.add(Figure("start", "kondctl version, p50", statistics.median(times[3:]), "ms", 1, 12, note=f"n = {runs}, least {min(times):.1f} ms"))


@scenario(cluster="none")
def sizes(rig):
    """Of what is installed."""
    programs = [harness.BUILD / "bin/konductor", harness.BUILD / "bin/kondctl", *sorted((harness.BUILD / "lib/konductor/1").glob("*.so"))]
    for program in programs:
        rig.add(Figure("sizes", f"size of {program.name}", program.stat().st_size / 1e6, "MB", 2))
    with tempfile.TemporaryDirectory(prefix="konductor-bench-") as folder:
        tar = pathlib.Path(folder, "image.tar.gz")
        made = subprocess.run([harness.ROOT / "packaging/image", "--output", tar, "--bin", harness.BUILD / "bin",
                               "--plugins", harness.BUILD / "lib/konductor/1"], capture_output=True, text=True)
        if made.returncode != 0:
            print(f"no size of the image: {made.stderr.strip()}")
            return
        with tarfile.open(tar) as archive, tarfile.open(fileobj=archive.extractfile("layer.tar")) as layer:
            unpacked = sum(entry.size for entry in layer)
        rig.add(Figure("sizes", "size of the image, compressed", tar.stat().st_size / 1e6, "MB", 1),
                Figure("sizes", "the same, unpacked", unpacked / 1e6, "MB", 1, 30))
