"""What one flooded primitive costs its neighbours, and what many primitives cost the operator."""
import statistics
import threading

import harness
from figures import RATIO, Figure
from kinds import permit, semaphore
from rig import scenario
from usage import cpu_seconds, peak_rss_mb, rss_mb


@scenario(cluster="own")
def flooded(rig, number=5000, rounds=30):
    """A neighbour's acquire while 5,000 claims of one semaphore are granted, as fast as it goes; the floor beside as many raw status patches."""
    floor = beside(rig, "raw-patches", "floor-acquire", number, rounds)
    rig.clear()
    with rig.operator() as operator:
        ours = beside(rig, "grants", "acquire", number, rounds)
        peak = peak_rss_mb(operator.process.pid)
    rig.clear()
    rig.keep("flooded: floor", [floor])
    rig.keep("flooded: acquire", [ours])
    rig.add(Figure("flooded", "flooded: a neighbour's floor, p50", statistics.median(floor), "ms", 1, note=f"n = {len(floor)}"),
            Figure("flooded", "flooded: a neighbour's acquire, p50", statistics.median(ours), "ms", 1, note=f"n = {len(ours)}; most {max(ours):.0f} ms"),
            Figure("flooded", "flooded: acquire / floor", statistics.median(ours) / statistics.median(floor), RATIO, 2, 8, note="each beside 5,000 writes"),
            Figure("flooded", "operator: memory, at most, of 5,000 granted at once", peak, "MB", 1, 100))


def beside(rig, flood, rounds_of, number, rounds):
    """The milliseconds of rounds that run from the moment at which the flood begins, as far as they fall into it."""
    begun, over, times = threading.Event(), threading.Event(), []
    crowd, neighbour = rig.namespace(), rig.namespace()

    def note(line):
        if "ms" in line and begun.is_set() and not over.is_set():
            times.append(line["ms"])

    def measure():
        begun.wait()
        rig.drive(rounds_of, neighbour, note, rounds=rounds)

    thread = threading.Thread(target=measure)
    thread.start()
    try:
        rig.drive(flood, crowd, lambda line: begun.set() if line.get("at") == "begin" else None, number=number)
    finally:
        over.set()
        begun.set()
        thread.join()
    if not times:
        raise AssertionError("no round fell into the flood")
    return times


@scenario(cluster="own")
def many(rig, primitives=500, claims=20, permits=5):
    """500 semaphores with 20 claims each: what it takes, and what it costs when all is done."""
    with rig.operator() as operator:
        ns = rig.namespace()
        pid, before = operator.process.pid, cpu_seconds(operator.process.pid)
        harness.create_all(rig.world, ns, "semaphores", [semaphore(f"s{i}", permits) for i in range(primitives)])
        wanted = [permit(f"p{i}-{j}", f"s{i}") for j in range(claims) for i in range(primitives)]
        harness.create_all(rig.world, ns, "permits", wanted)
        held, waiting = primitives * permits, primitives * (claims - permits)
        harness.wait_for("all that fit hold", lambda: counts(operator) == (held, waiting), 60, every=0.5)
        used = cpu_seconds(pid) - before
        rig.add(Figure("many", f"{primitives} semaphores with {claims} claims: operator's CPU for a claim", 1000 * used / len(wanted), "ms", 2),
                Figure("many", "operator: memory, of these", rss_mb(pid), "MB", 1, 100))
    rig.clear()


def counts(operator):
    metrics = operator.metrics()
    return tuple(metrics.get(f'konductor_{state}{{kind="Semaphore"}}', -1) for state in ("holding", "waiting"))
