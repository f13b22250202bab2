"""kondctl as a process: what it must do whatever it is asked, and how exactly it keeps its time."""
import time

EXACT = 0.1  # seconds: how late --timeout may be


def kondctl(world, ns, *arguments, expect=0, **options):
    done = world.kondctl(*arguments, "-n", ns, **options)
    assert done.returncode == expect, f"{' '.join(arguments)}: exit {done.returncode}, not {expect}: {done.stdout}{done.stderr}"
    assert expect == 0 or done.stdout == "", f"nothing is a result: {done.stdout}"
    assert expect == 0 or done.stderr.startswith("kondctl: "), f"it says why: {done.stderr}"
    return done


def end_of(process, timeout=20):
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


class Timeouts:
    """Measures that --timeout is kept, in one of three attempts: a machine that does much else is late by itself."""

    def __init__(self, world):
        self.world, self.late = world, []

    def start_time(self):
        began = time.monotonic()
        self.world.kondctl("plugin", "list")
        return time.monotonic() - began

    def measure(self, what, limit, *arguments, **options):
        for attempt in (1, 2, 3):
            before = self.start_time()
            began = time.monotonic()
            done = self.world.kondctl(*arguments, "--timeout", f"{limit}s", **options)
            took = time.monotonic() - began
            start = max(before, self.start_time())
            assert done.returncode == 124, f"{what}: exit {done.returncode}: {done.stderr}"
            assert took >= limit, f"{what}: gave up after {took:.3f} s of {limit} s"
            if took <= limit + EXACT + start:
                self.late.append(took - limit)
                return done
        raise AssertionError(f"{what}: took {took:.3f} s of {limit} s; a start takes {start:.3f} s")

    def __str__(self):
        return (f"{len(self.late)} time-outs, late by {min(self.late) * 1000:.0f} to {max(self.late) * 1000:.0f} ms, "
                "the start of the process included")
