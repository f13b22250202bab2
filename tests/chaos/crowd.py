"""All client processes: started, killed, paused, started again, and at the end asked to finish."""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

from records import Log, now
from rig import BUILD, HERE


class Runner:
    """One client through all its runs."""

    def __init__(self, number, settings):
        self.number, self.settings, self.runs = number, settings, 0
        self.process, self.who, self.lock = None, "", threading.Lock()


class Crowd:
    def __init__(self, rig, seed, semaphores, kubeconfigs, size):
        self.rig, self.kills = rig, {}
        self.log = Log(rig.logs / "kills.log")
        source = random.Random(f"crowd-{seed}")
        kondctl = [str(BUILD / "bin/kondctl"), "--plugin-dir", str(rig.world.plugins)]
        self.runners, self.failures, self.finishing = [], [], False
        names = list(semaphores)
        for number in range(size):
            semaphore = names[number % len(names)]
            self.runners.append(Runner(number, {
                "kind": "kondctl" if source.random() < 0.5 else "api", "kubeconfig": str(source.choice(kubeconfigs)), "ns": rig.ns,
                "semaphore": semaphore, "units": source.randint(1, min(3, semaphores[semaphore])), "ttl": source.randint(3, 5),
                "keeps_name": source.random() < 0.4, "logs": str(rig.logs), "kondctl": kondctl}))

    def start(self):
        for runner in self.runners:
            self.launch(runner)
        threading.Thread(target=self.supervise, daemon=True).start()

    def launch(self, runner):
        runner.runs += 1
        runner.who = f"c{runner.number}.{runner.runs}"
        settings = {**runner.settings, "who": runner.who, "seed": f"{self.rig.seed}-{runner.who}"}
        with open(self.rig.logs / "clients.err", "ab") as error:
            runner.process = subprocess.Popen([sys.executable, HERE / "client.py", json.dumps(settings)], stdin=subprocess.DEVNULL,
                                              stdout=error, stderr=error, start_new_session=True)

    def supervise(self):
        """Starts killed ones again; one that ends by itself is a failure of the test."""
        while not self.finishing:
            for runner in self.runners:
                with runner.lock:
                    if self.finishing or runner.process.poll() is None:
                        continue
                    if runner.who not in self.kills:
                        self.kills[runner.who] = now()
                        self.failures.append(f"client {runner.who} ended with {runner.process.returncode}: see clients.err")
                    self.launch(runner)
            time.sleep(0.2)

    def send(self, runner, how):
        """To the client and the kondctl that it runs."""
        try:
            os.killpg(runner.process.pid, how)
        except ProcessLookupError:
            pass

    def kill(self, source):
        runner = source.choice(self.runners)
        with runner.lock:
            # Written before the signal is sent: until then it lived for certain.
            self.kills[runner.who] = now()
            self.log.append("killed", self.kills[runner.who], who=runner.who)
            self.send(runner, signal.SIGKILL)
            runner.process.wait()
            return runner.who

    def pause(self, source, wait):
        runner = source.choice(self.runners)
        with runner.lock:
            self.send(runner, signal.SIGSTOP)
            wait(source.uniform(0.5, 2 * runner.settings["ttl"]))
            self.send(runner, signal.SIGCONT)
            return runner.who

    def finish(self, seconds):
        """Everybody ends what it has begun; who has not after that time is returned, and killed."""
        self.finishing = True
        for runner in self.runners:
            with runner.lock:
                self.send_finish(runner)
        until = time.monotonic() + seconds
        late = []
        for runner in self.runners:
            try:
                runner.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                late.append(runner.who)
                self.send(runner, signal.SIGKILL)
                runner.process.wait()
        return late

    def send_finish(self, runner):
        """To the client alone: what it runs goes on."""
        if runner.process.poll() is None:
            runner.process.send_signal(signal.SIGTERM)

    def stop(self):
        self.finishing = True
        for runner in self.runners:
            if runner.process and runner.process.poll() is None:
                self.send(runner, signal.SIGKILL)
                runner.process.wait()
