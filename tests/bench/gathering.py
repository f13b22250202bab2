"""Barriers: how long after the last arrival all who wait are free, and what it costs that they arrive."""
import functools
import os
import re
import selectors
import statistics
import time

import harness
import kinds
from figures import RATIO, Figure, latency, quantile, ratio
from rig import scenario
from spawned import kondctl, start
from usage import cpu_seconds

p99 = functools.partial(quantile, share=0.99)


@scenario()
def barrier(rig, blocks=3, rounds=2, number=1000, processes=100):
    """The last arrival to each of 1,000 watchers seeing it open; against one status patch of an object that as many watch."""
    floor, ours, answered, whole = [], [], [], []
    for _ in range(blocks):
        floor.append(released(rig, "floor-release", rounds, number)[0])
        rig.clear()
        with rig.operator():
            sent, after = released(rig, "release", rounds, number)
            ours.append(sent)
            answered.append(after)
            whole.append(kondctl_released(rig, processes))
        rig.clear()
    for name, samples in ((f"barrier: floor, {number:,} watchers", floor), (f"barrier: {number:,} watchers", ours),
                          (f"barrier: {processes} kondctl wait", whole)):
        rig.keep(name, samples)
        rig.add(*latency("barrier", name, sum(samples, [])))
    rig.add(Figure("barrier", "the watchers, from the answer to the last arrival, p99", p99(sum(answered, [])), "ms"),
            ratio("barrier", f"barrier: {number:,} watchers / floor, p99", ours, floor, 3, of=p99))


def released(rig, command, rounds, number):
    """The milliseconds from what frees the watchers, as it is sent and as it is answered, to each of them."""
    lines = rig.drive(command, rig.namespace(), rounds=rounds, number=number)
    return [ms for line in lines for ms in line["ms"]], [ms - line["answer_ms"] for line in lines for ms in line["ms"]]


def kondctl_released(rig, number):
    """Whole processes: from sending the last arrival to the end of each `kondctl barrier wait`."""
    world, ns = rig.world, rig.namespace()
    world.api.create(ns, "barriers", kinds.barrier("b", 1))
    watches = barrier_watches(rig)
    waiting = [start(*kondctl(world, "barrier", "wait", "b", "-n", ns, "-q", "--timeout", "2m")) for _ in range(number)]
    harness.wait_for(f"{number} kondctl watch", lambda: barrier_watches(rig) >= watches + number, 60, every=0.5)
    time.sleep(1)
    began = time.monotonic()
    posted = harness.POOL.submit(world.api.create, ns, "arrivals", kinds.arrival("last", "b", "last"))
    ends = when_ended(waiting)
    posted.result()
    return [1000 * (end - began) for end in ends]


def barrier_watches(rig):
    """How many the API server serves now."""
    text = rig.world.api.request("GET", "/metrics")["message"]
    lines = re.findall(r'^apiserver_longrunning_requests\{(.*)\} (\S+)$', text, re.M)
    return sum(float(value) for labels, value in lines if 'resource="barriers"' in labels and 'verb="WATCH"' in labels)


def when_ended(pids, patience=60):
    """When each of the processes ended; all of them must have done so well."""
    with selectors.DefaultSelector() as selector:
        for pid in pids:
            selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
        ends, until = [], time.monotonic() + patience
        while selector.get_map():
            ready = selector.select(until - time.monotonic())
            now = time.monotonic()
            if not ready:
                raise AssertionError(f"{len(selector.get_map())} of {len(pids)} processes have not ended in {patience} s")
            for key, _ in ready:
                selector.unregister(key.fd)
                os.close(key.fd)
                status = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                if status != 0:
                    raise AssertionError(f"kondctl barrier wait: exit {status}")
                ends.append(now)
    return ends


@scenario()
def arrivals(rig, blocks=3, number=1000):
    """1,000 arrive at one barrier, as many at a time as in the other scenarios; against as many bare creates."""
    raw, ours, cpu, lines = [], [], [], []
    for _ in range(blocks):
        raw.append(rig.drive("raw-creates", rig.namespace(), number=number)[-1]["seconds"])
        rig.clear()
        with rig.operator() as operator:
            used = {}
            line = rig.drive("arrivals", rig.namespace(), number=number,
                             on_line=lambda line: used.update({line["at"]: cpu_seconds(operator.process.pid)}))[-1]
        lines.append(line)
        ours.append(line["seconds"])
        cpu.append(used["end"] - used["begin"])
        rig.clear()
    median, each = statistics.median, [a / b for a, b in zip(ours, raw)]
    writes, after = ([line[name] for line in lines] for name in ("writes", "after_last"))
    rig.add(Figure("arrivals", "raw creates of Arrivals", number / median(raw), "/s", 0, note=f"{number / max(raw):.0f} to {number / min(raw):.0f}"),
            Figure("arrivals", f"{number:,} arrivals, until the Barrier is open", number / median(ours), "/s", 0,
                   note=f"{number / max(ours):.0f} to {number / min(ours):.0f}"),
            Figure("arrivals", f"{number:,} arrivals until open / raw creates", median(ours) / median(raw), RATIO, 2,
                   note=f"blocks {min(each):.2f} to {max(each):.2f}"),
            Figure("arrivals", "operator: writes of the Barrier, of these", max(writes), digits=0, note=f"at most; {min(writes)} at least"),
            Figure("arrivals", "operator: writes of the Barrier after the last arrival", max(after), digits=0, limit=1,
                   note=f"the most of {blocks} blocks"),
            Figure("arrivals", "operator: CPU of an arrival", 1000 * median(cpu) / number, "ms", 2))
