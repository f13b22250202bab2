"""All scenarios in the order in which they run, and what becomes of their figures."""
import json
import traceback

import command
import document
import footprint
import gathering
import harness
import latency
import machine
import overload
import plot
import throughput
from driver_program import driver
from figures import print_table
from rig import Rig

SCENARIOS = {
    "start": footprint.start,
    "sizes": footprint.sizes,
    "acquire": latency.acquire,
    "command": command.command,
    "handoff": latency.handoff,
    "queue": latency.queue,
    "grants": throughput.grants,
    "makespan": throughput.makespan,
    "barrier": gathering.barrier,
    "arrivals": gathering.arrivals,
    "waiting": footprint.waiting,
    "holders": latency.holders,
    "pods": footprint.pods,
    "flooded": overload.flooded,
    "many": overload.many,
}


def run(chosen, docs):
    """0 where everything could be measured, however it came out."""
    described = machine.describe()
    rig, failed = Rig(driver()), []
    try:
        for name in chosen:
            try:
                rig.run(name, SCENARIOS[name])
            except Exception:  # a scenario may fail in any way; the others go on
                failed.append(name)
                traceback.print_exc()
    finally:
        rig.down()
    described["kubernetes"] = rig.kubernetes
    print("\nAll figures")
    print_table(rig.figures)
    write(rig, described)
    if docs and not failed:
        document.rewrite(harness.ROOT / "docs/benchmarks.md", rig.figures, described)
        (harness.ROOT / "docs/benchmarks.svg").write_text(plot.svg(rig.figures))
    missed = [figure.what for figure in rig.figures if figure.holds is False]
    if missed:
        print(f"\nover their limit: {'; '.join(missed)}")
    if failed:
        print(f"\nnot measured: {', '.join(failed)}" + ("; the documentation stays as it was" if docs else ""))
    return 1 if failed else 0


def write(rig, described):
    result = {"machine": described, "figures": [figure.as_json() for figure in rig.figures], "milliseconds": rig.samples}
    (harness.ROOT / "build/bench.json").write_text(json.dumps(result, indent=1) + "\n")
