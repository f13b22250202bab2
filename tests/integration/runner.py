"""Runs functions `test_*` of the files test_*.py of a folder in one world, and counts."""
import argparse
import concurrent.futures
import importlib
import re
import signal
import sys
import time
import traceback


def tests_in(folder, only):
    tests = []
    for file in sorted(folder.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        tests += [(f"{file.stem}.{name}", test) for name, test in vars(module).items()
                  if name.startswith("test_") and callable(test) and re.search(only, f"{file.stem}.{name}")]
    return tests


def say(line):
    """Whole, whoever else says something."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Runner:
    def __init__(self, world, again):
        self.world, self.again = world, again
        self.passed, self.failed = [], []

    def run(self, named):
        name, test = named
        began = time.monotonic()
        try:
            test(self.world)
            self.passed.append(name)
            say(f"ok    {name} ({time.monotonic() - began:.1f} s)")
        except Exception:  # a test may fail in any way; the others go on
            self.failed.append(name)
            say(f"FAIL  {name} ({time.monotonic() - began:.1f} s)\n{traceback.format_exc()}"
                f"      again: {self.again} --only '{name}$'")


def side_by_side(at_once, run, tests):
    pool = concurrent.futures.ThreadPoolExecutor(at_once)
    try:
        list(pool.map(run, tests))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who is told to end begins no more of them, and takes the world away from the others


def main(folder, kind, make_world, doc, at_once=1):
    """`at_once` tests side by side, but for those that have the attribute `alone`, which come last."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tests = tests_in(folder, options.only)
    if not tests:
        print(f"no {kind} test matches")
        return 0
    world = make_world()
    runner = Runner(world, f"tests/{folder.name}/run")
    try:
        began = time.monotonic()
        world.up()
        print(f"cluster up in {time.monotonic() - began:.1f} s", flush=True)
        crowd = [test for test in tests if at_once > 1 and not hasattr(test[1], "alone")]
        crowd.sort(key=lambda test: not hasattr(test[1], "slow"))
        side_by_side(at_once, runner.run, crowd)
        for test in tests:
            if test not in crowd:
                runner.run(test)
    finally:
        if runner.failed and (world.dir / "operator.log").exists():
            print("the operator's last lines:\n" + (world.dir / "operator.log").read_text(errors="replace")[-4000:])
        world.down()
    print(f"{len(runner.passed)} passed, {len(runner.failed)} failed")
    return 1 if runner.failed else 0


def alone(test):
    """No other test runs beside it."""
    test.alone = True
    return test


def slow(test):
    """It waits for long, so it begins first of those that run side by side."""
    test.slow = True
    return test
