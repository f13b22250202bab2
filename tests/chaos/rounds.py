#!/usr/bin/env python3
"""Workers that go from round to round of one reusable barrier together: the processes, and who starts and kills them.

As a program it is one worker; its one argument is JSON (see Worker). Before it arrives at a round it appends a line to
the log that all share, and another one when it was let through.
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import records  # noqa: E402

WORKERS = 5
TROUBLE = (6, 124)    # of kondctl: no API server, no operator; or its timeout. It asks again
FURTHER = 5           # rounds that all still go together once they are to end: more than anybody can be ahead by


def barrier(name):
    return {"apiVersion": "sync.konductor.io/v1", "kind": "Barrier", "metadata": {"name": name},
            "spec": {"expected": WORKERS, "reusable": True}}


class Worker:
    def __init__(self, who, run, seed, kubeconfig, ns, name, logs, kondctl):
        self.who, self.run_number, self.logs = who, run, pathlib.Path(logs)
        self.log = records.Log(self.logs / "rounds.log")
        self.random = random.Random(seed)
        self.words = [*kondctl, "--kubeconfig", kubeconfig, "-n", ns, "barrier", "arrive", name, "--participant", who, "--wait", "--timeout", "60s"]

    def first_round(self):
        """Where it was, or, as a program that keeps nothing, at the beginning."""
        passed = [record["round"] for record in records.read(self.logs / "rounds.log") if record["what"] == "passed" and record["who"] == self.who]
        return max(1, max(passed, default=0) - self.random.choice((0, 0, 0, 10)) + 1)

    def run(self):
        number = self.first_round()
        while not self.is_last(number - 1):
            self.log.append("arrives", who=self.who, run=self.run_number, round=number)
            code, error = self.arrive(number)
            if code == 0:
                self.log.append("passed", who=self.who, run=self.run_number, round=number)
                number += 1
            elif code not in TROUBLE:
                self.log.append("refused", who=self.who, run=self.run_number, round=number, why=f"exit {code}: {error.strip()[-300:]}")
                return
            time.sleep(self.random.uniform(0, 0.2))

    def arrive(self, number):
        done = subprocess.run([*self.words, "--round", str(number)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def is_last(self, number):
        try:
            return number >= int((self.logs / "rounds.last").read_text())
        except (FileNotFoundError, ValueError):
            return False


class Workers:
    """All of them. One that is killed is started again and goes on as the same participant."""

    def __init__(self, logs, seed, ns, name, kubeconfigs, kondctl):
        self.logs, self.source, self.ended, self.kills = logs, random.Random(f"rounds-{seed}"), threading.Event(), 0
        self.settings = [{"who": f"w{number}", "kubeconfig": str(self.source.choice(kubeconfigs)), "ns": ns, "name": name,
                          "logs": str(logs), "kondctl": kondctl} for number in range(WORKERS)]
        self.processes, self.runs = [None] * WORKERS, [0] * WORKERS
        self.killer = threading.Thread(target=self.kill_some, daemon=True)

    def start(self):
        for number in range(WORKERS):
            self.launch(number)
        self.killer.start()

    def launch(self, number):
        self.runs[number] += 1
        settings = {**self.settings[number], "run": self.runs[number], "seed": f"{number}-{self.runs[number]}"}
        with open(self.logs / "rounds.err", "ab") as error:
            self.processes[number] = subprocess.Popen([sys.executable, __file__, json.dumps(settings)], stdin=subprocess.DEVNULL,
                                                      stdout=error, stderr=error, start_new_session=True)

    def kill_some(self):
        while not self.ended.wait(self.source.uniform(1, 6)):
            number = self.source.randrange(WORKERS)
            if self.processes[number].poll() is not None:
                continue  # it was refused: the judge tells
            self.kill(number)
            self.kills += 1
            self.launch(number)

    def kill(self, number):
        """With the kondctl that it runs."""
        try:
            os.killpg(self.processes[number].pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.processes[number].wait()

    def finish(self, seconds):
        """All go on to one same round, and end. Who has not after that time is returned, and killed."""
        self.ended.set()
        self.killer.join()
        reached = max((record["round"] for record in records.read(self.logs / "rounds.log")), default=0)
        (self.logs / "rounds.last").write_text(str(reached + FURTHER))
        until = time.monotonic() + seconds
        late = []
        for number, process in enumerate(self.processes):
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                late.append(f"w{number}")
                self.kill(number)
        return late

    def stop(self):
        self.ended.set()
        if self.killer.is_alive():
            self.killer.join()
        for number, process in enumerate(self.processes):
            if process and process.poll() is None:
                self.kill(number)


if __name__ == "__main__":
    if "KONDUCTOR_BUILD" not in os.environ:
        sys.exit("rounds.py is started by tests/chaos/run")
    Worker(**json.loads(sys.argv[1])).run()
