"""How many grants a second, and how close to the ideal a queue of work comes."""
import math
import statistics
import threading
import time

from figures import RATIO, Figure
from kinds import semaphore
from rig import scenario
from spawned import kondctl, run
from usage import cpu_seconds


@scenario()
def grants(rig, blocks=3, number=1000):
    """1,000 wait, one patch raises the limit; against as many status patches, as many at a time as the operator sends."""
    raw, ours, cpu = [], [], []
    for _ in range(blocks):
        line = rig.drive("raw-patches", rig.namespace(), number=number)[-1]
        raw.append(line["number"] / line["seconds"])
        rig.clear()
        with rig.operator() as operator:
            used = {}
            line = rig.drive("grants", rig.namespace(), number=number,
                             on_line=lambda line: used.update({line["at"]: cpu_seconds(operator.process.pid)}))[-1]
        ours.append(line["number"] / line["seconds"])
        cpu.append(used["end"] - used["begin"])
        rig.clear()
    each = [a / b for a, b in zip(ours, raw)]
    rig.add(Figure("grants", "raw status patches", statistics.median(raw), "/s", 0, note=f"{min(raw):.0f} to {max(raw):.0f}"),
            Figure("grants", "grants with 1,000 waiting", statistics.median(ours), "/s", 0, note=f"{min(ours):.0f} to {max(ours):.0f}"),
            Figure("grants", "grants / raw status patches", statistics.median(ours) / statistics.median(raw), RATIO, 2, 0.8, True,
                   note=f"blocks {min(each):.2f} to {max(each):.2f}"),
            Figure("grants", "operator: CPU of a grant", 1000 * statistics.median(cpu) / number, "ms", 2))


@scenario()
def makespan(rig, workers=50, limit=3, seconds=1.0):
    """50 shells that each acquire with kondctl, work a second, release."""
    ideal = math.ceil(workers / limit) * seconds
    with rig.operator():
        ns, failed = rig.namespace(), []
        rig.world.api.create(ns, "semaphores", semaphore("q", limit, ttl="1h"))
        time.sleep(1.1)

        def work(number):
            common = ["q", "--holder", f"worker-{number}", "-n", ns, "-q"]
            try:
                run(*kondctl(rig.world, "semaphore", "acquire", *common, "--wait"))
                time.sleep(seconds)
                run(*kondctl(rig.world, "semaphore", "release", *common))
            except AssertionError as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
    if failed:
        raise failed[0]
    rig.add(Figure("makespan", f"{workers} × {seconds:g} s through {limit}", took, "s", 2, note=f"ideal {ideal:g} s, with kondctl"),
            Figure("makespan", "makespan / ideal", took / ideal, RATIO, 3, 1.05))
